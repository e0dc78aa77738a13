//! Edge. Each kind of probe against a real server.

use maglev_api::v1::BackendState;
use maglev_tests::authority::Authority;
use maglev_tests::config::{Config, WEB};
use maglev_tests::daemon::Daemon;
use maglev_tests::lab::Lab;
use maglev_tests::nginx::{Nginx, Site};
use maglev_tests::operator::Operator;
use maglev_tests::wait::SOON;
use tempfile::TempDir;

/// Quick enough to find out.
const PACE: &str = "interval: 200ms, timeout: 1s";

/// One backend for each check, of the same name, all of them at one address.
fn one_each(address: std::net::IpAddr, checks: &[(&str, String)]) -> Config {
    let names: Vec<&str> = checks.iter().map(|(name, _)| *name).collect();
    checks.iter().fold(Config::new().pool("site", "primary", &names), |config, (name, fields)| {
        config.check(name, &format!("{fields}, {PACE}")).backend(name, address, name)
    })
}

async fn up_with(operator: &mut Operator, backend: &str, code: &str) {
    let found = operator.becomes(backend, BackendState::Up, SOON).await;
    assert_eq!(found.last_probe.map(|probe| probe.code).as_deref(), Some(code), "{backend}");
}

async fn down_with(operator: &mut Operator, backend: &str, code: &str) -> String {
    let found = operator.becomes(backend, BackendState::Down, SOON).await;
    let probe = found.last_probe.unwrap_or_default();
    assert_eq!(probe.code, code, "{backend}: {}", probe.detail);
    probe.detail
}

async fn with_tls(lab: &Lab, authority: &Authority) -> Nginx {
    lab.web(10, Site { tls: Some(authority.certify(&["www.example.org"])) }).await
}

#[tokio::test]
async fn https_trusts_whom_it_is_told_to() {
    let Some(lab) = Lab::open() else { return };
    let (authority, directory) = (Authority::new(), TempDir::new().unwrap());
    let ca = directory.path().join("ca.pem");
    authority.write(&ca);
    let nginx = with_tls(&lab, &authority).await;
    let https = |params: &str| format!("type: https, port: 443, params: {{path: /healthz, {params}}}");
    let config = one_each(
        nginx.v4(),
        &[
            ("trusted", https(&format!("server-name: www.example.org, ca-file: {}", ca.display()))),
            ("unverified", https("insecure-skip-verify: true")),
            ("stranger", https("server-name: www.example.org")),
            ("misnamed", https(&format!("server-name: www.example.net, ca-file: {}", ca.display()))),
        ],
    );
    let daemon = lab.daemon(&config).await;
    let mut operator = daemon.operator().await;

    up_with(&mut operator, "trusted", "L7OK").await;
    up_with(&mut operator, "unverified", "L7OK").await;
    down_with(&mut operator, "stranger", "L6RSP").await;
    let detail = down_with(&mut operator, "misnamed", "L6RSP").await;

    assert!(detail.contains("www.example.net"), "{detail}");
    nginx.request("request that names its server", |request| request.server_name == "www.example.org").await;
    let misled = nginx.requests().into_iter().any(|request| request.server_name == "www.example.net");
    assert!(!misled, "nothing is asked of one who is somebody else");
}

#[tokio::test]
async fn reload_reads_the_authorities_of_the_system_again() {
    let Some(lab) = Lab::open() else { return };
    let (authority, other, directory) = (Authority::new(), Authority::new(), TempDir::new().unwrap());
    let bundle = directory.path().join("ca-certificates.crt");
    other.write(&bundle);
    let nginx = with_tls(&lab, &authority).await;
    let check = "type: https, port: 443, params: {path: /healthz, server-name: www.example.org}";
    let config = one_each(nginx.v4(), &[("web", check.to_owned())]);
    let mut options = lab.options();
    options.variables.push(("SSL_CERT_FILE".to_owned(), bundle.display().to_string()));
    let daemon = Daemon::start(&config, options).await;
    let mut operator = daemon.operator().await;
    down_with(&mut operator, "web", "L6RSP").await;

    authority.write(&bundle);
    operator.reload().await.unwrap();
    up_with(&mut operator, "web", "L7OK").await;
}

