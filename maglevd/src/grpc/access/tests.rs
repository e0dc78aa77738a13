//! Who may change things, and what is kept of who they are.

use tokio::net::UnixStream;
use tonic::Code;
use tonic::transport::server::Connected;

use super::*;

fn over_tcp(from: &str) -> Request<()> {
    let mut request = Request::new(());
    let remote_addr = Some(from.parse().unwrap());
    request.extensions_mut().insert(TcpConnectInfo { local_addr: None, remote_addr });
    request
}

fn over_unix() -> Request<()> {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let mut request = Request::new(());
    request.extensions_mut().insert(ours.connect_info());
    request
}

#[test]
fn loopback_may_change_things() {
    for (from, by) in [
        ("127.0.0.1:1", "127.0.0.1"),
        ("127.1.2.3:1", "127.1.2.3"),
        ("[::1]:1", "::1"),
        // As it arrives on a dual-stack socket.
        ("[::ffff:127.0.0.1]:1", "127.0.0.1"),
    ] {
        assert_eq!(admit(&over_tcp(from), "").unwrap(), by);
    }
}

#[test]
fn others_over_tcp_are_told_how_to_get_in() {
    for (from, by) in [
        ("192.0.2.1:1", "192.0.2.1"),
        ("[2001:db8::1]:1", "2001:db8::1"),
        ("[::ffff:192.0.2.1]:1", "192.0.2.1"),
        ("0.0.0.0:1", "0.0.0.0"),
        // An IPv4-compatible address, which is not loopback and never was.
        ("[::127.0.0.1]:1", "::7f00:1"),
    ] {
        let status = admit(&over_tcp(from), "root").unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
        assert_eq!(
            status.message(),
            format!(
                "changes are not taken from {by} over plain TCP: run maglevc on the host of maglevd, or give maglevd \
                 a --grpc-addr unix:/path and connect to that"
            )
        );
    }
}

#[test]
fn a_call_from_nowhere_is_refused() {
    assert_eq!(admit(&Request::new(()), "").unwrap_err().code(), Code::PermissionDenied);
    let mut request = Request::new(());
    request.extensions_mut().insert(TcpConnectInfo { local_addr: None, remote_addr: None });
    assert_eq!(admit(&request, "").unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_unix_socket_tells_the_user_id_whatever_the_client_claims() {
    let uid = nix::unistd::getuid();
    assert_eq!(admit(&over_unix(), "").unwrap(), format!("uid {uid} on a Unix socket"));
    assert_eq!(admit(&over_unix(), " alice ").unwrap(), format!("alice (uid {uid} on a Unix socket)"));
}

#[test]
fn words_have_an_end_and_one_line() {
    let loopback = over_tcp("127.0.0.1:1");
    assert_eq!(admit(&loopback, &"x".repeat(128)).unwrap().len(), 128 + " (127.0.0.1)".len());
    let status = admit(&loopback, &"x".repeat(129)).unwrap_err();
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
    for text in ["two\nlines", "\u{1b}[31mred", "nul\0"] {
        let status = reason(text).unwrap_err();
        assert_eq!(status.message(), "reason is one line of text without control characters");
    }
}
