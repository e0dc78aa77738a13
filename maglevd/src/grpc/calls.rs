//! Edge. How many calls of each kind there were, and how they ended.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::{HeaderMap, Request, Response};
use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::{Code, Status};
use tower::{Layer, Service};

/// A service and one of its methods.
type Method = (Arc<str>, Arc<str>);

/// What a call is counted as: its service, its method and its code.
type Kind = (Arc<str>, Arc<str>, &'static str);

/// What a call of something that is not there is counted as: peers choose that name, and there is no end to names.
const UNKNOWN: &str = "unknown";

/// Counts calls. Cheap to clone; all clones count together.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// By path.
    methods: Arc<BTreeMap<String, Method>>,
    counts: Arc<Mutex<BTreeMap<Kind, u64>>>,
}

impl Calls {
    /// Counts the calls of the services in these descriptors by name, and all others together.
    pub fn of(descriptors: &[&[u8]]) -> Self {
        let sets = descriptors.iter().filter_map(|bytes| FileDescriptorSet::decode(*bytes).ok());
        // A file that several sets bring along is there several times.
        let methods: BTreeSet<_> = sets
            .flat_map(|set| set.file)
            .flat_map(|file| {
                let package = file.package().to_owned();
                file.service
                    .into_iter()
                    .map(move |service| (format!("{package}.{}", service.name()), service))
            })
            .flat_map(|(name, service)| {
                service.method.into_iter().map(move |method| (name.clone(), method.name().to_owned()))
            })
            .collect();
        let methods: BTreeMap<String, Method> = methods
            .into_iter()
            .map(|(service, method)| (format!("/{service}/{method}"), (service.into(), method.into())))
            .collect();
        // There from the start, so that a rate over the first one is right.
        let counts = methods
            .values()
            .map(|(service, method)| ((Arc::clone(service), Arc::clone(method), code_name(Code::Ok)), 0))
            .collect();
        Calls { methods: Arc::new(methods), counts: Arc::new(Mutex::new(counts)) }
    }

    /// Every (service, method, code) with how many calls there were.
    pub fn counts(&self) -> Vec<(Kind, u64)> {
        self.lock().iter().map(|(kind, &count)| (kind.clone(), count)).collect()
    }

    fn begin(&self, path: &str) -> Call {
        let unknown = || (UNKNOWN.into(), UNKNOWN.into());
        let (service, method) = self.methods.get(path).cloned().unwrap_or_else(unknown);
        Call { calls: self.clone(), service, method, code: None }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Kind, u64>> {
        // Whoever panicked with it wrote whole values only.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way. It is counted when it is dropped, whichever way that comes about.
#[derive(Debug)]
struct Call {
    calls: Calls,
    service: Arc<str>,
    method: Arc<str>,
    code: Option<Code>,
}

impl Call {
    /// Takes the code where these headers or trailers have one.
    fn learn(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.code = Some(status.code());
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Whoever called went away before the end.
        let code = self.code.unwrap_or(Code::Cancelled);
        let kind = (Arc::clone(&self.service), Arc::clone(&self.method), code_name(code));
        *self.calls.lock().entry(kind).or_default() += 1;
    }
}

impl<S> Layer<S> for Calls {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { calls: self.clone(), inner }
    }
}

/// A service whose calls are counted.
#[derive(Clone, Debug)]
pub struct Counted<S> {
    calls: Calls,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = Response<CountedBody<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut call = self.calls.begin(request.uri().path());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            // One without a body has its code here, any other in its trailers.
            call.learn(response.headers());
            Ok(response.map(|body| CountedBody { body, call }))
        })
    }
}

/// The answer of a call that is counted when it ends.
#[derive(Debug)]
pub struct CountedBody<B> {
    body: B,
    call: Call,
}

impl<B: Body<Data = Bytes> + Unpin> Body for CountedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            self.call.learn(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The name of a code as gRPC writes it.
pub(crate) const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests;
