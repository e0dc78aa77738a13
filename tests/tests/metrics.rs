//! Edge. What Prometheus sees.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use maglev_tests::config::{Config, WEB};
use maglev_tests::daemon::Daemon;
use maglev_tests::lab::Lab;
use maglev_tests::metrics::Metrics;
use maglev_tests::requirements::{missing, skip};
use maglev_tests::server::Server;
use maglev_tests::wait::{SOON, eventually};

#[tokio::test]
async fn metrics_tell_what_the_daemon_knows() {
    let Some(lab) = Lab::open() else { return };
    let (nginx0, nginx1, spare) = (lab.nginx(10).await, lab.nginx(11).await, lab.nginx(12).await);
    let config = Config::new()
        .check("web", WEB)
        .backend("nginx0", nginx0.v4(), "web")
        .backend("nginx1", nginx1.v4(), "web")
        .backend("spare0", spare.v4(), "web")
        .pool_with("site", "primary", "nginx0: {weight: 30}, nginx1: {weight: 10}")
        .pool("site", "spare", &["spare0"]);
    let daemon = lab.daemon(&config).await;
    daemon.operator().await.all_up().await;
    for nginx in [&nginx0, &nginx1, &spare] {
        nginx.requested(5).await;
    }

    let metrics = daemon.metrics();

    for backend in ["nginx0", "nginx1", "spare0"] {
        let one = [("backend", backend)];
        assert_eq!(metrics.value("maglev_backend_state", &[one[0], ("state", "up")]), 1.0);
        assert_eq!(metrics.sum("maglev_backend_state", &one), 1.0, "{backend} is in one state");
        assert_eq!(metrics.value("maglev_backend_health", &one), 4.0);
        assert_eq!(metrics.value("maglev_backend_enabled", &one), 1.0);
        let probes = [one[0], ("type", "http"), ("result", "success"), ("code", "L7OK")];
        assert!(metrics.value("maglev_probe_total", &probes) >= 5.0);
        assert!(metrics.value("maglev_probe_duration_seconds_count", &one) >= 5.0);
        assert!(metrics.value("maglev_probe_duration_seconds_sum", &one) > 0.0);
        let within = |bound| metrics.value("maglev_probe_duration_seconds_bucket", &[one[0], ("le", bound)]);
        assert!(within("0.5") >= 5.0, "no probe takes longer than its timeout");
        assert_eq!(within("+Inf"), metrics.value("maglev_probe_duration_seconds_count", &one));
        let rose = [one[0], ("from", "unknown"), ("to", "up")];
        assert_eq!(metrics.value("maglev_backend_transitions_total", &rose), 1.0);
    }
    let weights = |name: &str| {
        ["nginx0", "nginx1", "spare0"]
            .map(|backend| metrics.value(name, &[("frontend", "site"), ("backend", backend)]))
    };
    assert_eq!(weights("maglev_frontend_pool_backend_weight"), [30.0, 10.0, 100.0]);
    assert_eq!(weights("maglev_frontend_pool_backend_effective_weight"), [30.0, 10.0, 0.0]);
    assert_eq!(metrics.value("maglev_frontend_state", &[("frontend", "site"), ("state", "up")]), 1.0);
    assert_eq!(metrics.sum("maglev_frontend_state", &[("frontend", "site")]), 1.0);
    assert_eq!(metrics.value("maglev_config_last_reload_successful", &[]), 1.0);
    assert_eq!(metrics.value("maglev_build_info", &[]), 1.0);
    assert!(metrics.value("process_open_fds", &[]) > 0.0);
}

#[tokio::test]
async fn metrics_follow_a_failover() {
    let Some(lab) = Lab::open() else { return };
    let (mut nginx0, nginx1) = (lab.nginx(10).await, lab.nginx(11).await);
    let daemon = lab.daemon(&Config::site([("nginx0", nginx0.v4()), ("nginx1", nginx1.v4())])).await;
    daemon.operator().await.all_well().await;

    nginx0.stop();

    let fell = [("backend", "nginx0"), ("from", "up"), ("to", "down")];
    let metrics = eventually("counted fall", SOON, async || {
        let metrics = daemon.metrics();
        match metrics.value("maglev_backend_transitions_total", &fell) {
            1.0 => Ok(metrics),
            other => Err(other),
        }
    })
    .await;
    assert_eq!(metrics.value("maglev_backend_state", &[("backend", "nginx0"), ("state", "down")]), 1.0);
    let refused = [("backend", "nginx0"), ("result", "failure"), ("code", "L4CON")];
    // The first of three failures may be a probe that was under way when the server died.
    assert!(metrics.value("maglev_probe_total", &refused) >= 2.0);
    let weight = [("pool", "primary"), ("backend", "nginx0")];
    assert_eq!(metrics.value("maglev_frontend_pool_backend_effective_weight", &weight), 0.0);
    assert_eq!(metrics.value("maglev_frontend_pool_backend_weight", &weight), 100.0);
}

