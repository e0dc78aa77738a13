//! The http probe against servers that do all they can to be a nuisance.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod support;

use std::time::Duration;

use maglev_core::check::HttpSpec;
use maglev_core::outcome::{Code, Verdict};
use maglev_probe::{Prober, Target};
use tokio::task::JoinSet;

use support::*;

/// What every sentence begins with once there is a connection.
const CONNECTED: &str = r"connected to 127\.0\.0\.1:\d+ in [\d.]+ m?s, ";

struct Row {
    what: &'static str,
    server: Vec<Step>,
    spec: HttpSpec,
    timeout: Duration,
    code: Code,
    /// What follows [`CONNECTED`].
    detail: &'static str,
}

fn row(what: &'static str, server: Vec<Step>, spec: HttpSpec, code: Code, detail: &'static str) -> Row {
    let timeout = if code == Code::L7Tout { HASTY } else { PATIENT };
    Row { what, server, spec, timeout, code, detail }
}

/// An answer with a Content-Length.
fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn chunked(chunks: &[&str]) -> Vec<u8> {
    let mut text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for chunk in chunks {
        text += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
    }
    (text + "0\r\n\r\n").into_bytes()
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    use Code::{L7Ok, L7Rsp, L7Sts, L7Tout};
    use Step::*;
    let drip = |bytes: &[u8]| Drip(bytes.to_vec(), Duration::from_millis(5));
    let head = "HTTP/1.1 200 OK\r\n";
    let close = "the server closed the connection before a complete answer";
    let reset = "the server reset the connection before a complete answer";
    let no_answer = "no complete answer within 300 ms";
    vec![
        // Good answers.
        row("200", vec![ReadRequest, send(answer("200 OK", "hi"))], get(), L7Ok, "got status 200"),
        row("HTTP/1.0", vec![ReadRequest, send("HTTP/1.0 200 OK\r\n\r\nhi")], get_body("hi"), L7Ok, "got status 200, the body matches"),
        row("no reason phrase", vec![ReadRequest, send("HTTP/1.1 204\r\n\r\n")], get(), L7Ok, "got status 204"),
        row("interim answers first", vec![ReadRequest, send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), send(answer("200 OK", ""))], get(), L7Ok, "got status 200"),
        row("a drip that ends in time", vec![ReadRequest, drip(&answer("200 OK", "fine"))], get_body("^fine$"), L7Ok, "got status 200, the body matches"),
        row("an answer before the request", vec![send(answer("200 OK", "hi")), Hang], get(), L7Ok, "got status 200"),
        row("an answer before the request, and a close", vec![send(answer("200 OK", "hi"))], get_body("^hi$"), L7Ok, "got status 200, the body matches"),
        row("an answer and a close with the request unread", vec![AwaitBytes, send(answer("200 OK", "hi"))], get_body("^hi$"), L7Ok, "got status 200, the body matches"),
        row("the same without a length", vec![AwaitBytes, send("HTTP/1.0 200 OK\r\n\r\nhi")], get_body("^hi$"), L7Ok, "got status 200, the body matches"),
        row("the same with a status that is not wanted", vec![AwaitBytes, send(answer("503 No", "hi"))], get(), L7Sts, "got status 503, wanted 200-399"),
        row("a body nobody asked for", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), Hang], get(), L7Ok, "got status 200"),
        row("an endless body nobody asked for", vec![ReadRequest, send("HTTP/1.1 200 OK\r\n\r\n"), Flood(vec![b'x'; 4096])], get(), L7Ok, "got status 200"),
        row("HEAD", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), Hang], HttpSpec { method: "HEAD".into(), ..get() }, L7Ok, "got status 200"),

        // Statuses.
        row("503", vec![ReadRequest, send(answer("503 Oh No", ""))], get_status("200-204"), L7Sts, "got status 503, wanted 200-204"),
        row("a status of no class", vec![ReadRequest, send(answer("799 Odd", ""))], get(), L7Sts, "got status 799, wanted 200-399"),
        row("another protocol", vec![ReadRequest, send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), Hang], get(), L7Sts, "got status 101, wanted 200-399"),
        row("404 wanted", vec![ReadRequest, send(answer("404 Gone", ""))], get_status("404"), L7Ok, "got status 404"),
        row("a redirect is not followed", vec![ReadRequest, send("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")], get_status("200"), L7Sts, "got status 302 \\(a redirect to \"http://127.0.0.1:1/\"\\), wanted 200"),
        row("a redirect is good by default", vec![ReadRequest, send("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")], get(), L7Ok, "got status 302"),
        row("a redirect to nonsense", vec![ReadRequest, send(format!("HTTP/1.1 302 Found\r\nLocation: \u{9b}2J{}\r\n\r\n", "x".repeat(9000)))], get_status("200"), L7Sts, "got status 302 \\(a redirect to \"\\\\u\\{9b\\}2Jx{57}…\"\\), wanted 200"),
        row("the status counts before the body", vec![ReadRequest, send("HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n"), Hang], get_body("x"), L7Sts, "got status 500, wanted 200-399"),

        // Bodies.
        row("over a chunk boundary", vec![ReadRequest, send(chunked(&["all sys", "tems ", "go"]))], get_body("systems go"), L7Ok, "got status 200, the body matches"),
        row("in the second packet", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nnot yet"), drip(b" ok"), Hang], get_body("ok"), L7Ok, "got status 200, the body matches"),
        row("not in the first packet alone", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nok"), drip(b", but the database is gone.."), Hang], get_body("^ok$"), L7Rsp, "got status 200, the body does not match \"\\^ok\\$\": it begins \"ok, but the database is gone..\""),
        row("not in the first packet of a body without a length", vec![ReadRequest, send("HTTP/1.1 200 OK\r\n\r\nok"), drip(b", but the database is gone")], get_body("^ok$"), L7Rsp, "got status 200, the body does not match .*"),
        row("not in the first chunk alone", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"), drip(b"3\r\n no\r\n0\r\n"), Hang], get_body("^ok$"), L7Rsp, "got status 200, the body does not match .*"),
        row("chunks that end before the connection", vec![ReadRequest, send(chunked(&["ok"])), Hang], get_body("^ok$"), L7Ok, "got status 200, the body matches"),
        row("what matches does not end the body", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nok"), Hang], get_body("ok"), L7Tout, "got status 200, the body did not end within 300 ms"),
        row("what came before a reset is not the body", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nok"), drip(b"!"), Reset], get_body("ok"), L7Rsp, "got status 200, the server reset the connection before a complete answer"),
        row("no match", vec![ReadRequest, send(answer("200 OK", "sorry\n\x1b[2J"))], get_body("ok"), L7Rsp, "got status 200, the body does not match \"ok\": it begins \"sorry\\\\n\\\\u\\{1b\\}\\[2J\""),
        row("no match in nothing", vec![ReadRequest, send(answer("204 No Content", ""))], get_body("ok"), L7Rsp, "got status 204, the body does not match \"ok\": it is empty"),
        row("the last bytes of 64 KiB", vec![ReadRequest, send(answer("200 OK", &("x".repeat(65534) + "ok and more")))], get_body("ok"), L7Ok, "got status 200, the body matches"),
        row("beyond 64 KiB", vec![ReadRequest, send(answer("200 OK", &("x".repeat(65535) + "ok")))], get_body("ok"), L7Rsp, "got status 200, the first 64 KiB of the body do not match \"ok\": it begins \"x{60}…\""),
        row("an endless body", vec![ReadRequest, send("HTTP/1.1 200 OK\r\n\r\n"), Flood(vec![b'x'; 4096])], get_body("ok"), L7Rsp, "got status 200, the first 64 KiB .*"),
        row("endless chunks of one byte", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Flood(b"1\r\nx\r\n".repeat(500))], get_body("ok"), L7Rsp, "got status 200, the answer goes on after 256 KiB"),
        row("chunks of eight bytes", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Flood(b"8\r\nxxxxxxxx\r\n".repeat(500))], get_body("ok"), L7Rsp, "got status 200, the first 64 KiB .*"),
        row("a body that stops", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nnope"), Hang], get_body("ok"), L7Tout, "got status 200, the body did not end within 300 ms"),
        row("a body that drips", vec![ReadRequest, send("HTTP/1.1 200 OK\r\n\r\n"), drip(&[b'x'; 9000])], get_body("ok"), L7Tout, "got status 200, the body did not end within 300 ms"),
        row("a body cut off by a close", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nnope")], get_body("ok"), L7Rsp, "got status 200, the server closed the connection before a complete answer"),
        row("a body cut off by a reset", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), drip(b"nope"), Reset], get_body("ok"), L7Rsp, "got status 200, the server reset the connection before a complete answer"),
        row("a chunk that is none", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyzzy\r\n"), Hang], get_body("ok"), L7Rsp, "got status 200, the answer has a body that is not HTTP"),

        // No answer.
        row("silence", vec![Hang], get(), L7Tout, no_answer),
        row("silence after a status line", vec![ReadRequest, send(head), Hang], get(), L7Tout, no_answer),
        row("a header that drips", vec![ReadRequest, send(head), drip(&b"X: y\r\n".repeat(9000))], get(), L7Tout, no_answer),
        row("interim answers only", vec![ReadRequest, drip(&b"HTTP/1.1 100 Continue\r\n\r\n".repeat(900))], get(), L7Tout, no_answer),
        row("interim answers without end", vec![ReadRequest, Flood(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(99))], get(), L7Rsp, "the answer goes on after 256 KiB"),

        // Closed and reset at every stage.
        row("a close before the request", vec![AwaitBytes], get(), L7Rsp, reset),
        row("a close after the request", vec![ReadRequest], get(), L7Rsp, close),
        row("a close in the header", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nX-Half: ")], get(), L7Rsp, close),
        row("a reset before the request", vec![AwaitBytes, Reset], get(), L7Rsp, reset),
        row("a reset after the request", vec![ReadRequest, Reset], get(), L7Rsp, reset),
        row("a reset in the header", vec![ReadRequest, drip(b"HTTP/1.1 200"), Reset], get(), L7Rsp, reset),

        // Not HTTP.
        row("garbage", vec![ReadRequest, send("SSH-2.0-OpenSSH_9.2p1\r\n"), Hang], get(), L7Rsp, "the answer is not HTTP"),
        row("zeros", vec![ReadRequest, send([0; 500]), Hang], get(), L7Rsp, "the answer is not HTTP"),
        row("HTTP/2", vec![ReadRequest, send(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80"), Hang], get(), L7Rsp, "the answer is not HTTP"),
        row("a status that is none", vec![ReadRequest, send("HTTP/1.1 abc OK\r\n\r\n"), Hang], get(), L7Rsp, "the answer is not HTTP"),
        row("two lengths", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), Hang], get(), L7Rsp, "the answer is not HTTP"),
        row("endless header fields", vec![ReadRequest, send(head), Flood(b"X-Y: z\r\n".repeat(200))], get(), L7Rsp, "the header of the answer is over 64 KiB"),
        row("one endless header field", vec![ReadRequest, send("HTTP/1.1 200 OK\r\nX: "), Flood(vec![b'x'; 4096])], get(), L7Rsp, "the header of the answer is over 64 KiB"),
        row("an endless line", vec![ReadRequest, Flood(vec![b'H'; 4096])], get(), L7Rsp, "the answer is not HTTP"),
        row("an endless reason", vec![ReadRequest, send("HTTP/1.1 200 "), Flood(vec![b'x'; 4096])], get(), L7Rsp, "the header of the answer is over 64 KiB"),
    ]
}

/// The most a server may get rid of: what a probe reads, and what the kernel holds in between.
const MOST: u64 = 4 << 20;

#[tokio::test]
async fn every_server_gets_its_code_and_sentence_in_time() {
    let prober = Prober::new();
    let mut probes = JoinSet::new();
    for row in rows() {
        let prober = prober.clone();
        probes.spawn(async move {
            let server = Server::start("127.0.0.1:0", row.server.clone()).await;
            let spec = http(server.address.port(), row.spec.clone());
            let outcome = run(&prober, server.address, &spec, row.timeout).await;
            expect(row.what, &outcome, row.code, &format!("{CONNECTED}(?:{})", row.detail));
            assert!(outcome.timings.total < row.timeout + MARGIN, "{}: {outcome:?}", row.what);
            assert!(outcome.timings.connect.is_some() && outcome.timings.response.is_some(), "{}", row.what);
            assert!(server.sent() < MOST, "{}: the server could send {} bytes", row.what, server.sent());
        });
    }
    let mut failures = Vec::new();
    while let Some(result) = probes.join_next().await {
        failures.extend(result.err().map(|e| e.into_panic()));
    }
    assert!(failures.is_empty(), "{} rows fail, see above", failures.len());
}

#[tokio::test]
async fn the_request_is_what_was_asked_for() {
    for (bind, spec, host_header) in [
        ("127.0.0.1:0", get(), None),
        ("[::1]:0", get(), None),
        (
            "127.0.0.1:0",
            HttpSpec { host: Some("example.org".into()), path: "/a?b=c".into(), ..get() },
            Some("example.org"),
        ),
    ] {
        let listener = listen(bind);
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = read_request(&mut stream).await.unwrap();
            let sent = Default::default();
            act(&mut stream, &send("HTTP/1.1 200 OK\r\n\r\n"), &sent).await.unwrap();
            request
        });
        let outcome = run(&Prober::new(), address, &http(address.port(), spec.clone()), PATIENT).await;
        assert_eq!(outcome.verdict(), Verdict::Pass, "{outcome:?}");
        let host = host_header.map_or_else(|| address.to_string(), str::to_owned);
        assert_eq!(
            server.await.unwrap(),
            format!(
                "GET {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: maglevd/{}\r\nConnection: close\r\n\r\n",
                spec.path,
                env!("CARGO_PKG_VERSION")
            )
        );
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_is_not_the_backends_fault() {
    let server = Server::start("127.0.0.1:0", vec![Step::Hang]).await;
    let spec = http(server.address.port(), HttpSpec { path: "/a b".into(), ..get() });
    let outcome = run(&Prober::new(), server.address, &spec, PATIENT).await;
    expect("bad path", &outcome, Code::SockErr, r#"the path "/a b" cannot be sent in an HTTP request"#);
}

#[tokio::test]
async fn hung_servers_delay_no_other_probe() {
    let silent = Server::start("127.0.0.1:0", vec![Step::Hang]).await;
    let good = Server::start("127.0.0.1:0", vec![Step::ReadRequest, send(answer("200 OK", "hi"))]).await;
    let prober = Prober::new();
    let mut hung = JoinSet::new();
    for _ in 0..200 {
        let (prober, silent) = (prober.clone(), silent.clone());
        hung.spawn(async move {
            run(&prober, silent.address, &http(silent.address.port(), get()), PATIENT).await
        });
    }
    let mut probes = JoinSet::new();
    for _ in 0..200 {
        let (prober, good) = (prober.clone(), good.clone());
        probes.spawn(
            async move { run(&prober, good.address, &http(good.address.port(), get()), PATIENT).await },
        );
    }
    while let Some(outcome) = probes.join_next().await {
        let outcome = outcome.unwrap();
        expect("good", &outcome, Code::L7Ok, &format!("{CONNECTED}got status 200"));
        assert!(outcome.timings.total < PATIENT / 2, "{outcome:?}");
    }
    assert!(hung.try_join_next().is_none(), "a hung probe ended before its timeout");
}

#[tokio::test]
async fn a_dropped_probe_closes_its_socket() {
    let listener = listen("127.0.0.1:0");
    let address = listener.local_addr().unwrap();
    let probe =
        tokio::spawn(
            async move { run(&Prober::new(), address, &http(address.port(), get()), PATIENT).await },
        );
    let (mut stream, _) = listener.accept().await.unwrap();
    read_request(&mut stream).await.unwrap();
    probe.abort();
    let gone = tokio::time::timeout(PATIENT, act(&mut stream, &Step::Hang, &Default::default())).await;
    assert!(gone.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn the_server_sees_a_clean_end() {
    let listener = listen("127.0.0.1:0");
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await.unwrap();
        // The body comes with the header and nobody asked for it.
        act(&mut stream, &send(answer("200 OK", "hello")), &Default::default()).await.unwrap();
        act(&mut stream, &Step::Hang, &Default::default()).await
    });
    run(&Prober::new(), address, &http(address.port(), get()), PATIENT).await;
    server.await.unwrap().expect("end of file, not a reset");
}

#[tokio::test]
async fn probes_come_from_the_source_address() {
    let listener = listen("127.0.0.1:0");
    let address = listener.local_addr().unwrap();
    let spec = http(address.port(), get());
    let source = "127.0.0.77".parse().unwrap();
    let prober = Prober::new();
    let target = Target { address: address.ip(), source: Some(source), spec: &spec };
    let (accepted, outcome) = tokio::join!(listener.accept(), prober.run(&target, HASTY));
    assert_eq!(accepted.unwrap().1.ip(), source);
    assert_eq!(outcome.code, Code::L7Tout);

    for (source, detail) in [
        (
            "192.0.2.250",
            "cannot send from 192.0.2.250: not an address of this host, or no source port is left",
        ),
        ("::1", "cannot send from ::1 to 127.0.0.1"),
    ] {
        let target = Target { source: Some(source.parse().unwrap()), ..target };
        expect(source, &prober.run(&target, PATIENT).await, Code::SockErr, &regex::escape(detail));
    }
}
