//! Edge. What is counted, and what Prometheus sees of VPP.

use std::io::Write;
use std::process::{Command, Stdio};

use maglev_api::v1;
use maglev_tests::cli::maglevc;
use maglev_tests::config::Config;
use maglev_tests::requirements::{missing, skip};
use maglev_tests::vpp::{Farm, Vpp, vip};
use maglev_tests::wait::{SOON, eventually};
use maglev_vpp::sim::Traffic;

fn site(farm: &Farm) -> Config {
    farm.config().pool("site", "primary", &["web0", "web1"])
}

const TRAFFIC: Traffic = Traffic { next: 1000, first: 20, untracked: 3, no_server: 4, bytes: 64_000 };

#[tokio::test(flavor = "multi_thread")]
async fn packets_are_counted() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    let mut operator = daemon.operator().await;
    assert!(vpp.sim.count(vip(1), TRAFFIC));

    let counters = eventually("counted packets", SOON, async || {
        let counters = operator.client.get_vpplb_counters(v1::GetVpplbCountersRequest {}).await;
        match counters.map(tonic::Response::into_inner) {
            Ok(counters) if counters.vips.iter().any(|vip| vip.next_packets > 0) => Ok(counters),
            other => Err(other),
        }
    })
    .await;

    let [site] = &counters.vips[..] else { panic!("{counters:#?}") };
    assert_eq!((site.frontend.as_str(), site.prefix.as_str(), site.port), ("site", "203.0.113.1/32", 80));
    let packets = [site.next_packets, site.first_packets, site.untracked_packets, site.no_server_packets];
    assert_eq!(packets, [1000, 20, 3, 4]);
    assert_eq!((site.route_packets, site.route_bytes), (1027, 64_000));
    let metrics = daemon.metrics();
    let key = [("prefix", "203.0.113.1/32"), ("protocol", "tcp"), ("port", "80")];
    for (kind, packets) in [("next", 1000.0), ("first", 20.0), ("untracked", 3.0), ("no-server", 4.0)] {
        let labels = [key[0], key[1], key[2], ("kind", kind)];
        assert_eq!(metrics.value("maglev_vpp_vip_packets_total", &labels), packets);
    }
    assert_eq!(metrics.value("maglev_vpp_vip_route_packets_total", &key), 1027.0);
    assert_eq!(metrics.value("maglev_vpp_vip_route_bytes_total", &key), 64_000.0);
    let said = maglevc(&daemon, &["show", "vpp", "lb", "counters"]);
    assert!(said.code == Some(0) && said.out.contains("1 027") && said.out.contains("site"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_vpp_is_there_and_right() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    let mut operator = daemon.operator().await;
    operator.pause("web1").await.unwrap();
    vpp.has(vip(1), [(Farm::ip(0), 1), (Farm::ip(1), 0)]).await;
    operator.in_agreement().await;
    operator.sync().await;
    vpp.sim.count(vip(1), TRAFFIC);
    let metrics = eventually("counters in metrics", SOON, async || {
        let metrics = daemon.metrics();
        if metrics.sum("maglev_vpp_vip_packets_total", &[]) > 0.0 { Ok(metrics) } else { Err(metrics) }
    })
    .await;

    let info = operator.vpp().await;
    assert_eq!(metrics.value("maglev_vpp_connected", &[]), 1.0);
    let labels = [("version", info.version.as_str()), ("build_date", &info.build_date)];
    assert_eq!(metrics.value("maglev_vpp_info", &labels), 1.0);
    assert_eq!(metrics.value("maglev_vpp_info", &[("pid", &info.pid.to_string())]), 1.0);
    assert!(metrics.value("maglev_vpp_uptime_seconds", &[]) < 600.0);
    assert!(metrics.value("maglev_vpp_connected_seconds", &[]) > 0.0);
    let sent = [("msg", "lb_as_set_weight"), ("direction", "sent"), ("result", "ok")];
    assert_eq!(metrics.value("maglev_vpp_api_total", &sent), 1.0);
    let received = [("msg", "lb_as_set_weight_reply"), ("direction", "received")];
    assert_eq!(
        metrics.sum("maglev_vpp_api_total", &received),
        1.0,
        "{:#?}",
        metrics.all("maglev_vpp_api_total", &[])
    );
    for (kind, count) in [
        ("vip_added", 1.0),
        ("vip_removed", 0.0),
        ("as_added", 2.0),
        ("as_removed", 0.0),
        ("as_weight_updated", 1.0),
    ] {
        assert_eq!(metrics.sum("maglev_vpp_lbsync_total", &[("kind", kind)]), count, "{kind}");
    }
    let site = [("frontend", "site")];
    assert_eq!(metrics.value("maglev_vpp_lbsync_errors_total", &site), 0.0);
    let synced = metrics.value("maglev_vpp_lbsync_last_success_timestamp_seconds", &site);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((now - 60.0..now + 1.0).contains(&synced), "{synced} is not just before {now}");
    let buckets = |backend| metrics.value("maglev_vpp_as_buckets", &[site[0], ("backend", backend)]);
    let length = f64::from(vpp.sim.vip(vip(1)).unwrap().table_length);
    assert_eq!((buckets("web0"), buckets("web1")), (length, 0.0));

    // What is gone from VPP is gone from here.
    vpp.sim.down().await;
    operator.vpp_becomes(v1::VppStatus::Disconnected).await;
    let metrics = daemon.metrics();
    assert_eq!(metrics.value("maglev_vpp_connected", &[]), 0.0);
    assert_eq!(metrics.all("maglev_vpp_info", &[]), Vec::<&_>::new());
    assert_eq!(metrics.all("maglev_vpp_as_buckets", &[]), Vec::<&_>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_are_counted_right_after_a_change() {
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;

    farm.0[0].answer(503);
    vpp.has(vip(1), [(Farm::ip(0), 0), (Farm::ip(1), 1)]).await;

    eventually("buckets that moved", SOON, async || {
        let metrics = daemon.metrics();
        let buckets =
            ["web0", "web1"].map(|backend| metrics.value("maglev_vpp_as_buckets", &[("backend", backend)]));
        let expected = vpp
            .sim
            .vip(vip(1))
            .unwrap()
            .servers
            .iter()
            .map(|server| f64::from(server.buckets))
            .collect::<Vec<_>>();
        if buckets == expected[..] { Ok(()) } else { Err((buckets, expected)) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_finds_nothing() {
    if let Some(absent) = missing(&[("promtool", "prometheus")]) {
        return skip(&absent);
    }
    let (farm, vpp) = (Farm::start(2).await, Vpp::start().await);
    let daemon = vpp.driven(&site(&farm)).await;
    vpp.sim.count(vip(1), TRAFFIC);
    let text = eventually("counters in metrics", SOON, async || {
        let text = daemon.scrape();
        if text.contains("maglev_vpp_vip_route_bytes_total{") { Ok(text) } else { Err(text) }
    })
    .await;

    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();

    let words = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && words.is_empty(), "promtool: {words}");
}
