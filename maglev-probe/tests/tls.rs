//! TLS: whom the probes trust, what they send, and what they say when it does not work.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/authority.rs"]
mod authority;
mod support;

use std::time::Duration;

use maglev_core::check::{HttpSpec, ProbeSpec, TlsSpec};
use maglev_core::outcome::Code;
use maglev_probe::Prober;
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, date_time_ymd};
use tokio::task::JoinSet;

use authority::{ANSWER, Authority, Identity, named, params, serve};
use support::*;

fn https(port: u16, tls: TlsSpec, request: HttpSpec) -> ProbeSpec {
    ProbeSpec::Http { port, tls: Some(tls), request }
}

const CONNECTED: &str = r"connected to (127\.0\.0\.1|\[::1\]):\d+ in [\d.]+ m?s, ";

struct Row {
    what: &'static str,
    identity: Identity,
    tls: TlsSpec,
    host: Option<&'static str>,
    /// What is wrong, or the server name that the server must see.
    wanted: Result<Option<&'static str>, &'static str>,
}

#[tokio::test]
async fn certificates_are_judged_and_names_are_sent() {
    let ca = Authority::new("ours");
    let stranger = Authority::new("stranger");
    let reborn = Authority::new("ours");
    let spec = ca.spec();
    let with_name = |name: &str| TlsSpec { server_name: Some(name.to_owned()), ..spec.clone() };
    let unverified = TlsSpec { verify: false, ..spec.clone() };
    let expired = || {
        let mut params = params("site.example");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2024, 1, 31);
        params
    };
    let early = {
        let mut params = params("site.example");
        params.not_before = date_time_ymd(2999, 1, 2);
        params.not_after = date_time_ymd(3000, 1, 1);
        params
    };
    let client_only = {
        let mut params = params("site.example");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params
    };
    let authority = {
        let mut params = params("site.example");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let row =
        |what, identity, tls: &TlsSpec, host, wanted| Row { what, identity, tls: tls.clone(), host, wanted };
    let rows = vec![
        // Names.
        row("the address by default", ca.issue(params("site.example")), &spec, None, Ok(None)),
        row(
            "the host",
            ca.issue(named("site.example")),
            &spec,
            Some("site.example"),
            Ok(Some("site.example")),
        ),
        row(
            "the host without port",
            ca.issue(named("site.example")),
            &spec,
            Some("site.example:8443"),
            Ok(Some("site.example")),
        ),
        row(
            "the server name before the host",
            ca.issue(named("tls.example")),
            &with_name("tls.example"),
            Some("site.example"),
            Ok(Some("tls.example")),
        ),
        row(
            "an address as server name",
            ca.issue(params("site.example")),
            &with_name("127.0.0.1"),
            Some("site.example"),
            Ok(None),
        ),
        row(
            "a wildcard",
            ca.issue(named("*.site.example")),
            &with_name("www.site.example"),
            None,
            Ok(Some("www.site.example")),
        ),
        row(
            "another name",
            ca.issue(named("other.example")),
            &with_name("site.example"),
            None,
            Err(r#"its certificate is for "other.example", not site.example"#),
        ),
        row(
            "no address in it",
            ca.issue(named("site.example")),
            &spec,
            None,
            Err(r#"its certificate is for "site.example", not (127\.0\.0\.1|::1)"#),
        ),
        // Validity and trust.
        row("expired", ca.issue(expired()), &spec, None, Err("its certificate expired on 2024-01-31")),
        row(
            "not valid yet",
            ca.issue(early),
            &spec,
            None,
            Err("its certificate is not valid before 2999-01-02"),
        ),
        row(
            "another authority",
            stranger.issue(params("site.example")),
            &spec,
            None,
            Err("its certificate is self-signed or by an issuer that is not trusted"),
        ),
        row(
            "an authority made anew",
            reborn.issue(params("site.example")),
            &spec,
            None,
            Err("its certificate is signed with another key than that of the authority of this name"),
        ),
        row(
            "self-signed",
            Identity::self_signed(params("site.example")),
            &spec,
            None,
            Err("its certificate is self-signed or by an issuer that is not trusted"),
        ),
        row("for clients", ca.issue(client_only), &spec, None, Err("its certificate is not for servers")),
        row(
            "an authority's own",
            ca.issue(authority),
            &spec,
            None,
            Err(r"its certificate is that of an authority \(CA:TRUE\), which cannot stand for a server"),
        ),
        // Without verifying, all of it is good, and the name is still sent.
        row("unverified, expired", ca.issue(expired()), &unverified, None, Ok(None)),
        row(
            "unverified, self-signed",
            Identity::self_signed(named("other.example")),
            &unverified,
            Some("site.example"),
            Ok(Some("site.example")),
        ),
    ];
    for bind in ["127.0.0.1:0", "[::1]:0"] {
        for row in &rows {
            let listener = listen(bind);
            let address = listener.local_addr().unwrap();
            let identity = Identity { cert: row.identity.cert.clone(), key: row.identity.key.clone_key() };
            let mut names = serve(listener, identity, rustls::ALL_VERSIONS);
            let request = HttpSpec { host: row.host.map(str::to_owned), ..get_body("^hi$") };
            let prober = Prober::new();
            let spec = https(address.port(), row.tls.clone(), request);
            let outcome = run(&prober, address, &spec, PATIENT).await;
            match row.wanted {
                Ok(name) => {
                    let whole = format!("{CONNECTED}TLS in [\\d.]+ m?s, got status 200, the body matches");
                    expect(row.what, &outcome, Code::L7Ok, &whole);
                    assert_eq!(names.recv().await.unwrap().as_deref(), name, "{}", row.what);
                    assert!(outcome.timings.tls.is_some(), "{}", row.what);
                }
                Err(why) => {
                    let whole = format!("{CONNECTED}no TLS session: {why}");
                    expect(row.what, &outcome, Code::L6Rsp, &whole);
                    assert!(outcome.timings.tls.is_none(), "{}", row.what);
                }
            }
        }
    }
}

#[tokio::test]
async fn tcp_with_tls_ends_at_the_session() {
    let ca = Authority::new("ours");
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let listener = listen("127.0.0.1:0");
        let address = listener.local_addr().unwrap();
        let mut names = serve(listener, ca.issue(params("site.example")), &[version]);
        let spec = ProbeSpec::Tcp { port: address.port(), tls: Some(ca.spec()) };
        let outcome = run(&Prober::new(), address, &spec, PATIENT).await;
        expect("tcp with tls", &outcome, Code::L6Ok, &format!("{CONNECTED}TLS in [\\d.]+ m?s"));
        assert_eq!(names.recv().await, Some(None));
    }
}

#[tokio::test]
async fn the_server_sees_a_clean_end() {
    let ca = Authority::new("ours");
    let identity = ca.issue(params("site.example"));
    let listener = listen("127.0.0.1:0");
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = identity.acceptor(rustls::ALL_VERSIONS).accept(stream).await.unwrap();
        act(&mut stream, &Step::Hang, &Default::default()).await
    });
    let spec = ProbeSpec::Tcp { port: address.port(), tls: Some(ca.spec()) };
    run(&Prober::new(), address, &spec, PATIENT).await;
    server.await.unwrap().expect("a close_notify");
}

