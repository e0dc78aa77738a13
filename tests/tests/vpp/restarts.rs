//! Edge. Either of the two starts again, and what the daemon waits for before it writes.

use std::time::{Duration, Instant};

use maglev_api::v1::{BackendState, PlanVpplbStateRequest, SyncVpplbStateRequest, VppStatus};
use maglev_tests::config::Config;
use maglev_tests::vpp::{Farm, LB, Vpp, vip};
use maglev_tests::wait::{SOON, eventually};

fn site(farm: &Farm) -> Config {
    farm.config()
        .pool_with("site", "primary", "web0: {weight: 100}, web1: {weight: 50}")
        .pool("site", "spare", &["web2"])
        .pool("other", "primary", &["web1", "web2"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_daemon_writes_nothing() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    farm.0[2].answer(503);
    let daemon = vpp.daemon(&site(&farm)).await;
    let mut operator = daemon.operator().await;
    operator.becomes("web2", BackendState::Down, SOON).await;
    operator.becomes("web1", BackendState::Up, SOON).await;
    operator.becomes("web0", BackendState::Up, SOON).await;
    // Somebody is down, somebody disabled, and somebody has another weight.
    operator.weigh(["site", "primary", "web1"], 100).await.unwrap();
    operator.disable("web0").await.unwrap();
    operator.in_charge().await;
    operator.in_agreement().await;
    vpp.sim.clear_journal();
    let before = vpp.sim.vips();

    // It crashes, twice.
    let mut daemon = daemon;
    for _ in 0..2 {
        daemon = daemon.restart().await;
        let mut operator = daemon.operator().await;
        operator.in_charge().await;
        operator.in_agreement().await;
        assert_eq!(operator.sync().await, []);
        assert_eq!(vpp.written(), [""; 0]);
    }
    // It ends as it should.
    daemon.stop().await;
    assert_eq!(vpp.written(), [""; 0]);
    assert_eq!(vpp.sim.vips(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_syncs_of_an_unchanged_world_write_nothing() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    let mut operator = daemon.operator().await;

    for _ in 0..100 {
        assert_eq!(operator.sync().await, []);
    }

    assert_eq!(vpp.sim.writes(), 0);
    assert!(vpp.sim.requests()["lb_vip_dump"] >= 100, "each of them looks: {:?}", vpp.sim.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpp_that_restarts_is_given_everything_again() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    let first = daemon.operator().await.vpp().await;
    let (conf, site) = (vpp.sim.conf(), vpp.weights(vip(2)));
    assert!(conf.ipv4_source.is_some() && site.is_some());

    vpp.sim.restart().await.unwrap();

    let mut operator = daemon.operator().await;
    eventually("the VPP that came back", SOON, async || {
        let info = operator.vpp().await;
        if info.pid == first.pid + 1 && info.status() == VppStatus::Connected { Ok(()) } else { Err(info) }
    })
    .await;
    operator.in_agreement().await;
    assert_eq!((vpp.sim.conf(), vpp.weights(vip(2))), (conf, site));
    // Parameters, two VIPs and their five servers, and nothing twice.
    assert_eq!(vpp.written().len(), 8, "{:#?}", vpp.written());
    assert!(daemon.line("VPP restarted: everything is written anew").is_some());
    assert!(operator.vpp().await.boot_at.unwrap().seconds > first.boot_at.unwrap().seconds);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_restarts_of_vpp_under_churn_end_in_agreement_each_time() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    let mut operator = daemon.operator().await;

    for round in 0..100_u32 {
        // Before, while it is away, and while it is written to: whatever moment it is.
        farm.0[0].answer(if round % 3 == 0 { 503 } else { 200 });
        operator.weigh(["site", "primary", "web1"], 25 * (round % 4)).await.unwrap();
        vpp.sim.restart().await.unwrap();
        let asked =
            if round % 2 == 0 { operator.disable("web2").await } else { operator.enable("web2").await };
        asked.unwrap();
        if round % 5 == 0 {
            vpp.sim.restart().await.unwrap();
        }
        eventually("agreement", SOON, async || {
            let vips = vpp.sim.vips().len();
            let plan = operator.client.plan_vpplb_state(PlanVpplbStateRequest::default());
            match plan.await.map(|plan| plan.into_inner().operations) {
                Ok(plan) if vips == 2 && plan.is_empty() => Ok(()),
                plan => Err((vips, plan)),
            }
        })
        .await;
    }

    farm.0[0].answer(200);
    operator.weigh(["site", "primary", "web1"], 50).await.unwrap();
    operator.enable("web2").await.unwrap();
    vpp.has(vip(1), [(Farm::ip(1), 1), (Farm::ip(2), 1)]).await;
    // A quarter more for one has been wanted meanwhile, so the scale may be finer than at the start.
    eventually("twice as much for one as for the other", SOON, async || {
        let weights = vpp.weights(vip(2)).map(|weights| weights.into_values().collect::<Vec<_>>());
        match weights.as_deref() {
            Some(&[two, one, 0]) if one > 0 && two == 2 * one => Ok(()),
            _ => Err(weights),
        }
    })
    .await;
    assert_eq!(operator.sync().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_there_before_vpp_waits_for_it() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    vpp.sim.down().await;
    let daemon = vpp.daemon(&site(&farm)).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let info = operator.vpp_becomes(VppStatus::Disconnected).await;
    assert!(info.problem.contains("is VPP running"), "{info:?}");
    let refused = operator.client.sync_vpplb_state(SyncVpplbStateRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused}");

    vpp.sim.up().await.unwrap();

    operator.in_charge().await;
    vpp.has(vip(2), [(Farm::ip(0), 2), (Farm::ip(1), 1), (Farm::ip(2), 0)]).await;
    let told = daemon.said("no connection to VPP").len();
    assert_eq!(told, 1, "one trouble is told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_before_the_warm_up_has_begun_and_what_is_not_known_only_at_its_end() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    // Nobody knows of this one before its probe has run out of time.
    let slow = farm.0[1].check().replace("timeout: 500ms", "timeout: 30s");
    farm.0[1].hang();
    let lb = LB.replace("delay: 0s", "delay: 1500ms").replace("delay: 10s", "delay: 5s");
    let config = site(&farm).check("web1", &slow).lb(&lb).pool("known", "primary", &["web0", "web2"]);

    let begun = Instant::now();
    let daemon = vpp.daemon(&config).await;
    let started = Instant::now();
    let mut operator = daemon.operator().await;
    operator.vpp_becomes(VppStatus::WarmingUp).await;
    operator.becomes("web0", BackendState::Up, SOON).await;
    // What would be written can be seen at any time.
    assert!(!operator.plan().await.is_empty());

    // The frontend `known`, the first by name, with all its backends up.
    vpp.has(vip(1), [(Farm::ip(0), 1), (Farm::ip(2), 1)]).await;
    assert!(begun.elapsed() >= Duration::from_millis(1500), "written after {:?}", begun.elapsed());
    assert_eq!(operator.vpp().await.status(), VppStatus::WarmingUp);
    assert_eq!((vpp.weights(vip(2)), vpp.weights(vip(3))), (None, None));

    // The rest when the time is over, with weight 0 for whom nothing is known of.
    vpp.has(vip(2), [(Farm::ip(1), 0), (Farm::ip(2), 1)]).await;
    vpp.has(vip(3), [(Farm::ip(0), 2), (Farm::ip(1), 0), (Farm::ip(2), 0)]).await;
    assert!(begun.elapsed() >= Duration::from_secs(5), "written after {:?}", begun.elapsed());
    assert!(started.elapsed() < Duration::from_secs(10), "written after {:?}", started.elapsed());
    operator.in_charge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_warm_up_everything_is_written_at_once() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    farm.0.iter().for_each(|server| server.hang());
    let checks = farm.config().lb(&LB.replace("delay: 10s", "delay: 0s"));
    let config = (0..3).fold(checks, |config, number: usize| {
        let slow = farm.0[number].check().replace("timeout: 500ms", "timeout: 30s");
        config.check(&format!("web{number}"), &slow)
    });
    let daemon = vpp.daemon(&config.pool("site", "primary", &["web0", "web1", "web2"])).await;

    vpp.has(vip(1), [0, 1, 2].map(|number| (Farm::ip(number), 0))).await;
    daemon.operator().await.in_charge().await;
}
