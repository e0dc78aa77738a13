//! Edge. What a reload writes, and that it can be seen before.

use maglev_api::v1::VppOperation;
use maglev_tests::config::Config;
use maglev_tests::vpp::{Farm, LB, Vpp, vip};
use maglev_tests::wait::{SOON, eventually};

fn site(farm: &Farm) -> Config {
    farm.config().pool("site", "primary", &["web0", "web1"])
}

/// Reloads, and sees that just what was planned is written.
async fn reload_as_planned(vpp: &Vpp, farm: &Farm, config: Config) -> Vec<VppOperation> {
    let daemon = vpp.driven(&site(farm)).await;
    let mut operator = daemon.operator().await;
    let planned = operator.plan_for(&config).await;
    assert_eq!(vpp.written(), [""; 0], "a plan writes nothing");

    let logged = || daemon.said("written to VPP");
    let before = logged().len();
    daemon.write(&config);
    let reloaded = operator.reload().await;
    assert!(reloaded.is_ok(), "{reloaded:?}");

    let written = eventually("log of what is written", SOON, async || {
        let written = logged().split_off(before);
        if written.len() >= planned.len() { Ok(written) } else { Err(written) }
    })
    .await;
    let actions: Vec<_> = planned.iter().map(|step| step.action.as_str()).collect();
    assert_eq!(written.iter().filter_map(|line| line["operation"].as_str()).collect::<Vec<_>>(), actions);
    operator.in_agreement().await;
    assert_eq!(vpp.written().len(), planned.len());
    planned
}

#[tokio::test(flavor = "multi_thread")]
async fn another_encapsulation_makes_the_vip_anew() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let config = farm
        .config()
        .lb(&format!("{LB}, ipv6-src-address: '2001:db8::1'"))
        .backend_with("six", "address: '2001:db8::6'")
        .pool("site", "primary", &["six"]);

    let planned = reload_as_planned(&vpp, &farm, config).await;

    // The parameters, the VIP away and there again, and its server.
    assert_eq!(planned.len(), 4, "{planned:#?}");
    assert_eq!(planned[1].reason, "its encapsulation differs, which takes a new VIP");
    assert_eq!(vpp.sim.vip(vip(1)).unwrap().encap, 1);
    vpp.has(vip(1), [("2001:db8::6".parse().unwrap(), 1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stickiness_makes_the_vip_anew() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let config = site(&farm).frontend_with("site", "src-ip-sticky: true");

    let planned = reload_as_planned(&vpp, &farm, config).await;

    assert_eq!(planned.len(), 4, "{planned:#?}");
    assert_eq!(planned[0].reason, "its stickiness differs, which takes a new VIP");
    assert!(vpp.sim.vip(vip(1)).unwrap().src_ip_sticky);
    vpp.has(vip(1), [(Farm::ip(0), 1), (Farm::ip(1), 1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frontend_that_is_dropped_goes_and_a_new_one_comes() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let config = farm.config().pool("another", "primary", &["web1"]).pool("site", "primary", &["web1"]);

    reload_as_planned(&vpp, &farm, config.clone()).await;
    vpp.has(vip(1), [(Farm::ip(1), 1)]).await;
    vpp.has(vip(2), [(Farm::ip(1), 1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vip_no_frontend_has_any_more_is_removed() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let both = farm.config().pool("a", "primary", &["web0"]).pool("b", "primary", &["web1"]);
    let daemon = vpp.driven(&both).await;

    daemon.write(&farm.config().pool("a", "primary", &["web0"]));
    daemon.operator().await.reload().await.unwrap();

    assert_eq!(vpp.asked(1).await, ["remove VIP 203.0.113.2/32 tcp 80: done"]);
    assert_eq!(vpp.weights(vip(2)), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_of_the_same_configuration_writes_nothing() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    let mut operator = daemon.operator().await;
    for _ in 0..5 {
        operator.reload().await.unwrap();
    }
    assert_eq!(operator.sync().await, []);
    assert_eq!(vpp.sim.writes(), 0);
}
