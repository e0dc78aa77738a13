//! Edge. A connection that is set up. It gives its place free when it ends, and ends when it must.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Interval};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;

use super::{Fate, Tally};
use crate::peer::Peer;
use crate::places::{Desk, Place};

/// How often a connection is asked whether it does anything.
const LOOK: Duration = Duration::from_secs(5);

/// What a peer may send without making a call, in bytes at once and in a second. The largest request fits, and pings and
/// window updates of one that watches are a thousandth of it. The rest is noise, as in floods of pings and settings.
const NOISE: u64 = 4 << 20;
const NOISE_A_SECOND: u64 = 64 << 10;

pub(super) trait Both: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}

pub(super) type Stream = Box<dyn Both>;

/// A connection that is set up.
pub struct Connection {
    stream: Stream,
    peer: Arc<Peer>,
    place: Place,
    tally: Arc<Tally>,
    leave: Pin<Box<WaitForCancellationFutureOwned>>,
    look: Interval,
    closed: bool,
    noise: Noise,
}

/// What has been sent since the last call, less what may be sent in that time.
#[derive(Clone, Copy, Debug)]
struct Noise {
    level: u64,
    at: Instant,
    calls: u64,
}

impl Noise {
    /// So many bytes more. Whether that is too much.
    fn add(&mut self, bytes: usize, calls: u64, now: Instant) -> bool {
        if self.calls != calls {
            *self = Noise { level: 0, at: now, calls };
        }
        let seconds = now.saturating_duration_since(self.at).as_secs();
        if seconds > 0 {
            self.level = self.level.saturating_sub(seconds.saturating_mul(NOISE_A_SECOND));
            self.at = now;
        }
        self.level = self.level.saturating_add(bytes as u64);
        self.level > NOISE
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// What a call is told of its connection.
#[derive(Clone, Debug)]
pub struct Info {
    /// Who is at the other end.
    pub peer: Arc<Peer>,
    /// Where calls report.
    pub desk: Desk,
}

impl Connection {
    pub(super) fn new(stream: Stream, peer: Peer, place: Place, tally: Arc<Tally>) -> Self {
        let leave = Box::pin(place.leave().clone().cancelled_owned());
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let noise = Noise { level: 0, at: Instant::now(), calls: 0 };
        Connection { stream, peer: Arc::new(peer), place, tally, leave, look, closed: false, noise }
    }

    /// Who is at the other end.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Where calls report.
    pub fn info(&self) -> Info {
        Info { peer: Arc::clone(&self.peer), desk: self.place.desk() }
    }

    /// An error once the connection has to end: it must make room, or did nothing for too long. Asked for on every way
    /// that whoever serves it can wait on, since a peer that does not read keeps it from reading too.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.closed
            && let Poll::Ready(fate) = self.poll_end(cx)
        {
            self.closed = true;
            self.tally.add(fate, &self.peer.origin, None);
        }
        if self.closed { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Fate> {
        if self.leave.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Fate::Evicted);
        }
        while self.look.poll_tick(cx).is_ready() {
            if self.place.is_overdue(Instant::now()) {
                return Poll::Ready(Fate::Overdue);
            }
        }
        Poll::Pending
    }
}

impl Connected for Connection {
    type ConnectInfo = Info;

    fn connect_info(&self) -> Info {
        self.info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let (bytes, calls) = (buffer.filled().len() - before, self.place.calls_made());
        if self.noise.add(bytes, calls, Instant::now()) && !self.closed {
            self.closed = true;
            self.tally.add(Fate::Noisy, &self.peer.origin, None);
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
