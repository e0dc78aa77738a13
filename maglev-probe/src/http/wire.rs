//! Edge. A connection that ends when a server has sent more than any answer needs.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes read for one answer: 64 KiB each of header and body, and as much again for the framing of small
/// chunks. What it bounds is work: without it a server could send interim responses or chunks of one byte as fast as
/// we take them apart.
const MAX_ANSWER: usize = 256 * 1024;

/// The server has sent more than [`MAX_ANSWER`].
#[derive(Debug, thiserror::Error)]
#[error("the answer goes on after {} KiB", MAX_ANSWER >> 10)]
pub(super) struct Endless;

/// A stream of which only so much is read.
pub(super) struct Wire<S> {
    stream: S,
    left: usize,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Wire { stream, left: MAX_ANSWER }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other(Endless)));
        }
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buf);
        // More than is left may come with the last read: the bound need not be exact.
        self.left = self.left.saturating_sub(buf.filled().len() - before);
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
