use std::net::IpAddr;

use proptest::prelude::*;

use super::{Key, NewVip, Plugin};
use crate::message::lb::{ENCAP_GRE4, ENCAP_GRE6, ENCAP_NAT4, PROTOCOL_ANY};
use crate::retval::Retval;
use crate::sim::ip46::Prefix46;
use crate::wire::Prefix;

fn key(address: &str, port: u16) -> Key {
    let address: IpAddr = address.parse().unwrap();
    let prefix = Prefix46::from(Prefix { address, length: if address.is_ipv4() { 32 } else { 128 } });
    Key { prefix, protocol: if port == 0 { PROTOCOL_ANY } else { 6 }, port }
}

fn new(encap: u32) -> NewVip {
    NewVip { encap, dscp: 0, srv_type: 0, target_port: 0, table_length: 1024, src_ip_sticky: false }
}

#[test]
fn indices_are_given_out_again_last_freed_first() {
    let mut plugin = Plugin::default();
    for (port, index) in [(1, 1), (2, 2), (3, 3)] {
        assert_eq!(plugin.add_vip(key("203.0.113.1", port), new(ENCAP_GRE4), 0), Ok(index));
    }
    plugin.del_vip(key("203.0.113.1", 1), 0).unwrap();
    // Still there, so its index is not free.
    assert_eq!(plugin.add_vip(key("203.0.113.1", 4), new(ENCAP_GRE4), 0), Ok(4));
    plugin.del_vip(key("203.0.113.1", 3), 0).unwrap();
    plugin.collect_garbage(0);
    assert_eq!(plugin.add_vip(key("203.0.113.1", 5), new(ENCAP_GRE4), 0), Ok(3));
    assert_eq!(plugin.add_vip(key("203.0.113.1", 6), new(ENCAP_GRE4), 0), Ok(1));
}

#[test]
fn a_nat4_vip_for_ipv6_becomes_what_vpp_makes_of_it() {
    let mut plugin = Plugin::default();
    let index = plugin.add_vip(key("2001:db8::1", 80), new(ENCAP_NAT4), 0).unwrap();
    assert_eq!(plugin.vips.get(index).unwrap().kind.encap(), ENCAP_GRE6);
}

#[test]
fn an_ipv6_address_with_the_bytes_of_an_ipv4_one_is_that_one() {
    let mut plugin = Plugin::default();
    let vip = key("203.0.113.1", 80);
    plugin.add_vip(vip, new(ENCAP_GRE4), 0).unwrap();
    plugin.add_server(vip, "::10.0.0.1".parse().unwrap(), 1, false, 0).unwrap();
    let again = plugin.add_server(vip, "10.0.0.1".parse().unwrap(), 1, false, 0);
    assert_eq!(again, Err(Retval::VALUE_EXIST));
}

#[test]
fn the_clock_may_wrap() {
    assert!(super::is_past(5, u32::MAX - 5));
    assert!(!super::is_past(u32::MAX - 5, 5));
}

proptest! {
    /// As the real table is filled: replica by replica, one bucket a turn.
    #[test]
    fn buckets_are_what_taking_turns_gives(
        weights in prop::collection::btree_map(any::<u8>(), 0u8..=100, 1..30),
        length in 0u32..12,
    ) {
        let mut plugin = Plugin::default();
        let vip = key("203.0.113.1", 80);
        plugin.add_vip(vip, NewVip { table_length: 1 << length, ..new(ENCAP_GRE4) }, 0).unwrap();
        for (&last, &weight) in &weights {
            plugin.add_server(vip, IpAddr::from([10, 0, 0, last]), weight, false, 0).unwrap();
        }
        let mut turns: Vec<(u8, u8)> =
            weights.iter().flat_map(|(&last, &weight)| (0..weight).map(move |replica| (replica, last))).collect();
        turns.sort_unstable();
        let index = plugin.find_vip(vip).unwrap();
        for (_, server) in plugin.vips.get(index).unwrap().servers.iter() {
            let last = server.address.0[15];
            let buckets = if turns.is_empty() {
                0
            } else {
                (0..1usize << length).filter(|turn| turns[turn % turns.len()].1 == last).count()
            };
            prop_assert_eq!(server.buckets as usize, buckets);
        }
    }
}
