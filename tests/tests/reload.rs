//! Edge. Another configuration for a running daemon: what changed changes, and nothing else.

use std::path::Path;

use maglev_api::v1::{self, BackendState};
use maglev_tests::config::Config;
use maglev_tests::daemon::Daemon;
use maglev_tests::lab::Lab;
use maglev_tests::nginx::Request;
use maglev_tests::operator::same_moment;
use maglev_tests::server::{LOOPBACK, Server};
use maglev_tests::wait::{SOON, eventually};
use nix::sys::signal::Signal;
use tonic::Code;

/// Slow enough that a probe too many or too few between two others shows on a busy machine.
const STEADY: &str =
    "type: http, port: 80, interval: 400ms, fast-interval: 100ms, timeout: 300ms, params: {path: /healthz}";

/// Two mistakes: an interval that is misspelt, in line 3, and a check that is nowhere, in line 5.
const BROKEN: &str = "maglev:
  healthchecks:
    web: {type: http, port: 80, intervall: 1s}
  backends:
    web0: {address: 127.0.0.1, healthcheck: wep}
  frontends:
    site: {address: 203.0.113.1, protocol: tcp, port: 80, pools: [{name: primary, backends: {web0: {}}}]}
";

#[tokio::test]
async fn a_reload_adds_removes_and_changes_and_leaves_the_rest_alone() {
    let Some(lab) = Lab::open() else { return };
    let (steady, changed) = (lab.nginx(10).await, lab.nginx(11).await);
    let (removed, added) = (lab.nginx(12).await, lab.nginx(13).await);
    let both = Config::new()
        .check("steady", STEADY)
        .check("web", maglev_tests::config::WEB)
        .backend("steady", steady.v4(), "steady")
        .backend("changed", changed.v4(), "web");
    let before = both.clone().backend("removed", removed.v4(), "web").pool(
        "site",
        "primary",
        &["steady", "changed", "removed"],
    );
    let after = both
        .check("web", "type: http, port: 80, interval: 200ms, timeout: 500ms, params: {path: /index.html}")
        .backend("added", added.v4(), "web")
        .pool("site", "primary", &["steady", "changed", "added"]);
    let daemon = lab.daemon(&before).await;
    let mut operator = daemon.operator().await;
    operator.all_well().await;
    let was = operator.backend("steady").await;
    let mut watcher = operator.watch().await;
    watcher.present().await;
    let quiet_from = steady.requests().len();
    steady.requested(2).await;

    daemon.write(&after);
    operator.reload().await.unwrap();

    // The new one is new, the changed one keeps its verdict, and the old one is gone and no longer asked.
    assert_eq!(operator.backend("changed").await.state(), BackendState::Up, "a reload drains nobody");
    assert_eq!(
        operator
            .client
            .get_backend(v1::GetBackendRequest { name: "removed".to_owned() })
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
    operator.all_up().await;
    steady.requested(2).await;
    // Back, and forth again, each time in the middle of other things.
    daemon.write(&before);
    operator.reload().await.unwrap();
    removed.requested(1).await;
    steady.requested(2).await;
    daemon.write(&after);
    operator.reload().await.unwrap();
    steady.requested(2).await;
    let last = removed.requests().len();
    steady.requested(3).await;
    assert_eq!(removed.requests().len(), last, "a removed backend is not probed");
    assert_eq!(changed.requests().last().unwrap().path, "/index.html", "the new check asks");

    // Nobody told the steady one of all this.
    let is = operator.backend("steady").await;
    assert_eq!((is.state(), is.health), (BackendState::Up, 4));
    assert!(same_moment(is.since, was.since), "up since {:?}, not {:?}", is.since, was.since);
    assert_eq!(is.transitions.len(), was.transitions.len());
    let gaps = gaps(&steady.requests()[quiet_from..]);
    assert!(gaps.iter().all(|gap| (0.2..1.2).contains(gap)), "probes every 0.4 s came after {gaps:?}");
    let metrics = daemon.metrics();
    let (counted, arrived) =
        (metrics.sum("maglev_probe_total", &[("backend", "steady")]), steady.requests().len());
    assert!((arrived as f64 - counted).abs() <= 1.0, "{counted} counted, {arrived} arrived");
    assert_eq!(metrics.sum("maglev_backend_transitions_total", &[("backend", "steady")]), 1.0);
    // The last event of the reloads, so that all of them were seen.
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (_, before) = watcher.backend("added", BackendState::Up).await;
        seen.extend(before);
    }
    assert!(!format!("{seen:?}").contains("\"steady\""), "{seen:#?}");
}

