//! Edge. Several machines with the same file: the same tables, whatever happened to each of them.

use maglev_api::v1;
use maglev_tests::cli::maglevc;
use maglev_tests::config::Config;
use maglev_tests::daemon::Daemon;
use maglev_tests::operator::Operator;
use maglev_tests::vpp::{Farm, LB, Vpp, vip};
use maglev_tests::wait::{SOON, eventually};

/// Two frontends over three servers, with these weights in the pool that serves.
fn sites(farm: &Farm, members: &str) -> Config {
    farm.config()
        .pool_with("blog", "only", "web2: {weight: 40}, web0: {weight: 80}")
        .pool_with("site", "primary", members)
}

const SITE: [&str; 3] = ["site", "primary", "web1"];

/// The tables VPP has, without what has nothing to do with them.
async fn tables(operator: &mut Operator) -> v1::VpplbState {
    operator.in_agreement().await;
    v1::VpplbState { observed_at: None, ..operator.lb().await }
}

async fn fingerprints(operator: &mut Operator) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in ["blog", "site"] {
        let frontend = operator.frontend(name).await;
        found.push((frontend.fingerprint, frontend.fingerprint_desired));
    }
    found
}

/// The fingerprints in the metrics: of each frontend, and of all.
fn measured(daemon: &Daemon) -> Vec<f64> {
    let metrics = daemon.metrics();
    let one = |frontend| metrics.value("maglev_frontend_fingerprint", &[("frontend", frontend)]);
    vec![one("blog"), one("site"), metrics.value("maglev_fingerprint", &[])]
}

