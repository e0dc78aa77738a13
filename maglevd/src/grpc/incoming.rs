//! Edge. Connections as they come in for gRPC: so many at once, and without a rush when there is no room for one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::{Stream, StreamExt};
use tonic::transport::server::Connected;

/// Connections a listener serves at once; more wait in the kernel. Without an end, whoever can reach the port could take
/// every file descriptor, and then no probe could be made. Each listener has its own, so that a Unix socket stays open to
/// operators when a port is flooded.
const CONNECTIONS: usize = 256;

/// How long to rest when no connection can be accepted, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Bounds and paces the connections that a listener accepts.
pub(super) fn bounded<S, T>(accepted: S) -> impl Stream<Item = io::Result<Connection<T>>> + Send
where
    S: Stream<Item = io::Result<T>> + Send + Unpin,
    T: Send,
{
    bounded_to(CONNECTIONS, accepted)
}

fn bounded_to<S, T>(places: usize, accepted: S) -> impl Stream<Item = io::Result<Connection<T>>> + Send
where
    S: Stream<Item = io::Result<T>> + Send + Unpin,
    T: Send,
{
    let places = Arc::new(Semaphore::new(places));
    futures_util::stream::unfold((accepted, places), |(mut accepted, places)| async {
        // Never closed, so never an error.
        let place = Arc::clone(&places).acquire_owned().await.ok()?;
        let connection = match accepted.next().await? {
            Ok(io) => Ok(Connection { io, _place: place }),
            Err(error) => {
                // The server goes on at once after an error, and would take a whole core.
                tracing::warn!(%error, "cannot accept a connection for gRPC");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                Err(error)
            }
        };
        Some((connection, (accepted, places)))
    })
}

/// A connection that gives its place free when it ends.
#[derive(Debug)]
pub(super) struct Connection<T> {
    io: T,
    _place: OwnedSemaphorePermit,
}

impl<T: Connected> Connected for Connection<T> {
    type ConnectInfo = T::ConnectInfo;

    fn connect_info(&self) -> T::ConnectInfo {
        self.io.connect_info()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
