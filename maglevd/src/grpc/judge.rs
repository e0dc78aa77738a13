//! Edge. Before any call is carried out: who calls, what that needs, whether it may be. And after: what is kept of it.
//!
//! Everything that is served passes here, health and reflection too. A request is read whole, within a size and a time,
//! before its service sees any of it, so that a decision on what it asks can be made here and nowhere else.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::AUTHORIZATION;
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use crate::accept::Info;
use crate::access::{Access, Caller, Refusal, Scope};
use crate::audit::{Audit, Note, Record};
use crate::grpc::answer;
use crate::grpc::rules::{Asked, Rule, Shape};
use crate::places::{Call, Desk, TooManyCalls};

/// For a request to arrive whole.
const ARRIVAL: Duration = Duration::from_secs(10);

/// Puts a [`Judge`] before every service.
#[derive(Clone, Debug)]
pub(super) struct Judged(pub(super) Arc<Judge>);

/// Decides on calls.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) access: Access,
    pub(super) audit: Audit,
}

/// A service behind a judge.
#[derive(Clone, Debug)]
pub(super) struct Bench<S> {
    judge: Arc<Judge>,
    inner: S,
}

impl<S> Layer<S> for Judged {
    type Service = Bench<S>;

    fn layer(&self, inner: S) -> Bench<S> {
        Bench { judge: Arc::clone(&self.0), inner }
    }
}

type Response = http::Response<Body>;

impl<S> Service<http::Request<Body>> for Bench<S>
where
    S: Service<http::Request<Body>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let judge = Arc::clone(&self.judge);
        // The one that said it is ready goes, and a copy stays.
        let ready = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move { judge.hear(request, inner).await })
    }
}

/// A call that may be made.
struct Admitted {
    request: http::Request<Body>,
    call: Call,
    desk: Desk,
    /// For a change: what becomes its record, and where whoever makes it notes what it was.
    record: Option<(Record, Note)>,
}

impl Judge {
    async fn hear<S>(
        self: Arc<Self>,
        request: http::Request<Body>,
        mut inner: S,
    ) -> Result<Response, S::Error>
    where
        S: Service<http::Request<Body>, Response = Response> + Send + 'static,
        S::Future: Send,
        S::Error: Send,
    {
        let Admitted { request, call, desk, record } = match self.admit(request).await {
            Ok(admitted) => admitted,
            Err(status) => return Ok(status.into_http()),
        };
        let Some((record, note)) = record else {
            return Ok(answer::send(inner.call(request).await?, call, &desk));
        };
        // On a task of its own, so that what is begun is carried out and written down also when the caller goes away.
        let judge = Arc::clone(&self);
        let carried_out = tokio::spawn(async move {
            let response = inner.call(request).await?;
            let status = Status::from_header_map(response.headers());
            judge.audit.write(record.ended(status.filter(|s| s.code() != Code::Ok).as_ref(), &note)).await;
            Ok(answer::send(response, call, &desk))
        });
        // It panicked, and the log says where; or the daemon ends.
        carried_out.await.unwrap_or_else(|_| Ok(Status::internal("the call broke off").into_http()))
    }