fn gaps(requests: &[Request]) -> Vec<f64> {
    requests.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

#[tokio::test]
async fn a_reload_is_announced() {
    let (server0, server1) = (Server::start().await, Server::start().await);
    let daemon = Daemon::local(&server0.site("web0")).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let mut watcher = operator.watch().await;
    watcher.present().await;

    daemon.write(&server1.site("web1"));
    operator.reload().await.unwrap();

    let (gone, mut seen) = watcher.backend("web0", BackendState::Removed).await;
    assert_eq!(gone.kind(), v1::EventKind::Removed);
    // It has the address of web0, so it is that one under another name, and comes with its health.
    let (up, more) = watcher.backend("web1", BackendState::Up).await;
    seen.extend(more);
    let added = up.kind() == v1::EventKind::Added || seen.iter().any(|event| {
        matches!(event, v1::event::Event::Backend(e) if e.backend == "web1" && e.kind() == v1::EventKind::Added)
    });
    assert!(added, "{seen:#?}");
}

#[tokio::test]
async fn a_reload_says_what_it_changed() {
    let (server0, server1) = (Server::start().await, Server::start().await);
    let both = |config: Config| config.check("other", &server1.check()).backend("kept", LOOPBACK, "other");
    let daemon = Daemon::local(&both(server0.site("web0")).pool("old", "primary", &["kept"])).await;
    let mut operator = daemon.operator().await;
    let after = both(server1.site("web1")).pool("new", "primary", &["kept"]);

    daemon.write(&after);
    let checked = operator.client.check_config(v1::CheckConfigRequest {}).await.unwrap().into_inner();
    let reloaded = operator.reload().await.unwrap();

    assert_eq!(checked.changes, reloaded.changes, "a check tells what a reload will do");
    let changes = reloaded.changes.unwrap();
    let (backends, frontends) = (changes.backends.unwrap(), changes.frontends.unwrap());
    assert_eq!((backends.added, backends.removed), (vec!["web1".to_owned()], vec!["web0".to_owned()]));
    assert_eq!((frontends.added, frontends.removed), (vec!["new".to_owned()], vec!["old".to_owned()]));
    assert_eq!(frontends.changed, ["site"]);
    assert_eq!(changes.health_checks.unwrap().changed, ["web"]);

    let again = operator.reload().await.unwrap().changes.unwrap();
    for same in [again.backends, again.frontends, again.health_checks].into_iter().flatten() {
        assert_eq!(same, v1::NameChanges::default(), "the same file changes nothing");
    }
}

#[tokio::test]
async fn intent_survives_a_reload() {
    let (server0, server1) = (Server::start().await, Server::start().await);
    let daemon = Daemon::local(&server0.site("web0")).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    operator.pause("web0").await.unwrap();
    operator.weigh(["site", "primary", "web0"], 7).await.unwrap();

    let more = server0.site("web0").check("other", &server1.check()).backend("web1", LOOPBACK, "other");
    daemon.write(&more.pool("site", "spare", &["web1"]));
    operator.reload().await.unwrap();

    operator.becomes("web1", BackendState::Up, SOON).await;
    let backend = operator.backend("web0").await;
    assert_eq!(backend.state(), BackendState::Paused);
    assert_eq!(backend.memberships[0].weight_override, Some(7));
}

/// Sees that `text` lists an error at a place of a file.
fn assert_lists(text: &str, file: &Path, line: u32) {
    let place = format!("{}:{line}:", file.display());
    let rest = text.split(&place).nth(1).unwrap_or_else(|| panic!("nothing about {place} in {text}"));
    let column = rest.split(':').next().unwrap_or_default();
    assert!(column.parse::<u32>().is_ok_and(|column| column > 0), "no column after {place} in {text}");
}

#[tokio::test]
async fn a_broken_file_is_refused_whole_by_the_call() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let was = operator.backend("web0").await;

    daemon.write(&BROKEN);
    let status = operator.reload().await.unwrap_err();

    assert_eq!(status.code(), Code::FailedPrecondition);
    for (line, words) in [(3, "intervall"), (5, "wep")] {
        assert_lists(status.message(), &daemon.config(), line);
        assert!(status.message().contains(words), "{}", status.message());
    }
    let is = operator.backend("web0").await;
    assert_eq!(is.state(), BackendState::Up);
    assert!(same_moment(is.since, was.since), "up since {:?}, not {:?}", is.since, was.since);
    server.requested(3).await;
}

#[tokio::test]
async fn a_broken_file_is_refused_whole_by_the_signal() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let was = operator.backend("web0").await;

    daemon.write(&BROKEN);
    daemon.signal(Signal::SIGHUP);

    let line = eventually("refusal in the log", SOON, async || {
        daemon.line("configuration not reloaded, the old one stays in force").ok_or(daemon.log())
    })
    .await;
    let error = line["error"].as_str().unwrap();
    for line in [3, 5] {
        assert_lists(error, &daemon.config(), line);
    }
    let version = operator.client.get_version(v1::GetVersionRequest {}).await.unwrap().into_inner();
    assert!(!version.last_reload_successful);
    assert_eq!(daemon.metrics().value("maglev_config_last_reload_successful", &[]), 0.0);
    let is = operator.backend("web0").await;
    assert_eq!(is.state(), BackendState::Up);
    assert!(same_moment(is.since, was.since), "up since {:?}, not {:?}", is.since, was.since);
    server.requested(3).await;

    // With the mistakes mended the same signal takes it.
    daemon.write(&server.site("web1"));
    daemon.signal(Signal::SIGHUP);
    operator.becomes_known("web1").await;
    operator.becomes("web1", BackendState::Up, SOON).await;
    assert_eq!(daemon.metrics().value("maglev_config_last_reload_successful", &[]), 1.0);
}

#[tokio::test]
async fn a_file_can_be_checked_before_it_is_taken() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;

    daemon.write(&BROKEN);
    let checked = operator.client.check_config(v1::CheckConfigRequest {}).await.unwrap().into_inner();

    assert!(!checked.valid);
    let places: Vec<_> = checked.diagnostics.iter().map(|found| (found.line, found.severity())).collect();
    assert!(places.contains(&(3, v1::Severity::Error)), "{:#?}", checked.diagnostics);
    assert!(places.contains(&(5, v1::Severity::Error)), "{:#?}", checked.diagnostics);
    assert!(checked.diagnostics.iter().all(|found| found.column > 0 && !found.message.is_empty()));

    daemon.write(&server.site("web1"));
    let checked = operator.client.check_config(v1::CheckConfigRequest {}).await.unwrap().into_inner();
    assert!(checked.valid);
    assert!(operator.states().await.contains_key("web0"), "a check changes nothing");
}
