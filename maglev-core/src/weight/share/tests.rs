//! Pure. Bucket counts measured on a VPP, and what holds for any.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::*;

fn server(last: u8, weight: u8) -> (IpAddr, u8) {
    (IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), weight)
}

#[test]
fn too_many_replicas_break_the_ratios_as_measured() {
    let servers: Vec<(IpAddr, u8)> = (0..40).map(|n| server(n, if n < 20 { 100 } else { 10 })).collect();
    let short = buckets(1024, &servers);
    assert!(short.iter().take(20).all(|n| (41..=42).contains(n)), "{short:?}");
    assert!(short.iter().skip(20).all(|&n| n == 10), "{short:?}");
    let long = buckets(65536, &servers);
    assert!(long.iter().take(20).all(|n| (2976..=2977).contains(n)), "{long:?}");
    assert!(long.iter().skip(20).all(|&n| n == 300), "{long:?}");
}

#[test]
fn the_rest_goes_to_the_lowest_addresses_in_whatever_order_they_come() {
    assert_eq!(buckets(8, &[server(3, 1), server(1, 1), server(2, 1)]), [2, 3, 3]);
    let mixed = [(IpAddr::V6(Ipv6Addr::LOCALHOST), 1), server(1, 1), server(2, 1)];
    assert_eq!(buckets(4, &mixed), [2, 1, 1], "::1 as sixteen bytes comes before 192.0.2.1");
}

#[test]
fn without_replicas_nobody_has_buckets() {
    assert_eq!(buckets(1024, &[server(1, 0), server(2, 0)]), [0, 0]);
    assert_eq!(buckets(1024, &[]), Vec::<u32>::new());
}

#[test]
fn shares_tell_what_was_wanted_and_what_is_given() {
    let weight = |n: i64| Weight::try_from(n).unwrap();
    let fit = Fit { scale: crate::weight::scale::Scale::RAW, table_length: 4 };
    let servers = [(server(1, 0).0, weight(50)), (server(2, 0).0, weight(100)), (server(3, 0).0, weight(0))];
    let shares = shares(fit, &servers);
    let found: Vec<(u32, u64)> = shares.iter().map(|share| (share.buckets, share.error_ppm())).collect();
    assert_eq!(found, [(2, 500_000), (2, 250_000), (0, 0)]);
    assert_eq!(worst(&shares).map(|(index, _)| index), Some(0));
}

/// The sorted list of replicas, as VPP makes it, taking turns one by one.
fn taking_turns(table_length: u32, servers: &[(IpAddr, u8)]) -> Vec<u32> {
    let mut replicas: Vec<(u8, u128, usize)> = Vec::new();
    for (index, &(address, weight)) in servers.iter().enumerate() {
        replicas.extend((0..weight).map(|replica| (replica, bytes(address), index)));
    }
    replicas.sort();
    let mut counts: BTreeMap<usize, u32> = BTreeMap::new();
    for &(_, _, index) in
        replicas.iter().cycle().take(if replicas.is_empty() { 0 } else { table_length as usize })
    {
        *counts.entry(index).or_default() += 1;
    }
    (0..servers.len()).map(|index| counts.get(&index).copied().unwrap_or(0)).collect()
}

proptest! {
    #[test]
    fn arithmetic_agrees_with_taking_turns(
        servers in btree_map(any::<IpAddr>(), any::<u8>(), 0..40), power in 0_u32..=14,
    ) {
        let servers: Vec<(IpAddr, u8)> = servers.into_iter().rev().collect();
        let length = 1 << power;
        let found = buckets(length, &servers);
        prop_assert_eq!(&found, &taking_turns(length, &servers));
        let any = servers.iter().any(|&(_, weight)| weight > 0);
        prop_assert_eq!(found.iter().sum::<u32>(), if any { length } else { 0 });
    }
}

/// An address as VPP compares it.
fn bytes(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}