    /// Judges a call.
    async fn admit(&self, request: http::Request<Body>) -> Result<Admitted, Status> {
        let path = request.uri().path();
        let Some(rule) = Rule::of(path) else {
            let path: String = path.chars().take(128).collect();
            return Err(Status::unimplemented(format!("maglevd has no call {path}")));
        };
        // Set by every listener of ours.
        let Some(info) = request.extensions().get::<Info>().cloned() else {
            return Err(Status::internal("it is not known where this call comes from"));
        };
        let busy = |TooManyCalls| {
            Status::resource_exhausted(
                "too many calls are in progress from this address or user, or in all: wait until some have ended",
            )
        };
        let call = info.desk.call(rule.shape != Shape::Unary, Instant::now()).map_err(busy)?;
        let refuse = |refusal: &Refusal| {
            self.access.denials().add(rule.call(), &info.peer.origin, refusal.reason);
            refusal.status()
        };

        let caller = self.access.caller(&info.peer, request.headers().get_all(AUTHORIZATION));
        let caller = match caller {
            Ok(caller) => caller,
            Err(refusal) => {
                let status = refuse(&refusal);
                self.keep_refusal(rule, &Caller::unknown(&info.peer), request.into_body(), &status).await;
                return Err(status);
            }
        };
        if caller.is_known() {
            info.desk.proved();
        }
        if let Err(refusal) = caller.permit(rule.least()) {
            let status = refuse(&refusal);
            self.keep_refusal(rule, &caller, request.into_body(), &status).await;
            return Err(status);
        }

        let (mut parts, body) = request.into_parts();
        let (body, record) = match rule.shape {
            Shape::Dialogue => (body, None),
            Shape::Unary | Shape::Watch => {
                let bytes = arrived(body, rule.limit(caller.permit(&Scope::Everything).is_ok())).await?;
                let Asked { scope, change } = asked(rule, &bytes)?;
                let record =
                    change.map(|(claimed, request)| Record::new(&caller, &claimed, rule.call(), request));
                if let Err(refusal) = caller.permit(&scope) {
                    let status = refuse(&refusal);
                    if let Some(record) = record {
                        self.audit.write(record.ended(Some(&status), &Note::default())).await;
                    }
                    return Err(status);
                }
                (Body::new(Full::new(bytes)), record)
            }
        };
        let note = Note::default();
        parts.extensions.insert(caller);
        parts.extensions.insert(note.clone());
        let record = record.map(|record| (record, note));
        Ok(Admitted { request: http::Request::from_parts(parts, body), call, desk: info.desk, record })
    }

    /// Writes down a change that was refused before anybody looked at what was asked.
    async fn keep_refusal(&self, rule: &Rule, caller: &Caller, body: Body, status: &Status) {
        if !rule.is_change() {
            return;
        }
        // What cannot be read was no change.
        if let Ok(bytes) = arrived(body, rule.limit(false)).await
            && let Ok(Asked { change: Some((claimed, request)), .. }) = asked(rule, &bytes)
        {
            let record = Record::new(caller, &claimed, rule.call(), request);
            self.audit.write(record.ended(Some(status), &Note::default())).await;
        }
    }
}

/// The bytes before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The whole body of a request. One that says that it is too large is refused before it is.
async fn arrived(body: Body, limit: usize) -> Result<Bytes, Status> {
    let read = tokio::time::timeout(ARRIVAL, read(body, limit)).await;
    read.unwrap_or_else(|_| {
        Err(Status::deadline_exceeded(format!("the request did not arrive within {ARRIVAL:?}")))
    })
}

async fn read(mut body: Body, limit: usize) -> Result<Bytes, Status> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Status::cancelled("the request broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        let fits = bytes.len() + data.len() <= limit + PREFIX;
        if fits {
            bytes.extend_from_slice(&data);
        }
        if !fits || declared(&bytes).is_some_and(|declared| declared > limit) {
            let words = format!("a request like this has at most {limit} bytes");
            return Err(Status::resource_exhausted(words));
        }
    }
    Ok(bytes.freeze())
}

/// The length that a message says it has.
fn declared(body: &[u8]) -> Option<usize> {
    let (prefix, _) = body.split_first_chunk::<PREFIX>()?;
    let [_, length @ ..] = *prefix;
    usize::try_from(u32::from_be_bytes(length)).ok()
}

/// What is asked with the one message of a body.
fn asked(rule: &Rule, body: &Bytes) -> Result<Asked, Status> {
    let invalid = || Status::invalid_argument("a request has to be one whole gRPC message");
    let (prefix, message) = body.split_first_chunk::<PREFIX>().ok_or_else(invalid)?;
    let [compressed, ..] = *prefix;
    if compressed != 0 {
        return Err(Status::unimplemented("compressed messages are not taken"));
    }
    if declared(body) != Some(message.len()) {
        return Err(invalid());
    }
    rule.asked(message).map_err(|error| Status::invalid_argument(error.to_string()))
}

#[cfg(test)]
mod tests;
