//! Edge. Opening sockets, in our own network namespace or through the thread that lives in another.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};

use crate::fault;
use crate::netns::Namespace;

/// Where sockets come from.
#[derive(Debug)]
pub(crate) enum Sockets {
    /// The network namespace of this process.
    Own,
    /// Another network namespace.
    Other(Namespace),
}

impl Sockets {
    /// Opens a socket. Dropping the future is safe: a socket opened for nobody is closed.
    pub(crate) async fn open(&self, request: Request) -> Result<Opened, OpenError> {
        match self {
            Sockets::Own => open(request),
            Sockets::Other(namespace) => namespace.open(request).await,
        }
    }
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A TCP connection.
    Tcp,
    /// UDP datagrams.
    Udp,
    /// ICMP or ICMPv6 echoes.
    Icmp,
}

/// A socket wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) purpose: Purpose,
    /// The peer, for the address family.
    pub(crate) peer: IpAddr,
    /// The address to bind to.
    pub(crate) source: Option<IpAddr>,
}

/// A non-blocking socket, bound if that was wanted, not connected.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) socket: Socket,
    /// Whether it is a raw socket, which sees the packets of others too.
    pub(crate) raw: bool,
}

/// Why there is no socket. All of these are faults on our side.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("cannot open a socket")]
    Socket(#[source] io::Error),
    #[error(
        "cannot open a ping socket, set net.ipv4.ping_group_range in its network namespace or grant CAP_NET_RAW"
    )]
    Ping(#[source] io::Error),
    #[error("cannot send from {address}")]
    Bind {
        address: IpAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot open the network namespace {}", path.display())]
    Namespace {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot enter the network namespace {}, which takes CAP_SYS_ADMIN", path.display())]
    Enter {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is no network namespace", path.display())]
    NoNamespace { path: PathBuf },
    #[error("cannot start a thread for the network namespace {}", path.display())]
    Thread {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    /// The error and its cause as part of a sentence.
    pub(crate) fn sentence(&self) -> String {
        match self {
            OpenError::NoNamespace { .. } => self.to_string(),
            OpenError::Socket(source)
            | OpenError::Ping(source)
            | OpenError::Bind { source, .. }
            | OpenError::Namespace { source, .. }
            | OpenError::Enter { source, .. }
            | OpenError::Thread { source, .. } => format!("{self}: {}", fault::words(source)),
        }
    }
}

/// Opens a socket in the network namespace of the calling thread.
pub(crate) fn open(request: Request) -> Result<Opened, OpenError> {
    let v4 = request.peer.is_ipv4();
    let domain = if v4 { Domain::IPV4 } else { Domain::IPV6 };
    let (socket, raw) = match request.purpose {
        Purpose::Tcp => (tcp(domain).map_err(OpenError::Socket)?, false),
        Purpose::Udp => {
            (Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)).map_err(OpenError::Socket)?, false)
        }
        Purpose::Icmp => ping(domain)?,
    };
    socket.set_nonblocking(true).map_err(OpenError::Socket)?;
    if let Some(address) = request.source {
        // Without this a bound socket takes its port for all peers at once, and probes of some hundred backends
        // with connections in TIME_WAIT use up all ports. Kernels before 4.2 lack it, and bind still works.
        let _ = setsockopt(&socket, sockopt::IpBindAddressNoPort, &true);
        socket
            .bind(&SocketAddr::new(address, 0).into())
            .map_err(|source| OpenError::Bind { address, source })?;
    }
    Ok(Opened { socket, raw })
}

fn tcp(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    // The request follows the end of the TLS handshake at once; Nagle would hold it for a delayed acknowledgement.
    socket.set_tcp_nodelay(true)?;
    Ok(socket)
}

/// A ping socket (`icmp(7)`, unprivileged) where the kernel allows, a raw one otherwise.
fn ping(domain: Domain) -> Result<(Socket, bool), OpenError> {
    let v4 = domain == Domain::IPV4;
    let protocol = if v4 { Protocol::ICMPV4 } else { Protocol::ICMPV6 };
    let (socket, raw) = match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Ok(socket) => (socket, false),
        Err(error) if fault::is_refusal(&error) => {
            (Socket::new(domain, Type::RAW, Some(protocol)).map_err(OpenError::Ping)?, true)
        }
        Err(error) => return Err(OpenError::Socket(error)),
    };
    // So that "host unreachable" is an answer now instead of silence until the timeout.
    let told = if v4 {
        setsockopt(&socket, sockopt::Ipv4RecvErr, &true)
    } else {
        setsockopt(&socket, sockopt::Ipv6RecvErr, &true)
    };
    told.map_err(|errno| OpenError::Socket(errno.into()))?;
    Ok((socket, raw))
}
