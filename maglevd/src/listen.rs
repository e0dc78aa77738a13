//! Edge. Addresses to listen on, and the sockets for them.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use thiserror::Error;
use tokio::net::{TcpListener, UnixListener, UnixStream};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A TCP port on every interface, IPv4 and IPv6.
    AnyInterface(u16),
    /// A TCP port on the addresses of a host.
    Host(String, u16),
    /// A Unix socket.
    Unix(PathBuf),
}

/// The text is not an address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("write :port for all interfaces, host:port, [v6]:port or unix:/path")]
pub struct InvalidAddress;

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(InvalidAddress) } else { Ok(Address::Unix(path.into())) };
        }
        let (host, port) = text.rsplit_once(':').ok_or(InvalidAddress)?;
        let port = port.parse().map_err(|_| InvalidAddress)?;
        if host.is_empty() {
            return Ok(Address::AnyInterface(port));
        }
        match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            Some(Some(v6)) if v6.parse::<Ipv6Addr>().is_ok() => Ok(Address::Host(v6.to_owned(), port)),
            Some(_) => Err(InvalidAddress),
            None if host.contains(':') => Err(InvalidAddress),
            None => Ok(Address::Host(host.to_owned(), port)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::AnyInterface(port) => write!(f, ":{port}"),
            Address::Host(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Host(host, port) => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket.
    Unix(UnixListener),
}

impl Listener {
    /// Whether it is a Unix socket.
    pub const fn is_unix(&self) -> bool {
        matches!(self, Listener::Unix(_))
    }

    /// Whether only this host can connect to it.
    pub fn is_local(&self) -> bool {
        match self {
            Listener::Tcp(listener) => listener.local_addr().is_ok_and(|address| address.ip().is_loopback()),
            Listener::Unix(_) => true,
        }
    }

    /// Where it listens, with the port the kernel chose where 0 was asked for.
    pub fn local(&self) -> String {
        match self {
            Listener::Tcp(listener) => {
                listener.local_addr().map_or_else(|error| error.to_string(), |address| address.to_string())
            }
            Listener::Unix(listener) => listener
                .local_addr()
                .ok()
                .and_then(|address| address.as_pathname().map(|path| format!("unix:{}", path.display())))
                .unwrap_or_else(|| "unix:".to_owned()),
        }
    }
}

/// Connections the kernel may complete before they are accepted.
const BACKLOG: i32 = 1024;

/// Who may connect to a Unix socket: its owner and its group, since whoever can connect may change things.
const UNIX_MODE: u32 = 0o660;

/// Listens on an address. A host with several addresses gives several listeners.
pub async fn bind(address: &Address) -> io::Result<Vec<Listener>> {
    match address {
        Address::AnyInterface(port) => {
            let any = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), *port);
            match tcp(any) {
                // No IPv6 in this kernel, or it is switched off.
                Err(error) if error.raw_os_error() == Some(nix::libc::EAFNOSUPPORT) => {
                    Ok(vec![tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), *port))?])
                }
                bound => Ok(vec![bound?]),
            }
        }
        Address::Host(host, port) => {
            // Not tokio's, which panics where no thread can be had. Nothing runs yet that this could hold up.
            let mut addresses: Vec<_> = (host.as_str(), *port).to_socket_addrs()?.collect();
            addresses.sort();
            addresses.dedup();
            addresses.into_iter().map(tcp).collect()
        }
        Address::Unix(path) => Ok(vec![unix(path).await?]),
    }
}

fn tcp(address: SocketAddr) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // The unspecified address takes IPv4 too, whatever the system's default.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into()).map(Listener::Tcp)
}

/// Binds a Unix socket, in place of one that a dead process has left behind.
async fn unix(path: &Path) -> io::Result<Listener> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket
        && UnixStream::connect(path).await.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
    {
        std::fs::remove_file(path)?;
    }
    let socket = bound(path)?;
    socket.listen(BACKLOG)?;
    UnixListener::from_std(socket.into()).map(Listener::Unix)
}

/// Binds a Unix socket that does not listen yet: until it has its mode, whatever the umask, nobody can connect.
fn bound(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(UNIX_MODE))?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
