//! Edge. The http and https probes: one request on a connection of its own, and as much of the answer as it takes.

mod answer;
mod failure;
mod request;
mod wire;

use std::io;

use maglev_core::check::{BodyPattern, HttpSpec, TlsSpec};
use maglev_core::outcome::Code;
use tokio::io::{AsyncRead, AsyncWrite};

use self::answer::{Answer, Head};
use self::failure::failure;
use self::wire::{Received, Wire};
use crate::context::part;
use crate::text::Quoted;
use crate::{Context, Finding, Probe, Probing};

/// Reads arbitrary bytes as an answer, at once and in pieces. Public for fuzzing only.
#[doc(hidden)]
pub fn fuzz_answer(bytes: &[u8]) {
    let Some((&flags, bytes)) = bytes.split_first() else { return };
    let (to_head, piece) = (flags & 1 == 1, usize::from(flags >> 1).max(1));
    let (mut whole, mut pieces) = (Answer::new(to_head), Answer::new(to_head));
    let at_once = whole.read(bytes);
    let in_pieces = bytes.chunks(piece).try_for_each(|piece| pieces.read(piece));
    assert_eq!(at_once, in_pieces, "the pieces matter");
    if at_once.is_ok() {
        assert_eq!((whole.head(), whole.body()), (pieces.head(), pieces.body()), "the pieces matter");
        assert_eq!(whole.is_complete(), pieces.is_complete(), "the pieces matter");
    }
    assert!(whole.body().len() <= answer::MAX_BODY, "the body is not bounded");
}

/// Sends one request and judges the answer. Redirects are answers like any other.
/// The status of a server that waited too long for our request.
const REQUEST_TIMEOUT: u16 = 408;

pub(crate) struct HttpProbe<'s> {
    pub(crate) port: u16,
    pub(crate) tls: Option<&'s TlsSpec>,
    pub(crate) request: &'s HttpSpec,
}

impl Probe for HttpProbe<'_> {
    fn probe<'a>(&'a self, context: &'a mut Context<'_>) -> Probing<'a> {
        Box::pin(async move {
            let address = context.target().address;
            let secure = self.tls.is_some();
            let request = request::build(self.request, address, self.port, secure, context.user_agent())?;
            let Some(spec) = self.tls else {
                let stream = context.connect_tcp(self.port).await?;
                return exchange(context, stream, &request, self.request).await;
            };
            let client = context.prepare_tls(spec, self.request.host.as_deref()).await?;
            let stream = context.connect_tcp(self.port).await?;
            let stream = context.start_tls(client, stream).await?;
            exchange(context, stream, &request, self.request).await
        })
    }
}

/// Sends `request`, judges the answer, and closes the connection.
async fn exchange<S>(
    context: &mut Context<'_>,
    stream: S,
    request: &[u8],
    wanted: &HttpSpec,
) -> Result<Finding, Finding>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    context.asking();
    context.waiting_for(Code::L7Tout, "no complete answer");
    let mut wire = Wire::new(stream, request);
    let result = receive(context, &mut wire, wanted).await;
    part(wire.into_inner()).await;
    result
}

/// Receives until the answer is decided. The status decides before the body, and without a pattern the body is not
/// waited for.
async fn receive<S>(
    context: &mut Context<'_>,
    wire: &mut Wire<'_, S>,
    wanted: &HttpSpec,
) -> Result<Finding, Finding>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut answer = Answer::new(wanted.method == "HEAD");
    let mut got = None;
    loop {
        let ended = match wire.receive().await {
            Received::Bytes(bytes) => answer
                .read(bytes)
                .map_err(|malformed| Finding::new(Code::L7Rsp, malformed.to_string()))
                .map(|()| false),
            Received::End(error) if answer.ends_with_connection() && is_end(error.as_ref()) => Ok(true),
            Received::End(error) => Err(failure(error.as_ref())),
        };
        if let (None, Some(head)) = (&got, answer.head()) {
            if head.status == REQUEST_TIMEOUT {
                context.answered_too_slow();
            }
            let status = judge_status(head, wanted)?;
            if wanted.body.is_none() {
                return Ok(Finding::new(Code::L7Ok, status));
            }
            context.waiting_for(Code::L7Tout, format!("{status}, the body did not end"));
            got = Some(status);
        }
        let ended = match (ended, &got) {
            (Ok(ended), _) => ended,
            (Err(failure), Some(got)) => {
                return Err(Finding::new(failure.code, format!("{got}, {}", failure.detail)));
            }
            (Err(failure), None) => return Err(failure),
        };
        if let (Some(got), Some(pattern), true) = (&got, &wanted.body, ended || answer.is_complete()) {
            return judge_body(&answer, pattern, got);
        }
    }
}

/// Whether a body that goes on until the connection ends has ended. A server that closes without having read the request
/// ends it by a reset, and many end TLS without a `close_notify`.
fn is_end(error: Option<&io::Error>) -> bool {
    error.is_none_or(|error| {
        let kinds = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
        kinds.contains(&error.kind())
    })
}

/// `got status 200` if the status is one of those wanted.
fn judge_status(head: &Head, wanted: &HttpSpec) -> Result<String, Finding> {
    let Head { status, location } = head;
    if wanted.status.contains(*status) {
        return Ok(format!("got status {status}"));
    }
    let location = location.as_ref().filter(|_| (300..400).contains(status));
    let location = location.map(|to| format!(" (a redirect to {})", Quoted(to))).unwrap_or_default();
    Err(Finding::new(Code::L7Sts, format!("got status {status}{location}, wanted {}", wanted.status)))
}

/// Whether the pattern is found. It is searched for once, in the whole body: a search of what is there each time that
/// more arrives would find `^ok$` in the first packet of a longer body, and lets a server that trickles use up a processor.
fn judge_body(answer: &Answer, pattern: &BodyPattern, got: &str) -> Result<Finding, Finding> {
    let body = answer.body();
    if pattern.is_match(body) {
        return Ok(Finding::new(Code::L7Ok, format!("{got}, the body matches")));
    }
    let what = if answer.is_cut() { "first 64 KiB of the body do" } else { "body does" };
    let begin =
        if body.is_empty() { "it is empty".to_owned() } else { format!("it begins {}", Quoted(body)) };
    let pattern = Quoted(pattern.as_str().as_bytes());
    Err(Finding::new(Code::L7Rsp, format!("{got}, the {what} not match {pattern}: {begin}")))
}
