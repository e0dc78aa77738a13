//! Probe types of an embedder: they get sockets and a deadline, and nothing they do gets out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use maglev_core::check::{CustomSpec, ProbeSpec};
use maglev_core::outcome::{Code, Outcome};
use maglev_probe::{Context, Finding, Probe, Prober, Probing};
use tokio::io::AsyncReadExt;

use support::*;

/// Expects an FTP-like greeting, whose beginning is a parameter.
struct Greeting;

impl Probe for Greeting {
    fn probe<'a>(&'a self, context: &'a mut Context<'_>) -> Probing<'a> {
        Box::pin(async move {
            let ProbeSpec::Custom(spec) = context.target().spec else {
                return Err(Finding::local("not a custom check"));
            };
            let port = spec.port.ok_or_else(|| Finding::local("a greeting check needs a port"))?;
            let wanted = spec.params.get("expect").map_or("220", String::as_str);
            let mut stream = context.connect_tcp(port).await?;
            context.asking();
            context.waiting_for(Code::L7Tout, "no greeting");
            let mut greeting = vec![0; wanted.len()];
            match stream.read_exact(&mut greeting).await {
                Ok(_) if greeting == wanted.as_bytes() => Ok(Finding::new(Code::L7Ok, "got the greeting")),
                Ok(_) => Err(Finding::new(Code::L7Rsp, "got another greeting")),
                Err(_) => Err(Finding::new(Code::L7Rsp, "the server hung up")),
            }
        })
    }
}

/// Asks for an echo over UDP.
struct UdpEcho;

impl Probe for UdpEcho {
    fn probe<'a>(&'a self, context: &'a mut Context<'_>) -> Probing<'a> {
        Box::pin(async move {
            let port = context.target().spec.port().unwrap();
            let socket = context.connect_udp(port).await?;
            context.asking();
            let lost = |_| Finding::new(Code::L4Con, "the port is closed");
            socket.send(b"ping").await.map_err(lost)?;
            socket.recv(&mut [0; 16]).await.map_err(lost)?;
            Ok(Finding::new(Code::L7Ok, "got an echo"))
        })
    }
}

/// Panics at one moment or another.
enum Panics {
    AtStart,
    Underway,
    WhenDropped,
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

impl Probe for Panics {
    fn probe<'a>(&'a self, _context: &'a mut Context<'_>) -> Probing<'a> {
        match self {
            Panics::AtStart => panic!("at the start"),
            Panics::Underway => Box::pin(async { panic!("with\n{}", "x".repeat(9000)) }),
            Panics::WhenDropped => Box::pin(async {
                let _bomb = Bomb;
                std::future::pending().await
            }),
        }
    }
}

fn prober() -> Prober {
    Prober::builder()
        .register("greeting", Greeting)
        .register("udp-echo", UdpEcho)
        .register("panics-at-start", Panics::AtStart)
        .register("panics-underway", Panics::Underway)
        .register("panics-when-dropped", Panics::WhenDropped)
        .build()
}

fn custom(kind: &str, port: u16, params: &[(&str, &str)]) -> ProbeSpec {
    let params: BTreeMap<_, _> = params.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    ProbeSpec::Custom(CustomSpec { kind: kind.to_owned(), port: Some(port), params })
}

#[tokio::test]
async fn a_registered_type_is_run_with_its_parameters() {
    let connected = r"connected to 127\.0\.0\.1:\d+ in [\d.]+ m?s, ";
    for (what, steps, params, code, detail) in [
        ("the default", vec![send("220 hello\r\n")], &[][..], Code::L7Ok, "got the greeting"),
        ("a parameter", vec![send("+OK\r\n")], &[("expect", "+OK")][..], Code::L7Ok, "got the greeting"),
        ("another", vec![send("500 no\r\n")], &[][..], Code::L7Rsp, "got another greeting"),
        ("none", vec![], &[][..], Code::L7Rsp, "the server hung up"),
        ("silence", vec![Step::Hang], &[][..], Code::L7Tout, "no greeting within 300 ms"),
    ] {
        let server = Server::start("127.0.0.1:0", steps).await;
        let spec = custom("greeting", server.address.port(), params);
        let timeout = if code == Code::L7Tout { HASTY } else { PATIENT };
        let outcome = run(&prober(), server.address, &spec, timeout).await;
        expect(what, &outcome, code, &format!("{connected}{detail}"));
        assert!(outcome.timings.connect.is_some() && outcome.timings.response.is_some(), "{what}");
    }
}

#[tokio::test]
async fn udp_is_there_too() {
    let server = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let spec = custom("udp-echo", address.port(), &[]);
    let silent = run(&prober(), address, &spec, HASTY).await;
    expect("silence", &silent, Code::L7Tout, r"no answer from 127\.0\.0\.1:\d+ within 300 ms");
    tokio::spawn(async move {
        let mut buffer = [0; 16];
        loop {
            let (len, peer) = server.recv_from(&mut buffer).await.unwrap();
            server.send_to(&buffer[..len], peer).await.unwrap();
        }
    });
    expect("an echo", &run(&prober(), address, &spec, PATIENT).await, Code::L7Ok, "got an echo");
}

async fn panicking(kind: &str) -> Outcome {
    run(&prober(), SocketAddr::from(([127, 0, 0, 1], 9)), &custom(kind, 9, &[]), HASTY).await
}

#[tokio::test]
async fn a_panic_is_an_outcome_that_drains_nobody() {
    let at_start = panicking("panics-at-start").await;
    expect("at start", &at_start, Code::SockErr, r#"the probe panicked: "at the start""#);
    let underway = panicking("panics-underway").await;
    expect("underway", &underway, Code::SockErr, r#"the probe panicked: "with\\nx{55}…""#);
    let dropped = panicking("panics-when-dropped").await;
    expect("in drop", &dropped, Code::SockErr, "the probe did nothing within 300 ms");
}

#[tokio::test]
async fn a_type_nobody_registered_is_our_fault() {
    let outcome = panicking("no-such").await;
    expect("unregistered", &outcome, Code::SockErr, r#"no probe of type "no-such" is registered"#);
}
