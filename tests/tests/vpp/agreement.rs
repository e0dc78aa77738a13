//! Edge. What others change, and what others own.

use maglev_core::net::{Encap, Vip};
use maglev_core::plan::Operation;
use maglev_tests::cli::maglevc;
use maglev_tests::config::Config;
use maglev_tests::vpp::{Farm, LB, Vpp, vip};

fn site(farm: &Farm) -> Config {
    farm.config().pool("site", "primary", &["web0", "web1"])
}

/// What somebody else does to our VIP.
fn drift() -> [Operation; 2] {
    let (vip, address) = (vip(1), Farm::ip(0));
    [
        Operation::RemoveServer { vip, address, flush: false },
        Operation::SetWeight { vip, address: Farm::ip(1), weight: 7, flush: false },
    ]
}

fn foreign() -> Vip {
    vip(200)
}

/// A VIP of somebody else's.
fn add_foreign() -> [Operation; 2] {
    let vip = foreign();
    let added = Operation::AddVip { vip, encap: Encap::Gre4, table_length: 1024, src_ip_sticky: false };
    [added, Operation::AddServer { vip, address: Farm::ip(9), weight: 3 }]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_changed_is_put_right_when_an_operator_asks() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    let mut operator = daemon.operator().await;
    vpp.meddle(&drift()).await;
    let planned = operator.plan().await;

    let written = operator.sync().await;

    assert_eq!(written, planned, "a plan is what a sync does");
    let lines: Vec<_> = written.iter().map(|step| (step.frontend.as_str(), step.reason.as_str())).collect();
    let expected = ["web0 is missing; it takes traffic", "web1 takes traffic; its weight was 7"];
    assert_eq!(lines, expected.map(|reason| ("site", reason)));
    vpp.has(vip(1), [(Farm::ip(0), 1), (Farm::ip(1), 1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_changed_is_put_right_by_the_next_comparison() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let _daemon = vpp.driven(&site(&farm).lb(&LB.replace("1h", "1s"))).await;

    vpp.meddle(&drift()).await;
    vpp.has(vip(1), [(Farm::ip(0), 1), (Farm::ip(1), 1)]).await;
    vpp.sim.forget();
    vpp.has(vip(1), [(Farm::ip(0), 1), (Farm::ip(1), 1)]).await;
    assert!(vpp.sim.conf().ipv4_source.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn vips_of_others_are_shown_and_left_alone() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    vpp.meddle(&add_foreign()).await;
    let daemon = vpp.driven(&site(&farm)).await;
    let mut operator = daemon.operator().await;

    assert_eq!(operator.plan().await, []);
    assert_eq!(operator.sync().await, []);
    farm.0[0].answer(503);
    vpp.has(vip(1), [(Farm::ip(0), 0), (Farm::ip(1), 1)]).await;

    assert_eq!(vpp.weights(foreign()), Some([(Farm::ip(9), 3)].into()));
    let seen = operator.lb().await.vips;
    let owners: Vec<_> = seen.iter().map(|vip| (vip.prefix.as_str(), vip.frontend.as_str())).collect();
    assert_eq!(owners, [("203.0.113.1/32", "site"), ("203.0.113.200/32", "")]);
    assert_eq!(seen[1].servers[0].backend, "");
    let said = maglevc(&daemon, &["show", "vpp", "lb", "state"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("203.0.113.200") && said.out.contains("foreign"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn vips_of_others_are_removed_where_all_are_ours() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    vpp.meddle(&add_foreign()).await;
    let lb = format!("{LB}, ownership: exclusive");
    let daemon = vpp.driven(&site(&farm).lb(&lb)).await;

    assert_eq!(vpp.weights(foreign()), None);
    vpp.has(vip(1), [(Farm::ip(0), 1), (Farm::ip(1), 1)]).await;
    let removed = daemon
        .said("written to VPP")
        .into_iter()
        .find(|line| line["reason"].as_str().is_some_and(|reason| reason.contains("ownership is exclusive")));
    assert!(removed.is_some(), "{:#?}", daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_written_only_where_they_differ() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let config = site(&farm);
    let daemon = vpp.driven(&config).await;
    let mut operator = daemon.operator().await;
    let requests = || vpp.sim.requests().get("lb_conf").copied().unwrap_or(0);

    operator.sync().await;
    operator.reload().await.unwrap();
    operator.in_agreement().await;
    assert_eq!(requests(), 0);

    daemon.write(&config.lb(&format!("{LB}, flow-timeout: 55s")));
    operator.reload().await.unwrap();
    let written = vpp.asked(1).await;
    assert!(written[0].contains("55 s flow timeout: done"), "{written:?}");
    operator.sync().await;
    assert_eq!((requests(), vpp.sim.writes()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_vpp_has_is_shown_with_shares() {
    let (farm, vpp) = (Farm::start(3).await, Vpp::start().await);
    let config = farm.config().pool_with(
        "site",
        "primary",
        "web0: {weight: 60}, web1: {weight: 30}, web2: {weight: 10}",
    );
    let daemon = vpp.driven(&config).await;
    let mut operator = daemon.operator().await;

    let state = operator.lb().await;
    assert_eq!((state.ipv4_src_address.as_str(), state.sticky_buckets_per_core), ("192.0.2.1", 65536));
    let [site] = &state.vips[..] else { panic!("{state:#?}") };
    assert_eq!((site.encap.as_str(), site.table_length, site.sync_error.as_str()), ("gre4", 4096, ""));
    let simulated = vpp.sim.vip(vip(1)).unwrap();
    for (server, (backend, weight, wanted)) in
        site.servers.iter().zip([("web0", 6, 0.6), ("web1", 3, 0.3), ("web2", 1, 0.1)])
    {
        assert_eq!((server.backend.as_str(), server.weight), (backend, weight));
        assert!((server.share_wanted - wanted).abs() < 1e-9, "{server:?}");
        assert!(
            (server.share / wanted - 1.0).abs() < 0.01,
            "a share within 1 % of the one wanted: {server:?}"
        );
        let simulated = simulated.servers.iter().find(|other| other.address.to_string() == server.address);
        assert_eq!(simulated.map(|server| server.buckets), Some(server.buckets));
    }
}
