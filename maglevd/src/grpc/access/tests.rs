//! What is kept of who asks and why.

use tonic::Code;

use super::*;
use crate::access::Access;
use crate::peer::{Origin, Peer, Security};

fn over_loopback() -> Request<()> {
    let peer = Peer { origin: Origin::tcp("127.0.0.1:1".parse().unwrap()), security: Security::Plain };
    let access = Access::new(None, maglev_core::access::Access::default());
    let mut request = Request::new(());
    request.extensions_mut().insert(access.caller(&peer, []).unwrap());
    request
}

#[test]
fn a_call_that_nobody_judged_is_refused() {
    assert_eq!(by(&Request::new(()), "root").unwrap_err().code(), Code::Internal);
}

#[test]
fn the_name_a_client_gives_is_kept_beside_what_is_known() {
    assert_eq!(by(&over_loopback(), "").unwrap(), "127.0.0.1");
    assert_eq!(by(&over_loopback(), " alice ").unwrap(), "alice (127.0.0.1)");
}

#[test]
fn words_have_an_end_and_one_line() {
    let loopback = over_loopback();
    assert_eq!(by(&loopback, &"x".repeat(128)).unwrap().len(), 128 + " (127.0.0.1)".len());
    let status = by(&loopback, &"x".repeat(129)).unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::InvalidArgument, "by has at most 128 bytes, not 129")
    );

    assert_eq!(reason(" deploy 7 ").unwrap(), "deploy 7");
    assert_eq!(reason(&"é".repeat(512)).unwrap().len(), 1024);
    let status = reason(&"x".repeat(1025)).unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::InvalidArgument, "reason has at most 1024 bytes, not 1025")
    );
    for (text, found) in [
        ("two\nlines", "U+000A"),
        ("\u{1b}[31mred", "U+001B"),
        ("nul\0", "U+0000"),
        ("reversed \u{202e}txet", "U+202E"),
        ("hidden\u{200b}", "U+200B"),
        ("two\u{2028}lines", "U+2028"),
    ] {
        let expected = format!(
            "reason is one line of text without control characters and invisible ones: {found} cannot stand in it"
        );
        assert_eq!(reason(text).unwrap_err().message(), expected);
        assert_eq!(by(&loopback, text).unwrap_err().code(), Code::InvalidArgument);
    }
}
