//! Edge. A small HTTP server for `/metrics`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::listen::Listener;
use crate::metrics::Metrics;

/// Connections served at once. A Prometheus or two, and an operator with curl.
const CONNECTIONS: usize = 32;

/// For a request to arrive whole; a peer that takes longer is not a scraper.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// For a connection as a whole, so that a peer that does not read its answer makes room again. Prometheus waits 10
/// seconds by default.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long to rest when no connection can be accepted, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves metrics on a listener until `stop`.
pub async fn serve(listener: Listener, metrics: Arc<Metrics>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = accept(&listener) => accepted,
        };
        let io = match accepted {
            Ok(io) => io,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection for metrics");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (metrics, stop) = (Arc::clone(&metrics), stop.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                // Kept from one scrape to the next, a few idle connections would be all there may be.
                .keep_alive(false)
                .serve_connection(TokioIo::new(io), service_fn(|request| answer(request, &metrics)));
            // A peer that breaks off is no concern of ours.
            tokio::select! {
                () = stop.cancelled() => {}
                _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection) => {}
            }
            drop(place);
        });
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn accept(listener: &Listener) -> std::io::Result<Box<dyn Stream>> {
    Ok(match listener {
        Listener::Tcp(listener) => Box::new(listener.accept().await?.0),
        Listener::Unix(listener) => Box::new(listener.accept().await?.0),
    })
}

async fn answer(
    request: Request<Incoming>,
    metrics: &Arc<Metrics>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => match metrics.render().await {
            Ok(text) => {
                let mut response = Response::new(Full::from(text));
                let kind =
                    hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            Err(stopped) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{stopped}\n")),
        },
        (&Method::GET | &Method::HEAD, "/") => plain(StatusCode::OK, "maglevd: see /metrics\n".to_owned()),
        (_, "/" | "/metrics") => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
            response.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
            response
        }
        _ => plain(StatusCode::NOT_FOUND, "there is only /metrics here\n".to_owned()),
    };
    if request.method() == Method::HEAD {
        *response.body_mut() = Full::default();
    }
    Ok(response)
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}
