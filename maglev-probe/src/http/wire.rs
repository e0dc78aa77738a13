//! Edge. A connection on which a request goes out while the answer comes in: a server may answer before it has read
//! anything, and close.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// For one read: more than most answers.
const BUFFER: usize = 16 * 1024;

/// A read of fewer bytes is a small one.
const SMALL: usize = 512;

/// How many small reads are made as soon as they can be. An answer that is well has a few.
const SMALL_READS: u32 = 64;

/// Between reads after that, so that a server that trickles cannot make work with each byte: what arrives meanwhile is
/// read in one go.
const PAUSE: Duration = Duration::from_millis(5);

/// What came from the peer.
pub(super) enum Received<'w> {
    /// Bytes, at least one.
    Bytes(&'w [u8]),
    /// The end, with the error that reading or writing met.
    End(Option<io::Error>),
}

/// A connection with a request to be written.
pub(super) struct Wire<'r, S> {
    stream: S,
    unsent: &'r [u8],
    /// Why the rest of the request could not be written. It only counts if there is no answer.
    unwritten: Option<io::Error>,
    buffer: Vec<u8>,
    small_reads: u32,
}

impl<'r, S: AsyncRead + AsyncWrite + Unpin> Wire<'r, S> {
    pub(super) fn new(stream: S, request: &'r [u8]) -> Self {
        Wire { stream, unsent: request, unwritten: None, buffer: vec![0; BUFFER], small_reads: 0 }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    /// Waits for the next bytes, and writes meanwhile.
    ///
    /// Dropping the future is safe: nothing that was read is lost.
    pub(super) async fn receive(&mut self) -> Received<'_> {
        if self.small_reads > SMALL_READS {
            tokio::time::sleep(PAUSE).await;
        }
        match std::future::poll_fn(|cx| self.poll(cx)).await {
            Ok(0) => Received::End(self.unwritten.take()),
            Ok(read) => {
                self.small_reads += u32::from(read < SMALL);
                Received::Bytes(self.buffer.get(..read).unwrap_or_default())
            }
            Err(error) => Received::End(Some(error)),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while !self.unsent.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, self.unsent) {
                Poll::Ready(Ok(0)) => self.give_up_writing(io::ErrorKind::BrokenPipe.into()),
                Poll::Ready(Ok(written)) => self.unsent = self.unsent.get(written..).unwrap_or_default(),
                Poll::Ready(Err(error)) => self.give_up_writing(error),
                Poll::Pending => break,
            }
        }
        if self.unwritten.is_none()
            && let Poll::Ready(Err(error)) = Pin::new(&mut self.stream).poll_flush(cx)
        {
            self.give_up_writing(error);
        }
        let mut buffer = ReadBuf::new(&mut self.buffer);
        Pin::new(&mut self.stream).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
    }

    fn give_up_writing(&mut self, error: io::Error) {
        self.unsent = &[];
        self.unwritten = Some(error);
    }
}
