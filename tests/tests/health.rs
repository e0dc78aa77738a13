//! Edge. Verdicts: the daemon in front of web servers that come and go.

use std::time::{Duration, Instant};

use maglev_api::v1::{BackendState, FrontendState, WeightReason};
use maglev_tests::config::{Config, WEB};
use maglev_tests::lab::Lab;
use maglev_tests::wait::SOON;
use serde_json::Value;

/// What [`WEB`] promises: `fall` probes at the fast interval, a timeout, and a second for the machine.
const FAILOVER: Duration = Duration::from_millis(3 * 100 + 500 + 1000);

#[tokio::test]
async fn every_backend_reaches_up_and_takes_its_weight() {
    let Some(lab) = Lab::open() else { return };
    let (nginx0, nginx1) = (lab.nginx(10).await, lab.nginx(11).await);
    let daemon = lab.daemon(&Config::site([("nginx0", nginx0.v4()), ("nginx1", nginx1.v4())])).await;
    let mut operator = daemon.operator().await;

    operator.all_up().await;
    let site = operator.active("site", "primary", SOON).await;

    assert_eq!(site.state(), FrontendState::Up);
    for backend in &site.pools[0].backends {
        assert_eq!(
            (backend.effective_weight, backend.reason()),
            (100, WeightReason::Active),
            "{}",
            backend.name
        );
    }
}

#[tokio::test]
async fn a_backend_is_probed_as_the_check_says() {
    let Some(lab) = Lab::open() else { return };
    let nginx = lab.nginx(10).await;
    let daemon = lab.daemon(&Config::site([("nginx0", nginx.v4())])).await;
    daemon.operator().await.all_up().await;

    nginx.requested(3).await;

    for request in nginx.requests() {
        assert!(request.agent.starts_with("maglevd"), "{request:?}");
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/healthz"));
        assert_eq!((request.host.as_str(), request.status), ("www.example.org", 200));
        assert_eq!(request.from.to_string(), "10.0.0.1");
    }
}

#[tokio::test]
async fn a_stopped_server_fails_over_in_time_and_back() {
    let Some(lab) = Lab::open() else { return };
    let (mut nginx0, spare) = (lab.nginx(10).await, lab.nginx(11).await);
    let config = Config::new()
        .check("web", WEB)
        .backend("nginx0", nginx0.v4(), "web")
        .backend("spare0", spare.v4(), "web")
        .pool("site", "primary", &["nginx0"])
        .pool("site", "spare", &["spare0"]);
    let daemon = lab.daemon(&config).await;
    let mut operator = daemon.operator().await;
    operator.all_well().await;
    operator.active("site", "primary", SOON).await;

    let stopped = Instant::now();
    nginx0.stop();
    let site = operator.active("site", "spare", SOON).await;
    let took = stopped.elapsed();

    assert!(took <= FAILOVER, "failover took {took:?}");
    assert_eq!(site.state(), FrontendState::Up);
    let nginx = operator.backend("nginx0").await;
    assert_eq!(nginx.state(), BackendState::Down);
    assert_eq!(nginx.transitions[0].code, "L4CON", "{:?}", nginx.transitions[0]);

    let logged =
        daemon.log().lines().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let fall: Vec<Value> =
        logged.filter(|line| line["backend"] == "nginx0" && line["to"] == "down").collect();
    assert_eq!(fall.len(), 1, "one line for one transition: {fall:#?}");
    assert_eq!((&fall[0]["from"], &fall[0]["code"]), (&"up".into(), &"L4CON".into()), "{:#?}", fall[0]);
    assert_eq!(fall[0]["detail"], nginx.transitions[0].detail, "the log and the call tell the same");

    nginx0.resume().await;
    let site = operator.active("site", "primary", SOON).await;
    assert_eq!(site.pools[1].backends[0].reason(), WeightReason::Standby);
}

#[tokio::test]
async fn a_server_that_answers_wrongly_is_down_with_what_it_said() {
    let Some(lab) = Lab::open() else { return };
    let nginx = lab.nginx(10).await;
    let daemon = lab.daemon(&Config::site([("nginx0", nginx.v4())])).await;
    let mut operator = daemon.operator().await;
    operator.all_well().await;

    nginx.fail();
    let backend = operator.becomes("nginx0", BackendState::Down, FAILOVER).await;
    let transition = &backend.transitions[0];
    assert_eq!(transition.code, "L7STS");
    assert!(transition.detail.contains("404"), "{}", transition.detail);
    let site = operator.frontend("site").await;
    assert_eq!((site.state(), site.active_pool.as_str()), (FrontendState::Down, ""));

    nginx.recover();
    operator.all_up().await;
    assert_eq!(operator.frontend("site").await.state(), FrontendState::Up);
}

#[tokio::test]
async fn a_black_hole_times_out_and_delays_nobody() {
    let Some(lab) = Lab::open() else { return };
    let (nginx, frozen) = (lab.nginx(10).await, lab.nginx(11).await);
    let slow = "type: http, port: 80, interval: 200ms, timeout: 1500ms, rise: 1, fall: 1";
    let config = Config::site([("nginx0", nginx.v4()), ("frozen", frozen.v4())])
        .check("slow", slow)
        .backend("frozen", frozen.v4(), "slow")
        .backend("nobody", lab.black_hole(99), "slow");
    let daemon = lab.daemon(&config).await;
    let mut operator = daemon.operator().await;
    operator.becomes("frozen", BackendState::Up, SOON).await;
    operator.becomes("nobody", BackendState::Down, SOON).await;

    frozen.host().unplug();
    let before = nginx.requests().len();
    let backend = operator.becomes("frozen", BackendState::Down, SOON).await;
    for (name, probe) in
        [("frozen", backend.last_probe), ("nobody", operator.backend("nobody").await.last_probe)]
    {
        assert_eq!(probe.expect("a probe").code, "L4TOUT", "{name}");
    }
    // A timeout of one and a half seconds, in which the healthy one was asked every 200 ms.
    let probes = &nginx.requests()[before..];
    assert!(probes.len() >= 5, "{} probes", probes.len());
    let longest = probes.windows(2).map(|pair| pair[1].at - pair[0].at).fold(0.0, f64::max);
    assert!(longest < 1.0, "{longest} s between two probes of a healthy backend");

    frozen.host().plug();
    operator.becomes("frozen", BackendState::Up, SOON).await;
}
