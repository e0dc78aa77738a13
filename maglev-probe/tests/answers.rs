//! Raw answers, and what the http probe makes of them beside what HAProxy does.
//!
//! `golden/answers.txt` has a block for each: its name, its bytes, the codes that HAProxy 2.6.12 gives it (`option
//! httpchk` alone, and with `http-check expect rstring ^ok$`), then ours with the same two checks. Each is sent after the
//! request was read, and the connection closed. `UPDATE=1` writes our lines.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod support;

use std::path::Path;

use maglev_core::check::HttpSpec;
use maglev_core::outcome::{Code, Outcome};
use maglev_probe::Prober;

use support::*;

struct Answer<'t> {
    name: &'t str,
    escaped: &'t str,
    haproxy: &'t str,
    /// Why we do not take what HAProxy takes.
    differs: Option<&'t str>,
}

fn parse(block: &str) -> Answer<'_> {
    let mut lines = block.lines();
    let name = lines.next().unwrap().strip_prefix("# ").unwrap();
    let escaped = lines.next().unwrap();
    let haproxy = lines.next().unwrap().strip_prefix("haproxy: ").unwrap();
    let differs = lines.next().unwrap().strip_prefix("differs: ");
    Answer { name, escaped, haproxy, differs }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.push(u8::try_from(c).unwrap());
            continue;
        }
        bytes.push(match chars.next().unwrap() {
            'r' => b'\r',
            'n' => b'\n',
            't' => b'\t',
            'x' => {
                let digits: String = chars.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16).unwrap()
            }
            other => u8::try_from(other).unwrap(),
        });
    }
    bytes
}

async fn ask(server: &Server, spec: HttpSpec) -> Outcome {
    run(&Prober::new(), server.address, &http(server.address.port(), spec), PATIENT).await
}

fn line(outcome: &Outcome) -> String {
    let detail = outcome.detail.split_once(" ms, ").map_or(outcome.detail.as_str(), |(_, rest)| rest);
    format!("{} {detail}", outcome.code)
}

#[tokio::test]
async fn answers_are_judged_like_haproxy_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/answers.txt");
    let golden = std::fs::read_to_string(&path).unwrap();
    let mut written = String::new();
    for block in golden.split_inclusive("\n\n") {
        let Answer { name, escaped, haproxy, differs } = parse(block);
        let server =
            Server::start("127.0.0.1:0", vec![Step::ReadRequest, Step::Send(unescape(escaped))]).await;
        let (status, body) = (ask(&server, get()).await, ask(&server, get_body("^ok$")).await);
        let reason = differs.map(|reason| format!("differs: {reason}\n")).unwrap_or_default();
        let (ours, with_body) = (line(&status), line(&body));
        written += &format!(
            "# {name}\n{escaped}\nhaproxy: {haproxy}\n{reason}status: {ours}\nbody: {with_body}\n\n"
        );
        let (plain, expecting) = haproxy.split_once(' ').unwrap();
        // A rule of its own takes the place of HAProxy's rule for the status; ours are both in force.
        let expecting = if status.code == Code::L7Sts { "" } else { expecting };
        for (theirs, ours) in [(plain, status.code), (expecting, body.code)] {
            let taken = theirs != "L7OK" || ours == Code::L7Ok;
            assert!(taken || differs.is_some(), "{name}: HAProxy takes it, we say {ours}");
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    assert_eq!(golden, written, "UPDATE=1 writes it");
}