#[tokio::test]
async fn sessions_that_fail_have_their_code_and_sentence() {
    use Step::*;
    let ca = Authority::new("ours");
    // A ServerHello's record header, and not the hello.
    let half_a_record = [0x16, 0x03, 0x03, 0x00, 0x50, 0x02];
    let alert = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];
    let rows = [
        ("silence", vec![Hang], Code::L6Tout, "no TLS session within 300 ms"),
        ("a close", vec![], Code::L6Rsp, "no TLS session: the server (closed|reset) the connection"),
        (
            "a close after the hello",
            vec![AwaitBytes],
            Code::L6Rsp,
            "no TLS session: the server reset the connection",
        ),
        ("a reset", vec![AwaitBytes, Reset], Code::L6Rsp, "no TLS session: the server reset the connection"),
        ("half a record", vec![send(half_a_record), Hang], Code::L6Tout, "no TLS session within 300 ms"),
        (
            "a reset in the handshake",
            vec![Drip(half_a_record.to_vec(), Duration::from_millis(5)), Reset],
            Code::L6Rsp,
            "no TLS session: the server reset the connection",
        ),
        (
            "a drip",
            vec![Drip(half_a_record.repeat(1000), Duration::from_millis(60))],
            Code::L6Tout,
            "no TLS session within 300 ms",
        ),
        (
            "plain HTTP",
            vec![send("HTTP/1.1 400 Bad Request\r\n\r\n"), Hang],
            Code::L6Rsp,
            "no TLS session: the server does not speak TLS on this port",
        ),
        (
            "SSH",
            vec![send("SSH-2.0-OpenSSH_9.2p1\r\n"), Hang],
            Code::L6Rsp,
            "no TLS session: the server does not speak TLS on this port",
        ),
        (
            "an alert",
            vec![send(alert), Hang],
            Code::L6Rsp,
            "no TLS session: the server ended it with the alert handshake_failure",
        ),
        ("a flood", vec![Flood(vec![0x16; 4096])], Code::L6Rsp, "no TLS session: the server does not .*"),
        (
            "a flood of good records",
            vec![Flood([&[0x16, 3, 3, 0x10, 0, 2, 0, 0xff, 0xff][..], &[0; 4092]].concat())],
            Code::L6Rsp,
            "no TLS session: the server does not keep to the TLS protocol",
        ),
    ];
    let mut probes = JoinSet::new();
    for (what, steps, code, detail) in rows {
        let tls = ca.spec();
        probes.spawn(async move {
            let server = Server::start("127.0.0.1:0", steps).await;
            let timeout = if code == Code::L6Tout { HASTY } else { PATIENT };
            for spec in [
                https(server.address.port(), tls.clone(), get()),
                ProbeSpec::Tcp { port: server.address.port(), tls: Some(tls) },
            ] {
                let outcome = run(&Prober::new(), server.address, &spec, timeout).await;
                expect(what, &outcome, code, &format!("{CONNECTED}{detail}"));
                assert!(outcome.timings.total < timeout + MARGIN, "{what}: {outcome:?}");
                assert!(server.sent() < 4 << 20, "{what}: {}", server.sent());
            }
        });
    }
    while let Some(result) = probes.join_next().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn authorities_that_cannot_be_read_are_our_fault() {
    let server = Server::start("127.0.0.1:0", vec![Step::Hang]).await;
    let tls = verified_by("/no/such/ca.pem".as_ref());
    let spec = https(server.address.port(), tls, get());
    let outcome = run(&Prober::new(), server.address, &spec, PATIENT).await;
    expect("no ca-file", &outcome, Code::SockErr, r"cannot read the ca-file /no/such/ca\.pem: no such file");
}

