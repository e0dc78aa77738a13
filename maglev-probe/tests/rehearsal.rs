//! What stands in the way of a probe is known without sending one.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::net::IpAddr;

use maglev_core::check::{HttpSpec, ProbeSpec, StatusSet, TlsSpec};
use maglev_probe::{Prober, Target};
use tokio::net::TcpListener;

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn tcp(port: u16) -> ProbeSpec {
    ProbeSpec::Tcp { port, tls: None }
}

#[tokio::test]
async fn it_sends_nothing() {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let spec = tcp(listener.local_addr().unwrap().port());
    let target = Target { address: LOOPBACK, source: Some(LOOPBACK), spec: &spec };

    assert_eq!(Prober::new().rehearse(&target).await, Ok(()));

    // A connection of ours is the first to arrive.
    let ours = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (_, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, ours.local_addr().unwrap());
}

#[tokio::test]
async fn what_is_missing_is_named_and_is_no_capability() {
    let spec = tcp(80);
    let prober = Prober::builder().network_namespace("maglev-test-nowhere").build();
    let obstacle =
        prober.rehearse(&Target { address: LOOPBACK, source: None, spec: &spec }).await.unwrap_err();
    assert_eq!(obstacle.capability, None);
    assert_eq!(
        obstacle.to_string(),
        "cannot open the network namespace /run/netns/maglev-test-nowhere: no such file"
    );

    let source = Some("192.0.2.250".parse().unwrap());
    let target = Target { address: LOOPBACK, source, spec: &spec };
    let obstacle = Prober::new().rehearse(&target).await.unwrap_err();
    assert_eq!(obstacle.capability, None);
    assert!(obstacle.to_string().starts_with("cannot send from 192.0.2.250: "), "{obstacle}");
}

#[tokio::test]
async fn the_authorities_must_be_there_to_be_trusted() {
    let spec = ProbeSpec::Http {
        port: 443,
        tls: Some(TlsSpec {
            server_name: None,
            verify: true,
            ca_file: Some("/nowhere/ca.pem".into()),
            client: None,
        }),
        request: HttpSpec {
            path: "/".into(),
            host: None,
            method: "GET".into(),
            status: StatusSet::default(),
            body: None,
        },
    };
    let target = Target { address: LOOPBACK, source: None, spec: &spec };
    let obstacle = Prober::new().rehearse(&target).await.unwrap_err();
    assert!(obstacle.to_string().contains("/nowhere/ca.pem"), "{obstacle}");
}
