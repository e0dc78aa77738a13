//! Driver. Connections as they come in: each gets a place, is set up on a task of its own within a deadline, and is
//! handed on when it can be spoken on.

mod connection;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;

use self::connection::Stream;
pub use self::connection::{Connection, Info};
use crate::listen::Listener;
use crate::peer::{Origin, Peer, Security};
use crate::places::{Limits, NoPlace, Place, Places};
use crate::throttle::Throttle;
use crate::tls::{Protocol, Tls, client_names};

/// For the first byte and the TLS handshake together.
const SETUP: Duration = Duration::from_secs(10);

/// How long to rest when no connection can be accepted, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Connections that are set up and wait to be served, which takes microseconds.
const QUEUE: usize = 16;

/// What a TLS record with a handshake begins with. No HTTP does.
const TLS_HANDSHAKE: u8 = 0x16;

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was served.
    Served,
    /// Its source had too many.
    RefusedSource,
    /// There was no room.
    RefusedRoom,
    /// It made room for another.
    Evicted,
    /// Its TLS handshake failed.
    HandshakeFailed,
    /// It did not say enough in time.
    HandshakeTimeout,
    /// It did nothing for too long.
    Overdue,
    /// It sent a lot and asked nothing, as floods of pings do.
    Noisy,
}

impl Fate {
    /// Every one there is.
    pub const ALL: [Fate; 8] = [
        Fate::Served,
        Fate::RefusedSource,
        Fate::RefusedRoom,
        Fate::Evicted,
        Fate::HandshakeFailed,
        Fate::HandshakeTimeout,
        Fate::Overdue,
        Fate::Noisy,
    ];

    /// What metrics call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Fate::Served => "served",
            Fate::RefusedSource => "refused_source",
            Fate::RefusedRoom => "refused_room",
            Fate::Evicted => "evicted",
            Fate::HandshakeFailed => "handshake_failed",
            Fate::HandshakeTimeout => "handshake_timeout",
            Fate::Overdue => "overdue",
            Fate::Noisy => "noisy",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Fate::Served => "served",
            Fate::RefusedSource => "refused: this address has as many connections as it may have",
            Fate::RefusedRoom => "refused: there are as many connections as there may be",
            Fate::Evicted => "closed to make room for another",
            Fate::HandshakeFailed => "refused: the TLS handshake failed",
            Fate::HandshakeTimeout => "closed: it did not say enough in time",
            Fate::Overdue => "closed: it did nothing for too long",
            Fate::Noisy => "closed: it sent a lot and asked nothing",
        }
    }
}

/// A TLS handshake that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastFailure {
    /// The time.
    pub at: SystemTime,
    /// The peer.
    pub from: String,
    /// The error.
    pub error: String,
    /// Failures since the start, up to this one.
    pub count: u64,
}

/// What became of the connections to the listeners of one kind.
#[derive(Debug)]
pub struct Tally {
    /// "gRPC" or "metrics".
    what: &'static str,
    fates: [AtomicU64; Fate::ALL.len()],
    handshake: Mutex<Option<LastFailure>>,
    throttle: Throttle,
}

impl Tally {
    /// Of listeners of a kind.
    pub fn new(what: &'static str) -> Arc<Self> {
        let throttle = Throttle::new(20, Duration::from_secs(5));
        Arc::new(Tally { what, fates: Default::default(), handshake: Mutex::default(), throttle })
    }

