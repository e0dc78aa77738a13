//! Edge. What a probe is given: its target, and sockets in the right namespace from the right source.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use maglev_core::check::TlsSpec;
use maglev_core::outcome::{Code, Outcome, Timings};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use crate::connect;
use crate::fault::{self, Stage};
use crate::prober::Inner;
use crate::sockets::{Opened, Purpose, Request};
use crate::text::Short;
use crate::tls::{TlsClient, TlsSession};
use crate::{Finding, Target};

/// How long a look at the routes may wait for the thread of a network namespace.
const ROUTE_CHECK: Duration = Duration::from_secs(1);

/// What a [`Probe`](crate::Probe) is given: its target, and sockets in the prober's network namespace, bound to the
/// target's source address.
///
/// It keeps the times and what the probe is waiting for, so that an outcome has them even when the timeout ends it.
pub struct Context<'a> {
    inner: &'a Inner,
    target: Target<'a>,
    started: Instant,
    timeout: Duration,
    connected: Option<(SocketAddr, Duration)>,
    echoed: Option<Duration>,
    tls: Option<Duration>,
    asked: Option<Instant>,
    waiting: Finding,
    /// Whether the answer says that we were too slow.
    too_slow: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn new(inner: &'a Inner, target: Target<'a>, timeout: Duration) -> Self {
        Context {
            inner,
            target,
            started: Instant::now(),
            timeout,
            connected: None,
            echoed: None,
            tls: None,
            asked: None,
            waiting: Finding::local("the probe did nothing"),
            too_slow: false,
        }
    }

    /// What is probed.
    pub fn target(&self) -> Target<'a> {
        self.target
    }

    /// How much is left of the timeout. The prober keeps to it by itself.
    pub fn remaining(&self) -> Duration {
        self.timeout.saturating_sub(self.started.elapsed())
    }

    /// Says what comes of it if the timeout ends the probe from here on: `code`, and a sentence made of `what` ("no
    /// greeting") and "within 1 s".
    pub fn waiting_for(&mut self, code: Code, what: impl Into<Cow<'static, str>>) {
        self.waiting = Finding::new(code, what);
    }

    /// Says that the request goes out now: [`Timings::response`] counts from here.
    pub fn asking(&mut self) {
        self.asked = Some(Instant::now());
    }

    /// Makes a TCP connection to `port` of the target, without Nagle's algorithm.
    ///
    /// Dropping the future gives the connection up.
    ///
    /// # Errors
    /// `L4CON` if the backend does not take it, `SOCKERR` if the fault is ours.
    pub async fn connect_tcp(&mut self, port: u16) -> Result<TcpStream, Finding> {
        self.connect_tcp_with(port, |_| Ok(())).await
    }

    /// As [`Context::connect_tcp`], with `prepare` run on the socket before it connects.
    pub(crate) async fn connect_tcp_with(
        &mut self,
        port: u16,
        prepare: impl FnOnce(&socket2::Socket) -> io::Result<()> + Send,
    ) -> Result<TcpStream, Finding> {
        let peer = SocketAddr::new(self.target.address, port);
        let socket = self.open(Purpose::Tcp).await?.socket;
        prepare(&socket).map_err(|e| local("cannot set up a socket", &e))?;
        self.waiting_for(Code::L4Tout, format!("no connection to {peer}"));
        let from = Instant::now();
        let stream = match connect::begin(socket, peer) {
            Ok(stream) => stream,
            Err(error) => return Err(unconnected(peer, from.elapsed(), Stage::of_connect(&error), &error)),
        };
        if let Err(error) = connect::finish(&stream).await {
            if fault::is_unreachable(&error) {
                self.check_route(port).await?;
            }
            return Err(unconnected(peer, from.elapsed(), Stage::Network, &error));
        }
        if connect::is_own(&stream) {
            let detail = format!("connection to {peer} reached itself: no server listens on this port");
            return Err(Finding::new(Code::L4Con, detail));
        }
        self.connected = Some((peer, from.elapsed()));
        self.waiting_for(Code::L7Tout, "no answer");
        Ok(stream)
    }

    /// Looks whether this host still has a route to the target, after a failure that the loss of it would explain. No
    /// packet is sent.
    ///
    /// # Errors
    /// `SOCKERR` if it has none: the interface or the route went away while the probe waited.
    pub(crate) async fn check_route(&self, port: u16) -> Result<(), Finding> {
        let Target { address, source, .. } = self.target;
        let request = Request { purpose: Purpose::Udp, peer: address, source };
        let opened = tokio::time::timeout(ROUTE_CHECK, self.inner.sockets.open(request)).await;
        let opened = match opened {
            Ok(opened) => opened.map_err(|error| Finding::local(error.sentence()))?,
            // The thread of the network namespace is busy: nothing is known of the route.
            Err(_elapsed) => return Ok(()),
        };
        let peer = SocketAddr::new(address, port);
        let what = format!("the route to {address} was lost during the probe");
        opened.socket.connect(&peer.into()).map_err(|error| local(&what, &error))
    }

    /// Opens a UDP socket that sends to, and receives from, `port` of the target only. No packet is sent by that.
    ///
    /// # Errors
    /// `SOCKERR`: there is no socket, or no route to the backend.
    pub async fn connect_udp(&mut self, port: u16) -> Result<UdpSocket, Finding> {
        let peer = SocketAddr::new(self.target.address, port);
        let socket = self.open(Purpose::Udp).await?.socket;
        socket.connect(&peer.into()).map_err(|error| unsent(self.target.address, &error))?;
        let socket = UdpSocket::from_std(socket.into()).map_err(|e| local("cannot watch a socket", &e))?;
        self.waiting_for(Code::L7Tout, format!("no answer from {peer}"));
        Ok(socket)
    }

    /// Opens an ICMP socket that sends to, and receives from, the target only, and whether it is a raw one.
    ///
    /// It comes as a `UdpSocket` because that is tokio's name for a datagram socket: `send` and `recv` are the system
    /// calls of the same name, whatever the protocol.
    pub(crate) async fn connect_icmp(&mut self) -> Result<(UdpSocket, bool), Finding> {
        let address = self.target.address;
        let Opened { socket, raw } = self.open(Purpose::Icmp).await?;
        socket.connect(&SocketAddr::new(address, 0).into()).map_err(|error| unsent(address, &error))?;
        let socket = UdpSocket::from_std(socket.into()).map_err(|e| local("cannot watch a socket", &e))?;
        self.waiting_for(Code::L4Tout, format!("no echo from {address}"));
        Ok((socket, raw))
    }

    /// Says that the echo came back after `time`.
    pub(crate) fn echoed(&mut self, time: Duration) {
        self.echoed = Some(time);
    }

    /// Makes ready for TLS as `spec` says; `host` is the name to use if it has none. It is a step of its own so that
    /// what is wrong on our side is known before the backend is troubled. Trust is read once and shared.
    ///
    /// # Errors
    /// `SOCKERR`: certificate authorities that cannot be read, or a name that is none.
    pub async fn prepare_tls(&mut self, spec: &TlsSpec, host: Option<&str>) -> Result<TlsClient, Finding> {
        self.waiting_for(Code::SockErr, "the certificate authorities were not read");
        self.inner.tls.client(spec, host, self.target.address).await
    }

    /// Sets up a TLS session on a connection. Every session is a full handshake.
    ///
    /// # Errors
    /// `L6RSP`: the certificate is not good, or the peer does not speak TLS as it should.
    pub async fn start_tls(
        &mut self,
        client: TlsClient,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Finding> {
        Ok(self.start_session(client, stream).await?.stream)
    }

    async fn start_session(&mut self, client: TlsClient, stream: TcpStream) -> Result<TlsSession, Finding> {
        self.waiting_for(Code::L6Tout, "no TLS session");
        let from = Instant::now();
        let session = client.connect(stream).await.map_err(no_session)?;
        self.tls = Some(from.elapsed());
        self.waiting_for(Code::L7Tout, "no answer");
        Ok(session)
    }

    /// Sets up a TLS session, finds out whether the server accepts it, and ends it.
    pub(crate) async fn try_tls(&mut self, client: TlsClient, stream: TcpStream) -> Result<(), Finding> {
        let session = self.start_session(client, stream).await?;
        let time = self.tls.take();
        let patience = self.remaining() / 2;
        session.close(patience).await.map_err(no_session)?;
        self.tls = time;
        Ok(())
    }

    /// Says that the backend answered that our request took too long.
    pub(crate) fn answered_too_slow(&mut self) {
        self.too_slow = true;
    }

    /// Whether a stall of this process may be the cause of `code`: the backend gives up peers that are silent for too
    /// long. A connection that is refused, or a status that is not wanted, has nothing to do with our speed.
    pub(crate) const fn is_doubtful(&self, code: Code) -> bool {
        match code {
            Code::L4Tout | Code::L6Tout | Code::L6Rsp | Code::L7Tout | Code::L7Rsp => true,
            Code::L7Sts => self.too_slow,
            Code::L4Ok | Code::L4Con | Code::L6Ok | Code::L7Ok | Code::SockErr | Code::Stalled => false,
        }
    }

    pub(crate) fn user_agent(&self) -> &'a str {
        &self.inner.user_agent
    }

    /// Fills `bytes` so that nobody can guess them.
    pub(crate) fn fill_random(&self, bytes: &mut [u8]) -> Result<(), Finding> {
        let random = self.inner.tls.provider().secure_random;
        random.fill(bytes).map_err(|_| Finding::local("the system has no random bytes"))
    }

    async fn open(&mut self, purpose: Purpose) -> Result<Opened, Finding> {
        let Target { address, source, .. } = self.target;
        if let Some(source) = source.filter(|source| source.is_ipv4() != address.is_ipv4()) {
            return Err(Finding::local(format!("cannot send from {source} to {address}")));
        }
        self.waiting_for(Code::SockErr, "no socket from the network namespace");
        let request = Request { purpose, peer: address, source };
        self.inner.sockets.open(request).await.map_err(|error| Finding::local(error.sentence()))
    }

    /// What comes of it when the timeout is over.
    pub(crate) fn timed_out(&self) -> Finding {
        let Finding { code, detail } = &self.waiting;
        Finding::new(*code, format!("{detail} within {}", Short(self.timeout)))
    }

    /// The outcome, with the whole sentence and the times.
    pub(crate) fn conclude(&self, finding: Finding) -> Outcome {
        let detail = match self.connected {
            Some((peer, time)) => {
                let mut sentence = format!("connected to {peer} in {}", Short(time));
                if let Some(time) = self.tls {
                    sentence.push_str(&format!(", TLS in {}", Short(time)));
                }
                if !finding.detail.is_empty() {
                    sentence.push_str(", ");
                    sentence.push_str(&finding.detail);
                }
                sentence
            }
            None => finding.detail.into_owned(),
        };
        let timings = Timings {
            connect: self.connected.map(|(_, time)| time).or(self.echoed),
            tls: self.tls,
            response: self.asked.map(|at| at.elapsed()),
            total: self.started.elapsed(),
        };
        Outcome { code: finding.code, detail, timings }
    }
}

