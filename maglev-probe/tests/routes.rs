//! Errors of our own call say nothing of a backend, errors that the network reports do. In network namespaces made for each test;
//! needs root and iproute2.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod support;

use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use maglev_core::check::ProbeSpec;
use maglev_core::outcome::{Code, Verdict};
use maglev_probe::{Prober, Target};

use support::netns::{Netns, ip};
use support::*;

/// Lets everybody have ping sockets, or nobody, so that raw ones are taken.
const PING_SOCKETS: [&str; 2] = ["0 2147483647", "1 0"];

fn tcp(port: u16) -> ProbeSpec {
    ProbeSpec::Tcp { port, tls: None }
}

/// Every kind of built-in probe.
fn specs() -> Vec<ProbeSpec> {
    vec![ProbeSpec::Icmp, tcp(80), http(80, get())]
}

/// Two namespaces with a cable between them: `v0` in the first (10.9.0.1, fd00:9::1) and in the second (10.9.0.2, fd00:9::2).
fn cable(test: &str) -> Option<(Netns, Netns)> {
    let (near, far) = (Netns::new(&format!("{test}-a"))?, Netns::new(&format!("{test}-b"))?);
    let (a, b) = (near.name.as_str(), far.name.as_str());
    ip(&["link", "add", "v0", "netns", a, "type", "veth", "peer", "name", "v0", "netns", b]).unwrap();
    for (netns, host) in [(&near, 1), (&far, 2)] {
        netns.ip(&format!("addr add 10.9.0.{host}/24 dev v0"));
        netns.ip(&format!("addr add fd00:9::{host}/64 dev v0 nodad"));
        netns.ip("link set v0 up");
    }
    Some((near, far))
}

async fn expect_all(netns: &Netns, what: &str, addresses: &[&str], code: Code) {
    let prober = netns.prober();
    for range in PING_SOCKETS {
        netns.sysctl("ipv4/ping_group_range", range);
        for (address, spec) in
            addresses.iter().flat_map(|address| specs().into_iter().map(move |spec| (address, spec)))
        {
            let target = Target { address: address.parse().unwrap(), source: None, spec: &spec };
            let outcome = prober.run(&target, PATIENT).await;
            assert_eq!(outcome.code, code, "{what}, {} of {address} ({range}): {outcome:?}", spec.kind());
        }
    }
}

#[tokio::test]
async fn routes_that_reject_are_inconclusive() {
    let Some((near, _far)) = cable("reject") else { return };
    let prober = near.prober();
    for kind in ["blackhole", "prohibit", "unreachable", "throw"] {
        near.ip(&format!("route add {kind} 10.9.7.1/32"));
        near.ip(&format!("-6 route add {kind} fd00:9:7::1/128"));
        expect_all(&near, kind, &["10.9.7.1", "fd00:9:7::1"], Code::SockErr).await;
        near.ip(&format!("route del {kind} 10.9.7.1/32"));
        near.ip(&format!("-6 route del {kind} fd00:9:7::1/128"));
    }
    expect_all(&near, "no route", &["192.0.2.1", "2001:db8::1"], Code::SockErr).await;
    let spec = tcp(80);
    let target = Target {
        address: "10.9.0.2".parse().unwrap(),
        source: Some("10.9.0.77".parse().unwrap()),
        spec: &spec,
    };
    assert_eq!(
        prober.run(&target, PATIENT).await.code,
        Code::SockErr,
        "the source is not an address of ours"
    );
}

#[tokio::test]
async fn interface_down_is_inconclusive() {
    let Some((near, far)) = cable("down") else { return };
    let _servers = ["10.9.0.2:80", "[fd00:9::2]:80"].map(|bind| far.listen(bind.parse().unwrap()));
    let fine = run(&near.prober(), "10.9.0.2:80".parse().unwrap(), &tcp(80), PATIENT).await;
    assert_eq!(fine.code, Code::L4Ok, "{fine:?}");

    near.ip("link set v0 down");
    expect_all(&near, "down", &["10.9.0.2", "fd00:9::2"], Code::SockErr).await;

    near.ip("link set v0 up");
    let again = run(&near.prober(), "10.9.0.2:80".parse().unwrap(), &tcp(80), PATIENT).await;
    assert_eq!(again.code, Code::L4Ok, "{again:?}");
}