#[tokio::test]
async fn the_authorities_of_the_system_are_trusted_by_default_and_nobody_else() {
    let listener = listen("127.0.0.1:0");
    let address = listener.local_addr().unwrap();
    let _names = serve(listener, Authority::new("ours").issue(params("site.example")), rustls::ALL_VERSIONS);
    let tls = TlsSpec { server_name: None, verify: true, ca_file: None, client: None };
    let outcome = run(&Prober::new(), address, &https(address.port(), tls, get()), PATIENT).await;
    if outcome.code == Code::SockErr {
        skip("the system's authorities", &outcome.detail);
        let none = "this system has no certificate authorities: install ca-certificates or set ca-file";
        expect("without any", &outcome, Code::SockErr, none);
        return;
    }
    let untrusted = "no TLS session: its certificate is self-signed or by an issuer that is not trusted";
    expect("not one of them", &outcome, Code::L6Rsp, &format!("{CONNECTED}{untrusted}"));
}

#[tokio::test]
async fn a_session_is_never_resumed() {
    let ca = Authority::new("ours");
    let listener = listen("127.0.0.1:0");
    let address = listener.local_addr().unwrap();
    let identity = ca.issue(params("site.example"));
    let acceptor = identity.acceptor(rustls::ALL_VERSIONS);
    let server = tokio::spawn(async move {
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            read_request(&mut stream).await.unwrap();
            act(&mut stream, &send(ANSWER), &Default::default()).await.unwrap();
            kinds.push(stream.get_ref().1.handshake_kind().unwrap());
        }
        kinds
    });
    let prober = Prober::new();
    let spec = https(address.port(), ca.spec(), get());
    for _ in 0..2 {
        assert_eq!(run(&prober, address, &spec, PATIENT).await.code, Code::L7Ok);
    }
    assert!(!server.await.unwrap().contains(&rustls::HandshakeKind::Resumed));
}
