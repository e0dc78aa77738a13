//! Edge. A small HTTP server for `/metrics`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::accept::Connection;
use crate::access::Tokens;
use crate::answers::holding;
use crate::metrics::Metrics;
use crate::peer::{Peer, Security};
use crate::places::{Desk, Limits};

/// A Prometheus or two, and an operator with curl.
pub const LIMITS: Limits = Limits { room: 32, source: 16, calls: 32, calls_of_source: 16 };

/// For a request to arrive whole; a peer that takes longer is not a scraper.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// For a connection as a whole, so that a peer that does not read its answer makes room again. Prometheus waits 10
/// seconds by default.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// What is read at most before a request is understood.
const HEADERS: usize = 16 << 10;

/// Serves metrics on connections until `stop`. With `tokens`, to those only who have one.
pub async fn serve(
    mut connections: mpsc::Receiver<Connection>,
    metrics: Arc<Metrics>,
    tokens: Option<Tokens>,
    stop: CancellationToken,
) {
    loop {
        let connection = tokio::select! {
            () = stop.cancelled() => return,
            connection = connections.recv() => connection,
        };
        let Some(connection) = connection else { return };
        let (metrics, tokens, stop) = (Arc::clone(&metrics), tokens.clone(), stop.clone());
        tokio::spawn(async move {
            let (peer, desk) = (Arc::clone(connection.peer()), connection.info().desk);
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .max_buf_size(HEADERS)
                // Kept from one scrape to the next, a few idle connections would be all there may be.
                .keep_alive(false)
                .serve_connection(
                    TokioIo::new(connection),
                    service_fn(|request| async {
                        // It is at work until there is an answer. Who does not take it makes room for others like one that
                        // is idle.
                        let call = desk.call(false, Instant::now());
                        let answer = match call {
                            Ok(_call) => answer(request, &peer, &metrics, tokens.as_ref(), &desk).await,
                            Err(_) => plain(StatusCode::TOO_MANY_REQUESTS, "too many requests\n".to_owned()),
                        };
                        Ok::<_, Infallible>(answer)
                    }),
                );
            // A peer that breaks off is no concern of ours.
            tokio::select! {
                () = stop.cancelled() => {}
                _ = tokio::time::timeout(CONNECTION_TIMEOUT, served) => {}
            }
        });
    }
}

/// Refuses whoever may not know.
fn refusal(
    request: &Request<Incoming>,
    peer: &Peer,
    tokens: Option<&Tokens>,
) -> Option<Response<Full<Bytes>>> {
    if peer.security == Security::PlainInPlaceOfTls && !peer.origin.is_local() {
        let words = "this port speaks TLS: ask with https\n";
        return Some(plain(StatusCode::BAD_REQUEST, words.to_owned()));
    }
    let admitted = tokens.is_none_or(|tokens| tokens.admit(request.headers().get_all(AUTHORIZATION)));
    if admitted {
        return None;
    }
    let words = "metrics are shown to those who have a token: send it as `Authorization: Bearer`\n";
    let mut response = plain(StatusCode::UNAUTHORIZED, words.to_owned());
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"maglevd\""));
    Some(response)
}

async fn answer(
    request: Request<Incoming>,
    peer: &Peer,
    metrics: &Arc<Metrics>,
    tokens: Option<&Tokens>,
    desk: &Desk,
) -> Response<Full<Bytes>> {
    if let Some(refused) = refusal(&request, peer, tokens) {
        return refused;
    }
    let mut response = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => match metrics.render().await {
            Ok(text) => {
                let unread = text.give(desk.clone());
                let mut response = Response::new(Full::from(holding(text.bytes().clone(), unread)));
                let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            Err(error) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        },
        (&Method::GET | &Method::HEAD, "/") => plain(StatusCode::OK, "maglevd: see /metrics\n".to_owned()),
        (_, "/" | "/metrics") => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
        _ => plain(StatusCode::NOT_FOUND, "there is only /metrics here\n".to_owned()),
    };
    if request.method() == Method::HEAD {
        *response.body_mut() = Full::default();
    }
    response
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}
