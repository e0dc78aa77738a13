//! Edge. What a change of health or intent writes.

use std::time::Duration;

use maglev_api::v1::SetFrontendPoolBackendWeightRequest;
use maglev_tests::config::Config;
use maglev_tests::vpp::{Farm, Vpp, vip};
use maglev_tests::wait::{SOON, eventually};
use maglev_vpp::sim::{Action, Fault};

const WEB0: &str = "server 127.0.0.11 in 203.0.113.1/32 tcp 80";
const WEB1: &str = "server 127.0.0.12 in 203.0.113.1/32 tcp 80";
const WEB2: &str = "server 127.0.0.13 in 203.0.113.1/32 tcp 80";

/// Twice as much for one server as for another, and a third that waits. Their weights reach VPP as 2, 1 and 2.
fn site(farm: &Farm) -> Config {
    farm.config().pool_with("site", "primary", "web0: {weight: 100}, web1: {weight: 50}").pool(
        "site",
        "spare",
        &["web2"],
    )
}

fn set(server: &str, weight: u8) -> String {
    format!("set weight of {server} to {weight}: done")
}

fn flush(server: &str, weight: u8) -> String {
    format!("set weight of {server} to {weight}, flushing its flows: done")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_loses_its_weight_and_its_flows_and_no_other_is_touched() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let _daemon = vpp.driven(&site(&farm)).await;
    vpp.has(vip(1), [(Farm::ip(0), 2), (Farm::ip(1), 1), (Farm::ip(2), 0)]).await;
    vpp.sim.set_flows(vip(1), Farm::ip(0), 1000);
    vpp.sim.set_flows(vip(1), Farm::ip(1), 500);

    farm.0[0].answer(503);
    assert_eq!(vpp.asked(1).await, [flush(WEB0, 0)]);
    let servers = vpp.sim.vip(vip(1)).unwrap().servers;
    assert_eq!(servers.iter().map(|server| server.flows).collect::<Vec<_>>(), [0, 500, 0]);

    farm.0[0].answer(200);
    assert_eq!(vpp.asked(2).await, [flush(WEB0, 0), set(WEB0, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frontend_that_does_not_flush_keeps_the_flows_of_a_server_that_fails() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let _daemon = vpp.driven(&site(&farm).frontend_with("site", "flush-on-down: false")).await;

    farm.0[0].answer(503);

    assert_eq!(vpp.asked(1).await, [set(WEB0, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spare_pool_takes_over_when_the_first_has_nobody_left_and_hands_back() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let _daemon = vpp.driven(&site(&farm)).await;

    farm.0[1].answer(503);
    vpp.asked(1).await;
    vpp.sim.clear_journal();
    farm.0[0].answer(503);
    // The one that comes before the one that goes, so that there is always somebody.
    assert_eq!(vpp.asked(2).await, [set(WEB2, 2), flush(WEB0, 0)]);

    vpp.sim.clear_journal();
    farm.0[1].answer(200);
    assert_eq!(vpp.asked(2).await, [set(WEB1, 1), set(WEB2, 0)]);
    vpp.has(vip(1), [(Farm::ip(0), 0), (Farm::ip(1), 1), (Farm::ip(2), 0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disabling_evicts_flows_and_pausing_does_not() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    let mut operator = daemon.operator().await;

    operator.pause("web0").await.unwrap();
    assert_eq!(vpp.asked(1).await, [set(WEB0, 0)]);
    operator.resume("web0").await.unwrap();
    assert_eq!(vpp.asked(2).await[1], set(WEB0, 2));

    operator.disable("web1").await.unwrap();
    assert_eq!(vpp.asked(3).await[2], flush(WEB1, 0));
    operator.enable("web1").await.unwrap();
    assert_eq!(vpp.asked(4).await[3], set(WEB1, 1));
    // What is so already is not written.
    operator.enable("web1").await.unwrap();
    assert_eq!(operator.sync().await, []);
    assert_eq!(vpp.sim.writes(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weight_is_set_with_or_without_its_flows() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    let mut operator = daemon.operator().await;

    operator.weigh(["site", "primary", "web0"], 50).await.unwrap();
    assert_eq!(vpp.asked(1).await, [set(WEB0, 1)]);

    // Also where the weight stays what it is.
    let request = SetFrontendPoolBackendWeightRequest {
        frontend: "site".into(),
        pool: "primary".into(),
        backend: "web0".into(),
        weight: Some(50),
        flush: true,
        ..SetFrontendPoolBackendWeightRequest::default()
    };
    operator.client.set_frontend_pool_backend_weight(request.clone()).await.unwrap();
    assert_eq!(vpp.asked(2).await[1], flush(WEB0, 1));
    let request = SetFrontendPoolBackendWeightRequest { weight: Some(0), ..request };
    operator.client.set_frontend_pool_backend_weight(request).await.unwrap();
    assert_eq!(vpp.asked(3).await[2], flush(WEB0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_in_two_frontends_is_written_to_both() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let config = farm
        .config()
        .pool("one", "primary", &["web0", "web1"])
        .pool("two", "primary", &["web0"])
        .pool("untouched", "primary", &["web1"]);
    let _daemon = vpp.driven(&config).await;

    farm.0[0].answer(503);

    let other = WEB0.replace("203.0.113.1", "203.0.113.3");
    let mut written = vpp.asked(2).await;
    written.sort();
    assert_eq!(written, [flush(WEB0, 0), flush(&other, 0)].map(|line| line.replace(".3/32", ".2/32")));
}

/// From the answer of the server that makes it fail, or pass, to what VPP is asked for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_reaches_vpp_at_once() {
    const CHANGES: usize = 20;
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let _daemon = vpp.driven(&site(&farm)).await;

    let mut took = Vec::new();
    for change in 1..=CHANGES {
        farm.0[0].answer(if change % 2 == 1 { 503 } else { 200 });
        // The next probe is 35 ms away at least, so the last answer is the one that did it.
        vpp.asked(change).await;
        took.push(vpp.asked_at().unwrap() - farm.0[0].answered().unwrap());
    }

    took.sort();
    let median = took[CHANGES / 2];
    println!("from answer to write: median {median:?}, longest {:?}", took[CHANGES - 1]);
    // A hundredth of that on a machine that does nothing else.
    assert!(median < Duration::from_millis(100), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_changes_behind_a_slow_vpp_is_written_once() {
    const CHANGES: u32 = 50;
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    let mut operator = daemon.operator().await;

    // The first change is under way for so long that all others come meanwhile.
    vpp.sim.inject(Fault::next("lb_as_set_weight", Action::Delay(Duration::from_secs(4))));
    for change in 1..=CHANGES {
        operator.weigh(["site", "primary", "web0"], 50 * (change % 2)).await.unwrap();
    }
    operator.weigh(["site", "primary", "web1"], 0).await.unwrap();

    vpp.has(vip(1), [(Farm::ip(0), 0), (Farm::ip(1), 0), (Farm::ip(2), 2)]).await;
    let written = vpp.written();
    assert!(written.len() <= 10, "{CHANGES} changes became {written:#?}");
    eventually("agreement that lasts", SOON, async || match operator.sync().await {
        written if written.is_empty() => Ok(()),
        written => Err(written),
    })
    .await;
}