#[tokio::test]
async fn https_to_a_server_without_tls_is_a_tls_failure() {
    let Some(lab) = Lab::open() else { return };
    let nginx = lab.nginx(10).await;
    let check = "type: https, port: 80, params: {insecure-skip-verify: true}".to_owned();
    let daemon = lab.daemon(&one_each(nginx.v4(), &[("plain", check)])).await;

    down_with(&mut daemon.operator().await, "plain", "L6RSP").await;
}

#[tokio::test]
async fn tcp_connects_and_asks_for_no_more() {
    let Some(lab) = Lab::open() else { return };
    let authority = Authority::new();
    let nginx = with_tls(&lab, &authority).await;
    let config = one_each(
        nginx.v4(),
        &[
            ("open", "type: tcp, port: 80".to_owned()),
            ("closed", "type: tcp, port: 81".to_owned()),
            ("tls", "type: tcp, port: 443, params: {tls: true, insecure-skip-verify: true}".to_owned()),
            (
                "stranger",
                "type: tcp, port: 443, params: {tls: true, server-name: www.example.org}".to_owned(),
            ),
        ],
    );
    let daemon = lab.daemon(&config).await;
    let mut operator = daemon.operator().await;

    up_with(&mut operator, "open", "L4OK").await;
    down_with(&mut operator, "closed", "L4CON").await;
    up_with(&mut operator, "tls", "L6OK").await;
    down_with(&mut operator, "stranger", "L6RSP").await;
    assert!(nginx.requests().iter().all(|request| request.path.is_empty()), "{:?}", nginx.requests());
}

#[tokio::test]
async fn icmp_asks_over_both_families() {
    let Some(lab) = Lab::open() else { return };
    let host = lab.host(10);
    let icmp = &format!("type: icmp, {PACE}");
    let config = Config::new()
        .check("ping", icmp)
        .backend("v4", host.v4(), "ping")
        .backend("v6", host.v6(), "ping")
        .backend("nobody", lab.black_hole(99), "ping")
        .pool("four", "primary", &["v4", "nobody"])
        .pool("six", "primary", &["v6"]);
    let daemon = lab.daemon(&config).await;
    let mut operator = daemon.operator().await;

    up_with(&mut operator, "v4", "L4OK").await;
    up_with(&mut operator, "v6", "L4OK").await;
    down_with(&mut operator, "nobody", "L4TOUT").await;

    host.unplug();
    down_with(&mut operator, "v4", "L4TOUT").await;
    down_with(&mut operator, "v6", "L4TOUT").await;
}

#[tokio::test]
async fn http_over_ipv6() {
    let Some(lab) = Lab::open() else { return };
    let nginx = lab.nginx(10).await;
    let check = format!("type: http, port: 80, {PACE}");
    let config = Config::new().check("web", &check).backend("nginx0", nginx.v6(), "web").pool(
        "site",
        "primary",
        &["nginx0"],
    );
    let daemon = lab.daemon(&config).await;

    up_with(&mut daemon.operator().await, "nginx0", "L7OK").await;

    let request = nginx.request("request", |_| true).await;
    assert_eq!((request.from.to_string().as_str(), request.host.as_str()), ("fd00::1", "[fd00::10]"));
}

