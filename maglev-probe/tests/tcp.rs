//! The tcp probe, and how any probe ends that gets no connection.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use maglev_core::check::ProbeSpec;
use maglev_core::outcome::{Code, Verdict};
use maglev_probe::Prober;
use tokio::net::TcpStream;

use support::*;

fn tcp(port: u16) -> ProbeSpec {
    ProbeSpec::Tcp { port, tls: None }
}

#[tokio::test]
async fn a_listener_is_connected_to() {
    for (bind, peer) in [("127.0.0.1:0", r"127\.0\.0\.1"), ("[::1]:0", r"\[::1\]")] {
        let listener = listen(bind);
        let address = listener.local_addr().unwrap();
        let outcome = run(&Prober::new(), address, &tcp(address.port()), PATIENT).await;
        expect(bind, &outcome, Code::L4Ok, &format!(r"connected to {peer}:{} in [\d.]+ m?s", address.port()));
        assert!(outcome.timings.connect.is_some());
        assert_eq!(outcome.timings.response, None);
    }
}

#[tokio::test]
async fn a_closed_port_refuses() {
    for bind in ["127.0.0.1:0", "[::1]:0"] {
        // Bound and not listening: the port is nobody else's, and closed.
        let bound: SocketAddr = bind.parse().unwrap();
        let socket =
            socket2::Socket::new(socket2::Domain::for_address(bound), socket2::Type::STREAM, None).unwrap();
        socket.bind(&bound.into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let outcome = run(&Prober::new(), address, &tcp(address.port()), PATIENT).await;
        let detail =
            format!(r"connection to {} refused after [\d.]+ m?s", regex::escape(&address.to_string()));
        expect(bind, &outcome, Code::L4Con, &detail);
        assert_eq!(outcome.timings.connect, None);
    }
}

#[tokio::test]
async fn a_full_backlog_times_out() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    // Connections that nobody accepts, until the kernel takes no more.
    let mut held = Vec::new();
    while let Ok(stream) = tokio::time::timeout(HASTY, TcpStream::connect(address)).await {
        held.push(stream.unwrap());
        assert!(held.len() < 16, "the backlog never fills");
    }
    for spec in [tcp(address.port()), http(address.port(), get())] {
        let outcome = run(&Prober::new(), address, &spec, HASTY).await;
        let detail = format!("no connection to {} within 300 ms", regex::escape(&address.to_string()));
        expect("full backlog", &outcome, Code::L4Tout, &detail);
        assert!((HASTY..HASTY + MARGIN).contains(&outcome.timings.total), "{outcome:?}");
    }
}

#[tokio::test]
async fn the_application_never_sees_a_plain_connection() {
    let listener = listen("127.0.0.1:0");
    let address = listener.local_addr().unwrap();
    let prober = Prober::new();
    for _ in 0..20 {
        let outcome = run(&prober, address, &tcp(address.port()), PATIENT).await;
        assert_eq!(outcome.verdict(), Verdict::Pass, "{outcome:?}");
    }
    let real = TcpStream::connect(address).await.unwrap();
    let (_, first) = listener.accept().await.unwrap();
    assert_eq!(first, real.local_addr().unwrap(), "a probe was accepted before the first real client");
}

#[tokio::test]
async fn no_time_at_all_is_a_timeout_and_endless_time_is_fine() {
    let listener = listen("127.0.0.1:0");
    let address = listener.local_addr().unwrap();
    let endless = run(&Prober::new(), address, &tcp(address.port()), Duration::MAX).await;
    assert_eq!(endless.code, Code::L4Ok);
    let none = run(&Prober::new(), address, &http(address.port(), get()), Duration::ZERO).await;
    assert!(matches!(none.code, Code::L4Tout | Code::L7Tout), "{none:?}");
}
