//! Edge. What is said of probes that cannot be made for want of a capability.

use maglev_api::v1::BackendState;
use maglev_tests::config::Config;
use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::lab::Lab;
use maglev_tests::server::Server;
use maglev_tests::wait::{SOON, eventually};
use nix::sys::signal::Signal;
use serde_json::Value;

/// The one line that says that something cannot be probed.
async fn complaint(daemon: &Daemon, message: &str) -> Value {
    eventually("complaint", SOON, async || daemon.line(message).ok_or("no such line")).await
}

#[track_caller]
fn nothing_is_missing(daemon: &Daemon) {
    let text = daemon.scrape();
    for capability in ["CAP_NET_RAW", "CAP_SYS_ADMIN"] {
        assert!(
            text.contains(&format!("maglev_capability_missing{{capability=\"{capability}\"}} 0\n")),
            "{text}"
        );
    }
}

const MISSING: &str = "a capability is missing: these backends cannot be probed and keep the state they have";
const UNPROBED: &str = "these backends cannot be probed and keep the state they have";
const AGAIN: &str = "every backend can be probed again";

#[tokio::test]
async fn without_the_capability_for_icmp_it_says_so_at_the_start() {
    let Some(lab) = Lab::open() else { return };
    let host = lab.host(10);
    let config = Config::new()
        .check("ping", "type: icmp, interval: 200ms")
        .check("web", "type: tcp, port: 80, interval: 200ms")
        .backend("pinged", host.v4(), "ping")
        .backend("pinged6", host.v6(), "ping")
        .backend("asked", host.v4(), "web");
    let options = Options { powerless: true, ..lab.options() };
    let daemon = Daemon::start(&config, options).await;

    let line = complaint(&daemon, MISSING).await;

    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["capability"], "CAP_NET_RAW");
    assert_eq!((&line["healthchecks"], &line["backends"]), (&"ping".into(), &"pinged pinged6".into()));
    for (field, words) in [("reason", "ping_group_range"), ("remedy", "AmbientCapabilities=CAP_NET_RAW")] {
        assert!(line[field].as_str().unwrap().contains(words), "{line}");
    }
    let metric = "maglev_capability_missing{capability=\"CAP_NET_RAW\"} 1\n";
    assert!(daemon.scrape().contains(metric), "{}", daemon.scrape());
    assert_eq!(daemon.operator().await.backend("pinged").await.state(), BackendState::Unknown);

    // Once the kernel allows it to everybody, a reload finds out.
    let allowed = lab.hub().run(&["sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647"]);
    assert!(allowed.status.success(), "{allowed:?}");
    daemon.signal(Signal::SIGHUP);
    complaint(&daemon, AGAIN).await;
    nothing_is_missing(&daemon);
    daemon.operator().await.becomes("pinged6", BackendState::Up, SOON).await;
    assert_eq!(daemon.said(MISSING).len(), 1, "said once");
}

#[tokio::test]
async fn without_the_capability_for_a_namespace_it_says_how_to_give_it() {
    let Some(lab) = Lab::open() else { return };
    let server = Server::start().await;
    let config = server.site("web0");
    let options = Options { powerless: true, ..Options::default() };
    let daemon = Daemon::start(&config, options).await;
    daemon.operator().await.becomes("web0", BackendState::Up, SOON).await;
    nothing_is_missing(&daemon);

    daemon.write(&config.clone().netns(lab.hub().name()));
    daemon.signal(Signal::SIGHUP);
    let line = complaint(&daemon, MISSING).await;

    assert_eq!((&line["capability"], &line["backends"]), (&"CAP_SYS_ADMIN".into(), &"web0".into()));
    assert!(line["reason"].as_str().unwrap().contains(lab.hub().name()), "{line}");
    assert!(line["remedy"].as_str().unwrap().contains("netns.conf"), "{line}");
    assert!(daemon.scrape().contains("maglev_capability_missing{capability=\"CAP_SYS_ADMIN\"} 1\n"));

    daemon.write(&config);
    daemon.signal(Signal::SIGHUP);
    complaint(&daemon, AGAIN).await;
    nothing_is_missing(&daemon);
}

#[tokio::test]
async fn a_source_that_is_not_ours_is_no_missing_capability() {
    let server = Server::start().await;
    let check = format!("{}, probe-ipv4-src: 192.0.2.250", server.check());
    let daemon = Daemon::local(&server.site("web0").check("web", &check)).await;

    let line = complaint(&daemon, UNPROBED).await;

    assert_eq!((&line["level"], &line["backends"]), (&"WARN".into(), &"web0".into()));
    assert!(line["reason"].as_str().unwrap().contains("192.0.2.250"), "{line}");
    nothing_is_missing(&daemon);
}