#[tokio::test]
async fn probes_leave_from_the_address_they_are_told_to() {
    let Some(lab) = Lab::open() else { return };
    lab.hub().configure("addr add 10.0.0.2/24 dev br0\naddr add fd00::2/64 dev br0 nodad");
    let nginx = lab.nginx(10).await;
    let source = format!("{WEB}, probe-ipv4-src: 10.0.0.2, probe-ipv6-src: fd00::2");
    let config = Config::new()
        .check("web", &source)
        .backend("v4", nginx.v4(), "web")
        .backend("v6", nginx.v6(), "web")
        .pool("four", "primary", &["v4"])
        .pool("six", "primary", &["v6"]);
    let daemon = lab.daemon(&config).await;
    daemon.operator().await.all_up().await;

    for source in ["10.0.0.2", "fd00::2"] {
        nginx.request("request from there", |request| request.from.to_string() == source).await;
    }
    let others = nginx.requests().into_iter().any(|request| request.from.to_string().ends_with('1'));
    assert!(!others, "some came from elsewhere");
}

#[tokio::test]
async fn probes_leave_from_the_namespace_they_are_told_to() {
    let Some(lab) = Lab::open() else { return };
    let nginx = lab.web(10, Site::default()).await;
    let checks = [
        ("web", WEB),
        ("connect", "type: tcp, port: 80, interval: 200ms"),
        ("ping", "type: icmp, interval: 200ms"),
    ];
    let config = checks.iter().fold(Config::new().netns(lab.hub().name()), |config, (name, fields)| {
        config.check(name, fields).backend(name, nginx.v4(), name)
    });
    let config = config.pool("site", "primary", &["web", "connect", "ping"]);

    // This one is not in the lab: it sees its servers only through the hub.
    let daemon = Daemon::local(&config).await;

    daemon.operator().await.all_up().await;
    assert_eq!(nginx.request("request", |_| true).await.from.to_string(), "10.0.0.1");
}

#[tokio::test]
async fn a_namespace_that_is_not_there_is_no_verdict() {
    let server = maglev_tests::server::Server::start().await;
    let daemon = Daemon::local(&server.site("web0").netns("maglev-test-nowhere")).await;
    let mut operator = daemon.operator().await;

    let backend = operator.probed("web0", "SOCKERR").await;

    assert_eq!(backend.state(), BackendState::Unknown, "this says nothing about the backend");
    let probe = backend.last_probe.unwrap();
    assert_eq!(probe.success, None);
    assert!(probe.detail.contains("maglev-test-nowhere"), "{}", probe.detail);
}

#[tokio::test]
async fn interface_of_our_own_that_is_down_is_no_verdict() {
    let Some(lab) = Lab::open() else { return };
    let nginx = lab.nginx(10).await;
    let strict = format!("{WEB}, unprobeable: down");
    let config = Config::new()
        .check("web", WEB)
        .check("strict", &strict)
        .backend("held", nginx.v4(), "web")
        .backend("dropped", nginx.v4(), "strict")
        .pool("site", "primary", &["held", "dropped"]);
    let daemon = lab.daemon(&config).await;
    let mut operator = daemon.operator().await;
    operator.all_well().await;

    lab.hub().configure("link set br0 down");
    operator.probed("held", "SOCKERR").await;
    down_with(&mut operator, "dropped", "SOCKERR").await;

    let held = operator.backend("held").await;
    assert_eq!(held.state(), BackendState::Up);
    let unprobeable = held.unprobeable.expect("a reason");
    assert!(unprobeable.reason.contains("network unreachable"), "{}", unprobeable.reason);
    assert_eq!(daemon.metrics().value("maglev_backend_unprobeable", &[("backend", "held")]), 1.0);
    let problems = maglev_tests::cli::maglevc(&daemon, &["show", "problems"]).out;
    assert!(problems.contains("held") && problems.contains("cannot be probed"), "{problems}");

    lab.hub().configure("link set br0 up");
    operator.all_up().await;
    operator.probed("held", "L7OK").await;
    assert_eq!(operator.backend("held").await.unprobeable, None);
    assert_eq!(daemon.metrics().value("maglev_backend_unprobeable", &[("backend", "held")]), 0.0);
}
