//! A process that does not run for a while: its thread is blocked here, as SIGSTOP or a CPU quota would do it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]
#![expect(clippy::disallowed_methods, reason = "a thread that sleeps is the stall under test")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use maglev_core::outcome::{Code, Outcome};
use maglev_probe::{Prober, Target};

use support::{get, http};

const TIMEOUT: Duration = Duration::from_millis(300);

/// A server with threads of its own that answers each request after `delay`; without an answer it closes.
fn serve(answer: Option<&'static str>, delay: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request);
                std::thread::sleep(delay);
                if let Some(answer) = answer {
                    let _ = stream.write_all(answer.as_bytes());
                }
            });
        }
    });
    address
}

/// Probes while the only thread of the runtime is blocked for `stall` as soon as the request was sent.
fn probe(address: SocketAddr, stall: Duration) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let prober = Prober::new();
        let probe = tokio::spawn(async move {
            let spec = http(address.port(), get());
            prober.run(&Target { address: address.ip(), source: None, spec: &spec }, TIMEOUT).await
        });
        tokio::time::sleep(Duration::from_millis(30)).await;
        std::thread::sleep(stall);
        probe.await.unwrap()
    })
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const UNAVAILABLE: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
const REQUEST_TIMEOUT: &str = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";

#[test]
fn answer_that_came_during_a_stall_is_read() {
    let outcome = probe(serve(Some(OK), ms(50)), ms(1000));
    assert_eq!(outcome.code, Code::L7Ok, "{outcome:?}");
}

#[test]
fn answer_that_comes_after_a_stall_in_time_is_read() {
    // 250 of 300 ms are lost; the server takes 310 ms since the start, of which it has 60 with us.
    let outcome = probe(serve(Some(OK), ms(350)), ms(250));
    assert_eq!(outcome.code, Code::L7Ok, "{outcome:?}");
}

#[test]
fn dead_server_is_found_although_we_stalled() {
    let outcome = probe(serve(Some(OK), ms(60_000)), ms(200));
    assert_eq!(outcome.code, Code::L7Tout, "{outcome:?}");
}

#[test]
fn timeout_after_a_long_stall_says_nothing() {
    let outcome = probe(serve(Some(OK), ms(60_000)), ms(1000));
    assert_eq!(outcome.code, Code::Stalled, "{outcome:?}");
    assert!(outcome.detail.contains("maglevd did not run for"), "{outcome:?}");
}

#[test]
fn connection_closed_during_a_stall_says_nothing() {
    let outcome = probe(serve(None, ms(50)), ms(1000));
    assert_eq!(outcome.code, Code::Stalled, "{outcome:?}");
    let outcome = probe(serve(Some(REQUEST_TIMEOUT), ms(50)), ms(1000));
    assert_eq!(outcome.code, Code::Stalled, "{outcome:?}");
}

#[test]
fn unwanted_status_during_a_stall_is_a_failure() {
    let outcome = probe(serve(Some(UNAVAILABLE), ms(50)), ms(1000));
    assert_eq!(outcome.code, Code::L7Sts, "{outcome:?}");
}
