//! The icmp probe on loopback, where this process may ping.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod support;

use std::net::{IpAddr, SocketAddr};

use maglev_core::check::ProbeSpec;
use maglev_core::outcome::{Code, Outcome};
use maglev_probe::{Prober, Target};
use tokio::task::JoinSet;

use support::*;

async fn ping(prober: &Prober, address: &str) -> Outcome {
    let address: IpAddr = address.parse().unwrap();
    run(prober, SocketAddr::new(address, 0), &ProbeSpec::Icmp, PATIENT).await
}

/// Whether the kernel lets this process ping.
async fn may_ping() -> bool {
    let outcome = ping(&Prober::new(), "127.0.0.1").await;
    let refused = outcome.code == Code::SockErr
        && outcome.detail.starts_with("cannot open a ping socket, set net.ipv4");
    if refused {
        skip("icmp", &outcome.detail);
    }
    !refused
}

#[tokio::test]
async fn loopback_echoes() {
    if !may_ping().await {
        return;
    }
    for (address, detail) in
        [("127.0.0.1", r"echo from 127\.0\.0\.1 in [\d.]+ m?s"), ("::1", r"echo from ::1 in [\d.]+ m?s")]
    {
        let outcome = ping(&Prober::new(), address).await;
        expect(address, &outcome, Code::L4Ok, detail);
        assert!(outcome.timings.connect.is_some());
    }
}

#[tokio::test]
async fn echoes_find_their_own_probe() {
    if !may_ping().await {
        return;
    }
    // All of them hear all replies of their peer on raw sockets, and loopback's requests too.
    let prober = Prober::new();
    let mut probes = JoinSet::new();
    for i in 0..200 {
        let prober = prober.clone();
        let address = if i % 2 == 0 { "127.0.0.1".to_owned() } else { format!("127.0.0.{i}") };
        probes.spawn(async move { ping(&prober, &address).await });
    }
    while let Some(outcome) = probes.join_next().await {
        assert_eq!(outcome.as_ref().unwrap().code, Code::L4Ok, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_source_is_used_and_must_be_ours() {
    if !may_ping().await {
        return;
    }
    let prober = Prober::new();
    let address = "127.0.0.1".parse().unwrap();
    for (source, code) in [("127.0.0.79", Code::L4Ok), ("192.0.2.250", Code::SockErr), ("::1", Code::SockErr)]
    {
        let target = Target { address, source: Some(source.parse().unwrap()), spec: &ProbeSpec::Icmp };
        let outcome = prober.run(&target, PATIENT).await;
        assert_eq!(outcome.code, code, "{source}: {outcome:?}");
    }
}