#[tokio::test]
async fn metrics_tell_of_operators() {
    let (server0, server1) = (Server::start().await, Server::start().await);
    let config = server0.site("web0").check("other", &server1.check());
    let config =
        config.backend("web1", maglev_tests::server::LOOPBACK, "other").pool("site", "spare", &["web1"]);
    let daemon = Daemon::local(&config).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let vip = [("frontend", "site"), ("prefix", "203.0.113.1/32"), ("protocol", "tcp"), ("port", "80")];
    let active = |metrics: &Metrics| {
        [("primary", "1"), ("spare", "2")].map(|(pool, position)| {
            metrics.value("maglev_frontend_pool_active", &[("pool", pool), ("position", position)])
        })
    };
    let metrics = daemon.metrics();
    assert_eq!(metrics.value("maglev_frontend_info", &vip), 1.0);
    assert_eq!(active(&metrics), [1.0, 0.0]);
    assert_eq!(metrics.value("maglev_watchers", &[]), 0.0);
    assert!(metrics.all("maglev_backend_intent_timestamp_seconds", &[]).is_empty());
    assert!(metrics.value("maglev_engine_lateness_seconds_count", &[]) > 0.0);

    let watcher = operator.watch().await;
    let before = now();
    operator.pause("web0").await.unwrap();
    operator.pause("nobody").await.unwrap_err();

    let metrics = eventually("pause", SOON, async || {
        let metrics = daemon.metrics();
        let watched = metrics.value("maglev_watchers", &[]) == 1.0;
        if watched && active(&metrics) == [0.0, 1.0] { Ok(metrics) } else { Err(metrics) }
    })
    .await;
    let paused = [("backend", "web0"), ("intent", "paused")];
    let since = metrics.value("maglev_backend_intent_timestamp_seconds", &paused);
    assert!((before - 1.0..=now() + 1.0).contains(&since), "{since}");
    let calls = |code| {
        let labels = [("service", "maglev.v1.Maglev"), ("method", "PauseBackend"), ("code", code)];
        metrics.value("maglev_grpc_calls_total", &labels)
    };
    assert_eq!([calls("OK"), calls("NOT_FOUND")], [1.0, 1.0]);
    assert!(
        metrics.value("maglev_backend_last_probe_timestamp_seconds", &[("backend", "web1")]) > before - 60.0
    );
    drop(watcher);

    // Since when is not forgotten.
    let metrics = daemon.restart().await.metrics();
    let kept = metrics.value("maglev_backend_intent_timestamp_seconds", &paused);
    assert!((kept - since).abs() < 1.0, "{kept} is not {since}");
}

/// The wall clock, as Prometheus has it.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[tokio::test]
async fn what_is_gone_from_the_configuration_is_gone_from_the_metrics() {
    let (server0, server1) = (Server::start().await, Server::start().await);
    let daemon = Daemon::local(&server0.site("web0")).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    assert!(!daemon.metrics().mentioning("web0").is_empty());

    daemon.write(&server1.site("web1").pool("second", "primary", &["web1"]));
    operator.reload().await.unwrap();
    operator.all_up().await;
    let metrics = daemon.metrics();
    assert_eq!(metrics.mentioning("web0"), Vec::<&_>::new());
    assert!(!metrics.mentioning("second").is_empty());

    // One that comes back starts to count at zero. It is up at once: its address was known under another name.
    daemon.write(&server0.site("web0"));
    operator.reload().await.unwrap();
    operator.all_up().await;
    let metrics = daemon.metrics();
    assert_eq!(metrics.mentioning("second"), Vec::<&_>::new());
    assert_eq!(metrics.sum("maglev_backend_transitions_total", &[("backend", "web0")]), 0.0);
}

#[tokio::test]
async fn promtool_finds_nothing() {
    if let Some(absent) = missing(&[("promtool", "prometheus")]) {
        return skip(&absent);
    }
    let (server0, server1) = (Server::start().await, Server::start().await);
    server1.answer(503);
    let config = server0.site("web0").check("other", &server1.check());
    let config =
        config.backend("web1", maglev_tests::server::LOOPBACK, "other").pool("site", "spare", &["web1"]);
    let daemon = Daemon::local(&config).await;
    let mut operator = daemon.operator().await;
    operator.probed("web0", "L7OK").await;
    operator.probed("web1", "L7STS").await;

    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(daemon.scrape().as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();

    let words = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && words.is_empty(), "promtool: {words}");
}

#[tokio::test]
async fn metrics_are_reached_over_both_families_with_curl() {
    let Some(lab) = Lab::open() else { return };
    if let Some(absent) = missing(&[("curl", "curl")]) {
        return skip(&absent);
    }
    let host = lab.host(10);
    let server = Server::start().await;
    let _daemon = lab.daemon(&server.site("web0")).await;

    for url in ["http://10.0.0.1:9091/metrics", "http://[fd00::1]:9091/metrics"] {
        let output = host.namespace.run(&[
            "curl",
            "--silent",
            "--show-error",
            "--fail",
            "--globoff",
            "--include",
            url,
        ]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("content-type: text/plain; version=0.0.4"), "{text}");
        assert!(text.contains("maglev_build_info{"), "{text}");
    }
    let output = host.namespace.run(&["curl", "--silent", "--fail", "http://10.0.0.1:9091/elsewhere"]);
    assert!(!output.status.success(), "there is only /metrics");
}
