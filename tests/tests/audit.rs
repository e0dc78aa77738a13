//! Edge. The audit log of a real daemon: what is written, when, and what comes back.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeSet;

use maglev_api::v1;
use maglev_tests::config::Config;
use maglev_tests::daemon::Daemon;
use maglev_tests::wait::{SOON, eventually};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tonic::Code;

async fn start() -> Daemon {
    let config = Config::new()
        .backend_with("web0", "address: 127.0.0.1")
        .backend_with("web1", "address: 127.0.0.2")
        .pool("site", "primary", &["web0", "web1"]);
    Daemon::local(&config).await
}

/// The file as it is at this moment.
fn lines(daemon: &Daemon) -> Vec<Value> {
    let file = daemon.config().with_file_name("state").join("audit.jsonl");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_change_is_written_before_it_is_answered() {
    let daemon = start().await;
    let mut operator = daemon.operator().await;

    operator.pause("web0").await.unwrap();
    assert_eq!(lines(&daemon).len(), 1);
    operator.pause("web0").await.unwrap();
    operator.weigh(["site", "primary", "web1"], 7).await.unwrap();
    assert_eq!(operator.pause("no-such").await.unwrap_err().code(), Code::NotFound);
    operator.reload().await.unwrap();
    let sync = operator.client.sync_vpplb_state(v1::SyncVpplbStateRequest::default()).await;
    assert_eq!(sync.unwrap_err().code(), Code::Unavailable);
    operator.states().await;
    let for_a_while = v1::BackendIntentRequest {
        name: "web1".to_owned(),
        expires_in: Some(prost_types::Duration { seconds: 3600, nanos: 0 }),
        force: true,
        ..Default::default()
    };
    operator.client.disable_backend(for_a_while).await.unwrap();

    let uid = nix::unistd::getuid();
    let by = format!("tester (uid {uid} on a Unix socket)");
    let lines = lines(&daemon);
    let short: Vec<_> = lines.iter().map(|line| (&line["call"], &line["result"])).collect();
    assert_eq!(
        json!(short),
        json!([
            ["PauseBackend", "ok"],
            ["PauseBackend", "unchanged"],
            ["SetFrontendPoolBackendWeight", "ok"],
            ["PauseBackend", "NOT_FOUND"],
            ["ReloadConfig", "ok"],
            ["SyncVPPLBState", "UNAVAILABLE"],
            ["DisableBackend", "ok"],
        ])
    );
    let first = &lines[0];
    assert_eq!((&first["by"], &first["from"]), (&json!(by), &json!(format!("uid {uid}"))));
    let request = json!({"name": "web0", "reason": "a test", "by": "tester", "force": true});
    assert_eq!(first["request"], request);
    assert_eq!(first["before"], json!({"state": "up", "intent": "none"}));
    assert_eq!(first["after"], json!({"state": "paused", "intent": "paused", "by": by, "reason": "a test"}));
    assert_eq!(lines[2]["before"], json!({"weight": 100, "configured": 100, "effective_weight": 100}));
    assert_eq!(lines[2]["after"], json!({"weight": 7, "configured": 100, "effective_weight": 7}));
    let until = lines[6]["after"]["until"].as_str().expect("an end");
    assert!(humantime::parse_rfc3339(until).expect("a time") > std::time::SystemTime::now(), "{until}");
    assert_eq!(lines[3]["message"], "there is no backend no-such");
    let when: BTreeSet<_> = lines.iter().map(|line| line["at"].to_string()).collect();
    assert!(when.iter().all(|at| at.ends_with("Z\"")), "{when:?}");

    let asked = v1::ListAuditRequest { limit: 2, backend: "web0".to_owned(), ..Default::default() };
    let answer = operator.client.list_audit(asked).await.unwrap().into_inner();
    let results: Vec<_> = answer.records.iter().map(|record| &*record.result).collect();
    assert_eq!((results, answer.more), (vec!["ok", "unchanged"], false));
    assert_eq!(serde_json::from_str::<Value>(&answer.records[0].after).unwrap(), first["after"]);
    assert!(answer.records[0].at.is_some());
    let asked = v1::ListAuditRequest { limit: 1, ..Default::default() };
    let answer = operator.client.list_audit(asked).await.unwrap().into_inner();
    assert_eq!((&*answer.records[0].call, answer.more), ("DisableBackend", true));
    assert_eq!(daemon.metrics().value("maglev_audit_records_total", &[("result", "written")]), 7.0);
}

#[tokio::test]
async fn a_signal_is_a_change_too_and_opens_the_log_anew() {
    let daemon = start().await;
    let state = daemon.config().with_file_name("state");
    daemon.operator().await.pause("web0").await.unwrap();
    std::fs::rename(state.join("audit.jsonl"), state.join("audit.jsonl.1")).unwrap();
    daemon.signal(Signal::SIGHUP);
    let seen = eventually("record of the reload", SOON, async || match &lines(&daemon)[..] {
        [one] => Ok(one.clone()),
        other => Err(other.to_vec()),
    })
    .await;
    assert_eq!(
        (&seen["by"], &seen["call"], &seen["result"]),
        (&json!("SIGHUP"), &json!("ReloadConfig"), &json!("ok"))
    );
    assert_eq!(std::fs::read_to_string(state.join("audit.jsonl.1")).unwrap().lines().count(), 1);

    daemon.write(&"maglev: {backends: 7}");
    daemon.signal(Signal::SIGHUP);
    eventually("record of the refusal", SOON, async || match lines(&daemon).pop() {
        Some(last) if last["result"] == "FAILED_PRECONDITION" => Ok(()),
        other => Err(other),
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_stops_no_change_and_is_told() {
    let config = Config::new().backend_with("web0", "address: 127.0.0.1");
    let arguments = vec!["--audit-log".to_owned(), "/dev/full".to_owned()];
    let options = maglev_tests::daemon::Options { arguments, ..Default::default() };
    let daemon = Daemon::start(&config, options).await;
    let mut operator = daemon.operator().await;
    assert!(operator.pause("web0").await.unwrap().changed);
    let said = "the audit log cannot be written; changes are made all the same, and are missing from it";
    eventually("line of the log", SOON, async || daemon.line(said).ok_or("nothing said")).await;
    assert_eq!(daemon.metrics().value("maglev_audit_records_total", &[("result", "failed")]), 1.0);
}

#[tokio::test]
async fn without_a_log_the_call_says_so() {
    let config = Config::new().backend_with("web0", "address: 127.0.0.1");
    let arguments = vec!["--audit-log".to_owned(), String::new()];
    let options = maglev_tests::daemon::Options { arguments, ..Default::default() };
    let daemon = Daemon::start(&config, options).await;
    let mut operator = daemon.operator().await;
    operator.pause("web0").await.unwrap();
    let status = operator.client.list_audit(v1::ListAuditRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("--audit-log"), "{}", status.message());
}
