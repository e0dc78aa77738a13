//! What is taken for one whole message, and what is not.

use tokio_stream::StreamExt;

use super::*;

fn said(body: &[u8]) -> Code {
    let rule = Rule::of("/maglev.v1.Maglev/GetVersion").unwrap();
    asked(rule, &Bytes::copy_from_slice(body)).map_or_else(|status| status.code(), |_| Code::Ok)
}

#[test]
fn a_body_is_one_whole_message() {
    assert_eq!(said(&[0, 0, 0, 0, 0]), Code::Ok);
    assert_eq!(said(&[0, 0, 0, 0, 2, 8, 1]), Code::Ok);
    for wrong in [&[][..], &[0, 0, 0, 0], &[0, 0, 0, 0, 1], &[0, 0, 0, 0, 0, 0], &[0, 0x40, 0, 0, 0, 1]] {
        assert_eq!(said(wrong), Code::InvalidArgument, "{wrong:?}");
    }
    assert_eq!(said(&[1, 0, 0, 0, 0]), Code::Unimplemented, "compressed");
}

#[tokio::test]
async fn a_body_has_a_size_and_a_time() {
    let body = |bytes: usize| Body::new(Full::new(Bytes::from(vec![0; bytes])));
    assert_eq!(arrived(body(16 + PREFIX), 16).await.unwrap().len(), 16 + PREFIX);
    let status = arrived(body(17 + PREFIX), 16).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.message(), "a request like this has at most 16 bytes");
}

#[tokio::test(start_paused = true)]
async fn one_that_says_that_it_is_too_large_is_refused_at_once() {
    let first = Ok::<_, Status>(hyper::body::Frame::data(Bytes::from_static(&[0, 0x40, 0, 0, 0])));
    let rest = tokio_stream::once(first).chain(tokio_stream::pending());
    let status = arrived(Body::new(http_body_util::StreamBody::new(rest)), 16).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_not_waited_for() {
    let never =
        http_body_util::StreamBody::new(tokio_stream::pending::<Result<hyper::body::Frame<Bytes>, Status>>());
    let status = arrived(Body::new(never), 16).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}
