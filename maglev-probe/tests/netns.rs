//! Probes from another network namespace, made for each test and removed after it. Needs root and iproute2.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod support;

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;

use maglev_core::check::ProbeSpec;
use maglev_core::outcome::Code;
use maglev_probe::{Prober, Target};
use tokio::task::JoinSet;

use support::netns::Netns;
use support::*;

fn tcp(port: u16) -> ProbeSpec {
    ProbeSpec::Tcp { port, tls: None }
}

#[tokio::test]
async fn sockets_are_opened_there_and_only_there() {
    let Some(netns) = Netns::new("there") else { return };
    for bind in ["127.0.0.1:0", "[::1]:0"] {
        let listener = netns.listen(bind.parse().unwrap());
        let address = listener.local_addr().unwrap();
        let spec = tcp(address.port());
        let by_path = Prober::builder().network_namespace(&netns.path()).build();
        assert_eq!(run(&netns.prober(), address, &spec, PATIENT).await.code, Code::L4Ok);
        assert_eq!(run(&by_path, address, &spec, PATIENT).await.code, Code::L4Ok);
        assert_eq!(run(&Prober::new(), address, &spec, PATIENT).await.code, Code::L4Con);
    }
}

#[tokio::test]
async fn only_one_thread_ever_enters() {
    let Some(netns) = Netns::new("threads") else { return };
    let prober = netns.prober();
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    assert_eq!(run(&prober, nobody, &tcp(9), PATIENT).await.code, Code::L4Con);
    let there = std::fs::metadata(netns.path()).unwrap().ino();
    let names_of_those_inside: Vec<String> = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .map(|task| task.unwrap().path())
        .filter(|task| std::fs::metadata(task.join("ns/net")).is_ok_and(|ns| ns.ino() == there))
        .map(|task| std::fs::read_to_string(task.join("comm")).unwrap().trim().to_owned())
        .collect();
    assert_eq!(names_of_those_inside, ["maglev-netns"]);
}

#[tokio::test]
async fn a_namespace_that_is_gone_is_our_fault_and_one_that_came_back_is_used() {
    let Some(netns) = Netns::new("again") else { return };
    let prober = netns.prober();
    let at: SocketAddr = "127.0.0.1:4000".parse().unwrap();
    let first = netns.listen(at);
    assert_eq!(run(&prober, at, &tcp(4000), PATIENT).await.code, Code::L4Ok);

    netns.delete();
    let gone = run(&prober, at, &tcp(4000), PATIENT).await;
    let detail = format!("cannot open the network namespace {}: no such file", netns.path());
    expect("gone", &gone, Code::SockErr, &regex::escape(&detail));

    netns.add().unwrap();
    let refused = run(&prober, at, &tcp(4000), PATIENT).await;
    assert_eq!(refused.code, Code::L4Con, "nobody listens in the new one: {refused:?}");
    let _second = netns.listen(at);
    assert_eq!(run(&prober, at, &tcp(4000), PATIENT).await.code, Code::L4Ok);
    drop(first);
}

#[tokio::test]
async fn pings_work_with_and_without_ping_sockets() {
    let Some(netns) = Netns::new("ping") else { return };
    let prober = netns.prober();
    // Nobody may open ping sockets in a new namespace, so these are raw.
    for group_range in [None, Some("0 2147483647")] {
        if let Some(range) = group_range {
            netns.sysctl("ipv4/ping_group_range", range);
        }
        for address in ["127.0.0.1", "::1"] {
            let address = SocketAddr::new(address.parse().unwrap(), 0);
            let outcome = run(&prober, address, &ProbeSpec::Icmp, PATIENT).await;
            expect(&format!("{group_range:?}"), &outcome, Code::L4Ok, "echo from .*");
        }
        // Loopback answers for all of its network, other networks have no way there.
        let nowhere = SocketAddr::from(([192, 0, 2, 1], 0));
        let outcome = run(&prober, nowhere, &ProbeSpec::Icmp, PATIENT).await;
        expect("no route", &outcome, Code::SockErr, r"cannot send to 192\.0\.2\.1: network unreachable");
    }
}

#[tokio::test]
async fn one_source_probes_more_backends_than_it_has_ports() {
    let Some(netns) = Netns::new("ports") else { return };
    netns.sysctl("ipv4/ip_local_port_range", "40000 40003");
    let source: IpAddr = "127.0.0.80".parse().unwrap();
    let prober = netns.prober();
    let mut listeners = Vec::new();
    let mut probes = JoinSet::new();
    for i in 1..=20 {
        // Connections that stay open: nobody answers.
        let address = SocketAddr::from(([127, 0, 1, i], 80));
        listeners.push(netns.listen(address));
        let prober = prober.clone();
        probes.spawn(async move {
            let spec = http(80, get());
            prober.run(&Target { address: address.ip(), source: Some(source), spec: &spec }, HASTY).await
        });
    }
    while let Some(outcome) = probes.join_next().await {
        let outcome = outcome.unwrap();
        assert_eq!(outcome.code, Code::L7Tout, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_thousand_requests_at_once_all_get_their_socket() {
    let Some(netns) = Netns::new("many") else { return };
    let listener = netns.listen("127.0.0.1:0".parse().unwrap());
    let address = listener.local_addr().unwrap();
    let prober = netns.prober();
    let mut probes = JoinSet::new();
    for _ in 0..1000 {
        let prober = prober.clone();
        probes.spawn(async move { run(&prober, address, &tcp(address.port()), PATIENT).await });
    }
    while let Some(outcome) = probes.join_next().await {
        let outcome = outcome.unwrap();
        assert_eq!(outcome.code, Code::L4Ok, "{outcome:?}");
    }
}