#[tokio::test]
async fn interface_going_down_during_a_probe_is_inconclusive() {
    let Some((near, far)) = cable("while") else { return };
    // Nobody accepts: the connection is made and no answer comes.
    let server = far.listen("10.9.0.2:80".parse().unwrap());
    let address = server.local_addr().unwrap();
    let prober = near.prober();
    let timeout = Duration::from_secs(2);
    let probe = tokio::spawn(async move { run(&prober, address, &http(80, get()), timeout).await });
    let (_connection, _) = server.accept().await.unwrap();
    near.ip("link set v0 down");
    let outcome = probe.await.unwrap();
    assert_eq!(outcome.verdict(), Verdict::Inconclusive, "{outcome:?}");
    assert!(outcome.detail.contains("the route to 10.9.0.2 was lost during the probe"), "{outcome:?}");
}

#[tokio::test]
async fn refusal_by_a_router_is_a_failure() {
    let Some((near, router)) = cable("router") else { return };
    router.sysctl("ipv4/ip_forward", "1");
    router.sysctl("ipv6/conf/all/forwarding", "1");
    // A router may be slow with errors on purpose.
    router.sysctl("ipv4/icmp_ratelimit", "0");
    router.sysctl("ipv6/icmp/ratelimit", "0");
    near.ip("route add default via 10.9.0.2");
    near.ip("-6 route add default via fd00:9::2");
    for kind in ["prohibit", "unreachable"] {
        router.ip(&format!("route add {kind} 192.0.2.0/24"));
        router.ip(&format!("-6 route add {kind} 2001:db8::/32"));
        expect_all(&near, kind, &["192.0.2.1", "2001:db8::1"], Code::L4Con).await;
        router.ip(&format!("route del {kind} 192.0.2.0/24"));
        router.ip(&format!("-6 route del {kind} 2001:db8::/32"));
    }
}

#[tokio::test]
async fn ping_goes_on_after_a_redirect() {
    let Some(lan) = Netns::new("lan") else { return };
    let Some(near) = Netns::new("lan-a") else { return };
    let Some(router) = Netns::new("lan-r") else { return };
    let Some(server) = Netns::new("lan-b") else { return };
    lan.ip("link add br0 type bridge");
    lan.ip("link set br0 up");
    for (port, netns, host) in [("p1", &near, 1), ("p2", &router, 2), ("p3", &server, 3)] {
        ip(&[
            "link",
            "add",
            port,
            "netns",
            &lan.name,
            "type",
            "veth",
            "peer",
            "name",
            "v0",
            "netns",
            &netns.name,
        ])
        .unwrap();
        lan.ip(&format!("link set {port} master br0"));
        lan.ip(&format!("link set {port} up"));
        netns.ip(&format!("addr add 10.9.0.{host}/24 dev v0"));
        netns.ip("link set v0 up");
    }
    // The server has an address that is reached through the router, which sees that there is a better way.
    server.ip("addr add 192.0.2.1/32 dev lo");
    router.sysctl("ipv4/ip_forward", "1");
    router.ip("route add 192.0.2.1/32 via 10.9.0.3");
    near.sysctl("ipv4/conf/all/accept_redirects", "0");
    near.sysctl("ipv4/conf/v0/accept_redirects", "0");
    near.ip("route add 192.0.2.1/32 via 10.9.0.2");
    for range in PING_SOCKETS {
        near.sysctl("ipv4/ping_group_range", range);
        for _ in 0..3 {
            let address = SocketAddr::new("192.0.2.1".parse().unwrap(), 0);
            let outcome = run(&near.prober(), address, &ProbeSpec::Icmp, PATIENT).await;
            assert_eq!(outcome.code, Code::L4Ok, "{range}: {outcome:?}");
        }
    }
    let redirects = near.inside(|| std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap());
    assert!(received(&redirects, "InRedirects") > 0, "no redirect came, so nothing was tested: {redirects}");
}