fn no_session(why: String) -> Finding {
    Finding::new(Code::L6Rsp, format!("no TLS session: {why}"))
}

fn local(what: &str, error: &io::Error) -> Finding {
    Finding::local(format!("{what}: {}", fault::words(error)))
}

/// A TCP connection that was not made.
fn unconnected(peer: SocketAddr, after: Duration, stage: Stage, error: &io::Error) -> Finding {
    let after = Short(after);
    match (stage, error.kind()) {
        (Stage::Call, _) => local(&format!("cannot connect to {peer}"), error),
        (Stage::Network, io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset) => {
            Finding::new(Code::L4Con, format!("connection to {peer} {} after {after}", fault::words(error)))
        }
        (Stage::Network, io::ErrorKind::TimedOut) => {
            Finding::new(Code::L4Tout, format!("connection to {peer} timed out after {after}"))
        }
        (Stage::Network, _) => Finding::new(
            Code::L4Con,
            format!("connection to {peer} failed after {after}: {}", fault::network_words(error)),
        ),
    }
}

/// A datagram that did not leave this host.
pub(crate) fn unsent(address: IpAddr, error: &io::Error) -> Finding {
    local(&format!("cannot send to {address}"), error)
}

/// A datagram that the network reported as undeliverable.
pub(crate) fn unreachable(address: IpAddr, error: &io::Error) -> Finding {
    Finding::new(Code::L4Con, format!("{address} cannot be reached: {}", fault::network_words(error)))
}

/// Takes leave of a peer without waiting for it: says that nothing more will come (over TLS with a `close_notify`), and
/// reads what is there already, because closing a socket with unread data resets the connection.
pub(crate) async fn part(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    /// What is read at most: more than a banner or the rest of a small page.
    const LEFTOVER: usize = 16 * 1024;
    std::future::poll_fn(|cx| {
        let _ = Pin::new(&mut stream).poll_shutdown(cx);
        let mut scratch = [0; LEFTOVER];
        let _ = Pin::new(&mut stream).poll_read(cx, &mut ReadBuf::new(&mut scratch));
        Poll::Ready(())
    })
    .await;
}