    /// How many there were of a kind.
    pub fn count(&self, fate: Fate) -> u64 {
        self.fates.get(fate as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// The last TLS handshake that failed.
    pub fn last_handshake_failure(&self) -> Option<LastFailure> {
        self.handshake.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, fate: Fate, origin: &Origin, error: Option<&io::Error>) {
        if fate == Fate::HandshakeFailed {
            let failure = LastFailure {
                at: SystemTime::now(),
                from: origin.to_string(),
                error: error.map(ToString::to_string).unwrap_or_default(),
                count: self.count(fate) + 1,
            };
            *self.handshake.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        }
        if let Some(count) = self.fates.get(fate as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if fate != Fate::Served
            && let Some(left_out) = self.throttle.pass(Instant::now())
        {
            let error = error.map(ToString::to_string);
            tracing::warn!(from = %origin, error, left_out, "{} connection {}", self.what, fate.words());
        }
    }
}

/// What connections must pass.
#[derive(Clone, Debug)]
pub struct Gate {
    /// What is spoken.
    pub protocol: Protocol,
    /// Absent: nothing is encrypted.
    pub tls: Option<Tls>,
    /// How many there may be.
    pub limits: Limits,
    /// Where they are counted.
    pub tally: Arc<Tally>,
}

impl Gate {
    /// Accepts connections until `stop`.
    pub fn open(self, listener: Listener, stop: CancellationToken) -> mpsc::Receiver<Connection> {
        let (ready, connections) = mpsc::channel(QUEUE);
        let incoming = futures_util::stream::unfold(listener, |listener| async {
            Some((accept(&listener).await, listener))
        });
        tokio::spawn(self.run(Box::pin(incoming), ready, stop));
        connections
    }

    async fn run(
        self,
        mut incoming: impl tokio_stream::Stream<Item = io::Result<(Socket, Origin)>> + Send + Unpin,
        ready: mpsc::Sender<Connection>,
        stop: CancellationToken,
    ) {
        let places = Places::new(self.limits);
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = incoming.next() => accepted,
            };
            let Some(accepted) = accepted else { return };
            let (socket, origin) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection for {}", self.tally.what);
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(ACCEPT_PAUSE) => continue,
                    }
                }
            };
            let place = match places.take(&origin, tokio::time::Instant::now()) {
                Ok((place, _)) => place,
                Err(NoPlace::Source) => {
                    self.tally.add(Fate::RefusedSource, &origin, None);
                    continue;
                }
                Err(NoPlace::Room) => {
                    self.tally.add(Fate::RefusedRoom, &origin, None);
                    continue;
                }
            };
            let (gate, ready, stop) = (self.clone(), ready.clone(), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = gate.pass(socket, origin, place, ready) => {}
                }
            });
        }
    }

    /// Sets one connection up and hands it on.
    async fn pass(self, socket: Socket, origin: Origin, place: Place, ready: mpsc::Sender<Connection>) {
        let leave = place.leave().clone();
        let set_up = tokio::time::timeout(SETUP, self.set_up(socket));
        let set_up = tokio::select! {
            () = leave.cancelled() => return self.tally.add(Fate::Evicted, &origin, None),
            set_up = set_up => set_up,
        };
        match set_up {
            Ok(Ok((stream, security))) => {
                self.tally.add(Fate::Served, &origin, None);
                let peer = Peer { origin, security };
                // Nobody serves any more: the daemon ends.
                let _ = ready.send(Connection::new(stream, peer, place, self.tally)).await;
            }
            // It went away before it said anything, as port scanners and health checks do.
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Ok(Err(error)) => self.tally.add(Fate::HandshakeFailed, &origin, Some(&error)),
            Err(_) => self.tally.add(Fate::HandshakeTimeout, &origin, None),
        }
    }

    async fn set_up(&self, socket: Socket) -> io::Result<(Stream, Security)> {
        let tcp = match socket {
            Socket::Unix(unix) => return Ok((Box::new(unix), Security::Plain)),
            Socket::Tcp(tcp) => tcp,
        };
        // An event is worth a packet of its own.
        tcp.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok((Box::new(tcp), Security::Plain)) };
        let mut first = [0];
        if tcp.peek(&mut first).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if first != [TLS_HANDSHAKE] {
            return Ok((Box::new(tcp), Security::PlainInPlaceOfTls));
        }
        let session = TlsAcceptor::from(tls.config(self.protocol)).accept(tcp).await?;
        let shown = session.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let names = shown.map(|certificate| client_names(certificate).into());
        Ok((Box::new(session), Security::Tls(names)))
    }
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

async fn accept(listener: &Listener) -> io::Result<(Socket, Origin)> {
    Ok(match listener {
        Listener::Tcp(listener) => {
            let (tcp, address) = listener.accept().await?;
            (Socket::Tcp(tcp), Origin::tcp(address))
        }
        Listener::Unix(listener) => {
            let (unix, _) = listener.accept().await?;
            let uid = unix.peer_cred().ok().map(|credentials| credentials.uid());
            (Socket::Unix(unix), Origin::Unix(uid))
        }
    })
}

/// Whether only the connection is lost that was about to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests;