#[expect(clippy::expect_used, reason = "a test whose configuration is refused has failed")]
async fn reload(daemon: &Daemon, operator: &mut Operator, config: &Config) {
    daemon.write(config);
    operator.reload().await.expect("a valid configuration");
    operator.in_agreement().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_edits_overrides_and_restarts_leaves_the_table_of_a_fresh_instance() {
    let farm = Farm::start(3).await;
    let (old, new) = (Vpp::start().await, Vpp::start().await);
    let last = "web0: {weight: 100}, web1: {weight: 60}, web2: {weight: 30}";
    // Equal weights, overrides that need another scale, edits, raw weights, and restarts of both programs.
    let daemon = old.driven(&sites(&farm, "web0: {}, web1: {}, web2: {}")).await;
    let mut operator = daemon.operator().await;
    operator.weigh(SITE, 30).await.unwrap();
    operator.in_agreement().await;
    operator.weigh(SITE, 100).await.unwrap();
    reload(&daemon, &mut operator, &sites(&farm, "web0: {weight: 97}, web1: {weight: 50}, web2: {}")).await;
    operator.weigh(SITE, 33).await.unwrap();
    reload(&daemon, &mut operator, &sites(&farm, last).lb(&format!("{LB}, weight-scaling: raw"))).await;
    old.sim.restart().await.unwrap();
    operator.in_charge().await;
    let daemon = daemon.restart().await;
    let mut operator = daemon.operator().await;
    operator.in_charge().await;
    reload(&daemon, &mut operator, &sites(&farm, last)).await;
    operator.weigh(SITE, 60).await.unwrap();

    let fresh = new.driven(&sites(&farm, last)).await;
    let mut other = fresh.operator().await;

    let (one, two) = (tables(&mut operator).await, tables(&mut other).await);
    assert_eq!(one, two);
    new.has(vip(2), [(Farm::ip(0), 10), (Farm::ip(1), 6), (Farm::ip(2), 3)]).await;
    assert_eq!((one.fingerprint.len(), one.vips[1].table_length), (12, 4096));
    let found = fingerprints(&mut operator).await;
    assert_eq!(found, fingerprints(&mut other).await);
    assert!(found.iter().all(|(present, desired)| present == desired && !present.is_empty()), "{found:?}");
    assert_eq!(measured(&daemon), measured(&fresh));
    let number = u64::from_str_radix(&one.fingerprint, 16).unwrap();
    assert_eq!(measured(&daemon)[2], number as f64, "the metric has the digits of the API");

    // The same override makes the same table again; a server that is down makes another until it is down for both.
    for operator in [&mut operator, &mut other] {
        operator.weigh(SITE, 45).await.unwrap();
    }
    let (three, four) = (tables(&mut operator).await, tables(&mut other).await);
    assert_eq!(three, four);
    assert_ne!(three.fingerprint, one.fingerprint);
    farm.0[0].answer(503);
    eventually("the same table after a failure", SOON, async || {
        let seen = (tables(&mut operator).await.fingerprint, tables(&mut other).await.fingerprint);
        if seen.0 == seen.1 && seen.0 != three.fingerprint { Ok(()) } else { Err(seen) }
    })
    .await;

    // A restart with nothing changed writes nothing, overrides or not.
    operator.in_agreement().await;
    eventually("the failure on disk", SOON, async || match daemon.kept_counter("web0") {
        Some(0) => Ok(()),
        other => Err(other),
    })
    .await;
    old.sim.clear_journal();
    let daemon = daemon.restart().await;
    let mut operator = daemon.operator().await;
    operator.in_charge().await;
    operator.in_agreement().await;
    assert_eq!(operator.sync().await, []);
    assert_eq!(old.written(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_table_length_is_reported_and_ended_by_recreate() {
    let farm = Farm::start(3).await;
    let (old, new) = (Vpp::start().await, Vpp::start().await);
    let last = sites(&farm, "web0: {}, web1: {}, web2: {}");
    let daemon = old.driven(&sites(&farm, "web0: {}, web1: {}")).await;
    let mut operator = daemon.operator().await;
    reload(&daemon, &mut operator, &last).await;
    let fresh = new.driven(&last).await;
    let mut other = fresh.operator().await;

    let (one, two) = (tables(&mut operator).await, tables(&mut other).await);
    let lengths = |state: &v1::VpplbState| {
        let vip = &state.vips[1];
        (vip.table_length, vip.table_length_desired, vip.table_length_kept)
    };
    assert_eq!((lengths(&one), lengths(&two)), ((2048, 4096, true), (4096, 4096, false)));
    let sent =
        |state: &v1::VpplbState| state.vips[1].servers.iter().map(|server| server.weight).collect::<Vec<_>>();
    assert_eq!(sent(&one), sent(&two));
    assert_ne!(one.fingerprint, two.fingerprint);
    let site = operator.frontend("site").await;
    assert_eq!(site.fingerprint_desired, other.frontend("site").await.fingerprint);
    assert_ne!(site.fingerprint, site.fingerprint_desired);
    let kept = |daemon: &Daemon| {
        daemon.metrics().value("maglev_frontend_table_length_kept", &[("frontend", "site")])
    };
    assert_eq!((kept(&daemon), kept(&fresh)), (1.0, 0.0));
    let shown = maglevc(&daemon, &["show", "vpp", "lb", "state"]);
    assert!(shown.out.contains("`sync vpp lb state site recreate`"), "{}", shown.out);

    let problems = maglevc(&daemon, &["show", "problems"]);
    assert!(
        problems.out.contains("its table has 2048 entries, and one that is made now would have 4096"),
        "{}",
        problems.out
    );
    assert!(!maglevc(&fresh, &["show", "problems"]).out.contains("its table has"));

    // Of no frontend, and only of the one that is named.
    let request = v1::SyncVpplbStateRequest { frontend: String::new(), recreate: true };
    let refused = operator.client.sync_vpplb_state(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    let planned = maglevc(&daemon, &["plan", "vpp", "lb", "state", "site", "recreate"]);
    assert!(planned.out.contains("table length differs, which takes a new VIP"), "{}", planned.out);
    assert_eq!(operator.sync().await, [], "a sync alone leaves it");
    assert_eq!(maglevc(&daemon, &["sync", "vpp", "lb", "state", "blog", "recreate"]).code, Some(0));
    assert_eq!(lengths(&tables(&mut operator).await), (2048, 4096, true));

    let done = maglevc(&daemon, &["sync", "vpp", "lb", "state", "site", "recreate"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(tables(&mut operator).await, two);
    assert_eq!(kept(&daemon), 0.0);
}
