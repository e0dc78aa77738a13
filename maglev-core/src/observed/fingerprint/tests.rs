use std::time::Duration;

use super::*;
use crate::net::{Encap, Protocol, Service};
use crate::observed::{Conf, Observed, ServerState};
use crate::plan::Operation;

fn state(servers: &[(&str, u8)]) -> VipState {
    let server = |&(address, weight): &(&str, u8)| ServerState {
        address: address.parse().unwrap(),
        weight,
        buckets: 0,
    };
    let mut servers: Vec<ServerState> = servers.iter().map(server).collect();
    servers.sort_by_key(|server| server.address);
    VipState {
        vip: Vip { prefix: "203.0.113.1/32".parse().unwrap(), service: Service::Port(Protocol::Tcp, 80) },
        encap: Encapsulation::Gre(Encap::Gre4),
        table_length: 4096,
        src_ip_sticky: false,
        pool_index: 0,
        servers,
    }
}

const SERVERS: [(&str, u8); 2] = [("192.0.2.10", 2), ("192.0.2.11", 1)];

/// What every later version and every other implementation has to find.
#[test]
fn fingerprint_is_the_documented_hash() {
    let text = "vip 203.0.113.1/32 tcp 80\nencap gre4\nsrc-ip-sticky false\nlength 4096\n\
                server 192.0.2.10 2\nserver 192.0.2.11 1\n";
    let found = state(&SERVERS).fingerprint();
    assert_eq!(found.get(), XxHash64::oneshot(0, text.as_bytes()) >> 16);
    assert_eq!(found.to_string(), "93a324e14403");
    let all = VipState {
        vip: Vip { prefix: "2001:db8::1/128".parse().unwrap(), service: Service::All },
        encap: Encapsulation::Gre(Encap::Gre6),
        src_ip_sticky: true,
        ..state(&[("2001:db8::a", 1)])
    };
    let text =
        "vip 2001:db8::1/128 all ports\nencap gre6\nsrc-ip-sticky true\nlength 4096\nserver 2001:db8::a 1\n";
    assert_eq!(all.fingerprint(), TableFingerprint::of_text(text));
    assert_eq!(TableFingerprint::of_all([]).to_string(), "ef46db3751d8");
}

#[test]
fn fingerprint_changes_with_all_that_changes_the_table() {
    let base = state(&SERVERS);
    let others = [
        VipState { table_length: 8192, ..base.clone() },
        VipState { src_ip_sticky: true, ..base.clone() },
        VipState { encap: Encapsulation::Nat4, ..base.clone() },
        VipState { vip: Vip { service: Service::Port(Protocol::Tcp, 81), ..base.vip }, ..base.clone() },
        state(&[("192.0.2.10", 1), ("192.0.2.11", 1)]),
        state(&[("192.0.2.10", 2), ("192.0.2.12", 1)]),
        state(&[("192.0.2.10", 2)]),
        state(&[]),
    ];
    let mut seen: Vec<_> = others.iter().map(VipState::fingerprint).collect();
    seen.push(base.fingerprint());
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), others.len() + 1);
}

#[test]
fn fingerprint_leaves_out_what_does_not_change_the_table() {
    let base = state(&SERVERS).fingerprint();
    let idle = [("192.0.2.10", 2), ("192.0.2.11", 1), ("192.0.2.9", 0)];
    assert_eq!(state(&idle).fingerprint(), base);
    assert_eq!(VipState { pool_index: 7, ..state(&SERVERS) }.fingerprint(), base);
}

#[test]
fn the_order_of_writes_does_not_matter() {
    let base = state(&[]);
    let conf = Conf {
        ipv4_source: None,
        ipv6_source: None,
        sticky_buckets_per_core: 1024,
        flow_timeout: Duration::from_secs(40),
    };
    let mut seen = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let mut observed = Observed { conf, vips: vec![base.clone()], foreign: Vec::new() };
        for index in order {
            let (address, weight) = SERVERS[index];
            let address = address.parse().unwrap();
            observed.apply(&Operation::AddServer { vip: base.vip, address, weight });
        }
        seen.push(observed.vips[0].fingerprint());
    }
    assert_eq!(seen, [state(&SERVERS).fingerprint(); 2]);
    let (one, two) = (TableFingerprint(1), TableFingerprint(2));
    assert_eq!(TableFingerprint::of_all([one, two]), TableFingerprint::of_all([two, one]));
    assert_ne!(TableFingerprint::of_all([one, two]), TableFingerprint::of_all([one]));
}

#[test]
fn fingerprint_is_read_from_twelve_digits() {
    let found = state(&SERVERS).fingerprint();
    assert_eq!(found.to_string().parse(), Ok(found));
    for wrong in ["", "ff", "0000000000fg", "0000000000ff00", "+000000000ff", "00000000é0f"] {
        assert_eq!(wrong.parse::<TableFingerprint>(), Err(InvalidTableFingerprint), "{wrong}");
    }
    assert!(found.get() < 1 << 48);
    assert_eq!(found.get() as f64 as u64, found.get());
}
