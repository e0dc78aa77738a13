//! What calls are counted as.

use std::convert::Infallible;

use http_body_util::{BodyExt, Empty, StreamBody};
use maglev_api::v1::FILE_DESCRIPTOR_SET;
use tower::ServiceExt;

use super::*;

type Piece = Result<Frame<Bytes>, Infallible>;
type Pieces = StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Piece>>>;

/// The answer to a call of `path`: the status in its headers, if it has one there, and its body.
async fn answered(
    calls: &Calls,
    path: &str,
    status: Option<&'static str>,
    body: Vec<Piece>,
) -> Response<CountedBody<Pieces>> {
    let mut response = Response::new(StreamBody::new(futures_util::stream::iter(body)));
    if let Some(status) = status {
        response.headers_mut().insert("grpc-status", status.parse().unwrap());
    }
    let mut once = Some(response);
    let service = tower::service_fn(|_: Request<Empty<Bytes>>| {
        std::future::ready(Ok::<_, Infallible>(once.take().unwrap()))
    });
    let request = Request::builder().uri(path).body(Empty::new()).unwrap();
    calls.layer(service).oneshot(request).await.unwrap()
}

fn counted(calls: &Calls) -> Vec<(String, u64)> {
    let counts = calls.counts().into_iter().filter(|(_, count)| *count > 0);
    counts.map(|((service, method, code), count)| (format!("{service} {method} {code}"), count)).collect()
}

fn data(text: &'static str) -> Piece {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn trailers(status: &str) -> Piece {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", status.parse().unwrap());
    Ok(Frame::trailers(trailers))
}

const PATH: &str = "/maglev.v1.Maglev/ListBackends";

#[tokio::test]
async fn a_call_is_counted_when_its_answer_ends() {
    let calls = Calls::of(&[FILE_DESCRIPTOR_SET]);
    let response = answered(&calls, PATH, None, vec![data("some"), data("more"), trailers("0")]).await;
    assert_eq!(counted(&calls), [], "it is under way");

    let body = response.into_body().collect().await.unwrap();

    assert_eq!(body.to_bytes(), "somemore");
    assert_eq!(counted(&calls), [("maglev.v1.Maglev ListBackends OK".to_owned(), 1)]);
}

#[tokio::test]
async fn a_refusal_has_its_code_in_its_headers() {
    let calls = Calls::of(&[FILE_DESCRIPTOR_SET]);
    for _ in 0..2 {
        drop(answered(&calls, PATH, Some("7"), Vec::new()).await);
    }
    assert_eq!(counted(&calls), [("maglev.v1.Maglev ListBackends PERMISSION_DENIED".to_owned(), 2)]);
}

#[tokio::test]
async fn who_goes_away_has_cancelled() {
    let calls = Calls::of(&[FILE_DESCRIPTOR_SET]);
    let watch = "/maglev.v1.Maglev/WatchEvents";
    let mut response = answered(&calls, watch, None, vec![data("one"), data("two"), trailers("0")]).await;
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    assert_eq!(counted(&calls), [("maglev.v1.Maglev WatchEvents CANCELLED".to_owned(), 1)]);
}

#[tokio::test]
async fn names_that_peers_make_up_are_counted_together() {
    let calls = Calls::of(&[FILE_DESCRIPTOR_SET]);
    for path in ["/", "/maglev.v1.Maglev/Nothing", "/nobody.knows/ThisOne", "/maglev.v1.Maglev/ListBackends/"]
    {
        drop(answered(&calls, path, Some("12"), Vec::new()).await);
    }
    assert_eq!(counted(&calls), [("unknown unknown UNIMPLEMENTED".to_owned(), 4)]);
}

#[test]
fn every_method_is_there_from_the_start() {
    let counts = Calls::of(&[FILE_DESCRIPTOR_SET, FILE_DESCRIPTOR_SET]).counts();
    let found = |method: &str| {
        counts.iter().filter(|((_, name, code), _)| (&**name, *code) == (method, "OK")).count()
    };
    assert_eq!((found("ListBackends"), found("PauseBackend"), found("unknown")), (1, 1, 0));
    assert!(counts.iter().all(|(_, count)| *count == 0));
}