/// A counter of the ICMP lines of `/proc/net/snmp`.
fn received(snmp: &str, name: &str) -> u64 {
    let mut lines = snmp.lines().filter(|line| line.starts_with("Icmp:"));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let index = names.split_whitespace().position(|known| known == name).unwrap();
    values.split_whitespace().nth(index).unwrap().parse().unwrap()
}

#[tokio::test]
async fn errors_about_the_echo_of_another_are_ignored() {
    let Some((near, router)) = cable("others") else { return };
    router.sysctl("ipv4/ip_forward", "1");
    router.sysctl("ipv4/icmp_ratelimit", "0");
    near.ip("route add default via 10.9.0.2");
    // Raw sockets receive every error about their address.
    near.sysctl("ipv4/ping_group_range", "1 0");
    let name = near.name.clone();
    router.ip("addr add 192.0.2.1/32 dev lo");
    let mut noise = match Command::new("ip").args(["netns", "exec", &name, "python3", "-c", NOISE]).spawn() {
        Ok(noise) => noise,
        Err(error) => return skip("others", &error.to_string()),
    };
    let prober = near.prober();
    let address = SocketAddr::new("192.0.2.1".parse::<IpAddr>().unwrap(), 0);
    for _ in 0..50 {
        let outcome = run(&prober, address, &ProbeSpec::Icmp, PATIENT).await;
        assert_eq!(outcome.code, Code::L4Ok, "{outcome:?}");
    }
    noise.kill().unwrap();
    noise.wait().unwrap();
}

/// Sends ICMP errors to our own address about an echo that nobody sent: host unreachable, quoting 10.9.0.1 → 192.0.2.1.
const NOISE: &str = r#"
import socket, struct
def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
inner = struct.pack("!BBHHH", 8, 0, 0, 0x4242, 7)
header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(inner), 1, 0, 64, 1, 0,
                     socket.inet_aton("10.9.0.1"), socket.inet_aton("192.0.2.1"))
body = struct.pack("!BBHI", 3, 1, 0, 0) + header + inner
body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
while True:
    raw.sendto(body, ("10.9.0.1", 0))
"#;

#[tokio::test]
async fn local_firewall_is_inconclusive() {
    let Some((near, _far)) = cable("filter") else { return };
    let rules = "table inet t { chain o { type filter hook output priority 0; ip daddr 10.9.0.2 drop; ip6 daddr fd00:9::2 drop; }; }";
    let loaded = Command::new("ip").args(["netns", "exec", &near.name, "nft", rules]).output();
    if !loaded.is_ok_and(|output| output.status.success()) {
        return skip("filter", "no nft here");
    }
    for range in PING_SOCKETS {
        near.sysctl("ipv4/ping_group_range", range);
        for address in ["10.9.0.2", "fd00:9::2"] {
            let address = SocketAddr::new(address.parse().unwrap(), 0);
            let outcome = run(&near.prober(), address, &ProbeSpec::Icmp, HASTY).await;
            // `ping_v6_sendmsg` in Linux' net/ipv6/ping.c drops the result of sending: nothing can be known.
            let unreported = address.is_ipv6() && range == PING_SOCKETS[0];
            let expected = if unreported { Code::L4Tout } else { Code::SockErr };
            assert_eq!(outcome.code, expected, "{range}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn connection_to_itself_is_a_failure() {
    let Some(netns) = Netns::new("self") else { return };
    netns.sysctl("ipv4/ip_local_port_range", "40000 40000");
    let prober: Prober = netns.prober();
    for address in ["127.0.0.1:40000", "[::1]:40000"] {
        for spec in [tcp(40000), http(40000, get())] {
            let outcome = run(&prober, address.parse().unwrap(), &spec, PATIENT).await;
            expect(
                address,
                &outcome,
                Code::L4Con,
                "connection to .* reached itself: no server listens on this port",
            );
        }
    }
}
