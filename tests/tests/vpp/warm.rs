//! Edge. A restart that nobody notices: what the probes said before counts until they say more.

use std::collections::BTreeMap;
use std::time::Duration;

use maglev_api::v1::{BackendState, FrontendState, ListFrontendsRequest};
use maglev_tests::config::Config;
use maglev_tests::daemon::Daemon;
use maglev_tests::operator::Operator;
use maglev_tests::vpp::{Farm, Vpp};
use maglev_tests::wait::{SOON, eventually};
use nix::sys::signal::Signal;

/// As many frontends as the restart has to be quiet for.
const FRONTENDS: usize = 100;

/// Messages of log lines that tell of a change of health or of weights.
const CHANGES: [&str; 6] = [
    "backend changed",
    "backend is down",
    "frontend changed",
    "frontend is down",
    "weight set",
    "written to VPP",
];

/// A hundred frontends, each with two of the servers.
fn site(farm: &Farm) -> Config {
    let servers = farm.0.len();
    (0..FRONTENDS).fold(farm.config(), |config, number| {
        let (one, other) = (format!("web{}", number % servers), format!("web{}", (number + 1) % servers));
        config.pool(&format!("site{number:03}"), "primary", &[&one, &other])
    })
}

/// The state of every frontend.
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
async fn frontends(operator: &mut Operator) -> BTreeMap<String, FrontendState> {
    let answer = operator.client.list_frontends(ListFrontendsRequest {}).await.unwrap().into_inner();
    answer.frontends.into_iter().map(|frontend| (frontend.name.clone(), frontend.state())).collect()
}

/// Lines of its log that tell of a change.
fn told(daemon: &Daemon) -> Vec<String> {
    let lines = daemon.log().lines();
    lines
        .into_iter()
        .filter(|line| CHANGES.iter().any(|what| line.contains(&format!("\"{what}\""))))
        .collect()
}

/// Waits until every server was asked so often again, so that whatever a restart does to its backends has shown.
async fn asked(farm: &Farm, times: usize) {
    for server in &farm.0 {
        server.requested(times).await;
    }
}

/// Nothing has happened, and nothing does.
async fn is_quiet(daemon: &Daemon, vpp: &Vpp, farm: &Farm) {
    let mut operator = daemon.operator().await;
    let states = frontends(&mut operator).await;
    assert_eq!(states.len(), FRONTENDS);
    assert!(states.values().all(|&state| state == FrontendState::Up), "from the first moment: {states:?}");
    assert!(operator.states().await.values().all(|&state| state == BackendState::Up));
    let metrics = daemon.metrics();
    assert_eq!(metrics.value("maglev_frontend_state", &[("frontend", "site007"), ("state", "up")]), 1.0);

    operator.in_charge().await;
    asked(farm, 10).await;
    assert_eq!(operator.sync().await, []);
    assert_eq!(vpp.written(), [""; 0]);
    assert_eq!(told(daemon), [""; 0]);
    assert!(operator.states().await.values().all(|&state| state == BackendState::Up));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_under_load_writes_nothing_and_tells_only_that_it_started() {
    let (farm, vpp) = (Farm::start(8).await, Vpp::start().await);
    let mut daemon = vpp.driven(&site(&farm)).await;
    // What is written a second after the last transition has full health for everybody.
    kept(&daemon, "\"counter\": 4").await;

    // It ends as it should.
    daemon.signal(Signal::SIGTERM);
    daemon.ended(SOON).await;
    let daemon = daemon.restart().await;
    is_quiet(&daemon, &vpp, &farm).await;

    // It crashes.
    let daemon = daemon.restart().await;
    is_quiet(&daemon, &vpp, &farm).await;
}

/// Waits until the verdicts on disk say so of every backend.
async fn kept(daemon: &Daemon, what: &str) {
    let path = daemon.state().join("health.json");
    eventually("verdicts on disk", SOON, async || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if text.matches(what).count() == text.matches("\"counter\"").count() && text.contains(what) {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_died_meanwhile_goes_down_by_its_failures_and_is_drained_only_then() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let mut daemon = vpp.driven(&site(&farm)).await;
    kept(&daemon, "\"counter\": 4").await;

    daemon.signal(Signal::SIGTERM);
    daemon.ended(SOON).await;
    farm.0[0].answer(503);
    let before = farm.0[0].requests();
    let daemon = daemon.restart().await;

    let mut operator = daemon.operator().await;
    let backend = operator.becomes("web0", BackendState::Down, SOON).await;
    let failures = farm.0[0].requests() - before;
    assert!(failures >= 3, "fall is 3, and it was asked {failures} times");
    let transition = &backend.transitions[0];
    assert_eq!((backend.transitions.len(), transition.from()), (1, BackendState::Up), "{transition:?}");
    // Each of the frontends it serves loses it, and nothing else is written.
    let served = (0..FRONTENDS).filter(|number| number % 3 == 0 || (number + 1) % 3 == 0).count();
    let written = vpp.asked(served).await;
    assert!(written.iter().all(|line| line.contains("127.0.0.11")), "{written:#?}");
    operator.in_agreement().await;
    assert_eq!(vpp.written().len(), served);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_or_of_another_check_is_asked_anew() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let config = farm.config().pool("site", "primary", &["web0", "web1"]);
    let mut daemon = vpp.driven(&config).await;
    daemon.crash();
    farm.0[1].answer(503);
    // Another question: whoever fails it first is down at once, as after any start.
    daemon.write(&config.check("web1", &farm.0[1].check().replace("rise: 2", "rise: 1")));
    let daemon = daemon.restart().await;
    let mut operator = daemon.operator().await;
    let backend = operator.becomes("web1", BackendState::Down, SOON).await;
    assert_eq!(backend.transitions[0].from(), BackendState::Unknown);
    assert_eq!(operator.backend("web0").await.transitions, []);

    // Longer than the five seconds that the least of verdicts counts.
    let mut daemon = daemon;
    daemon.crash();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let daemon = daemon.restart().await;
    let backend = daemon.operator().await.becomes("web0", BackendState::Up, SOON).await;
    assert_eq!(backend.transitions[0].from(), BackendState::Unknown);
}
