use std::collections::BTreeMap;
use std::net::IpAddr;

use proptest::prelude::*;

use super::replicas::{SortKey, cursor, sort_key, word};
use super::{Builder, Length, buckets, build};
use crate::table::reference::{self, Permutation};

fn servers() -> impl Strategy<Value = Vec<(IpAddr, u8)>> {
    let address = prop_oneof![any::<u32>().prop_map(|v4| IpAddr::from(v4.to_be_bytes())), any::<IpAddr>()];
    let weight = prop_oneof![Just(0), Just(1), 0..=10_u8, any::<u8>()];
    prop::collection::btree_map(address, weight, 0..30).prop_map(|map| map.into_iter().collect())
}

fn lengths() -> impl Strategy<Value = Length> {
    (0..=12_u32).prop_map(|exponent| Length::new(1 << exponent).unwrap())
}

proptest! {
    #[test]
    fn buckets_by_arithmetic_are_those_of_the_table(length in lengths(), servers in servers()) {
        let table = build(length, &servers);
        let counted: BTreeMap<IpAddr, u32> = table.backends().iter().copied().zip(table.counts()).collect();
        let reckoned: BTreeMap<IpAddr, u32> =
            servers.iter().map(|&(address, _)| address).zip(buckets(length, &servers)).collect();
        prop_assert_eq!(counted, reckoned);
    }

    #[test]
    fn the_order_of_servers_does_not_matter(length in lengths(), servers in servers().prop_shuffle()) {
        let mut reversed = servers.clone();
        reversed.reverse();
        prop_assert_eq!(build(length, &servers), build(length, &reversed));
    }

    #[test]
    fn every_slot_has_a_server_or_none_has(length in lengths(), servers in servers()) {
        let table = build(length, &servers);
        let served = servers.iter().any(|&(_, weight)| weight > 0);
        let total: u32 = table.counts().iter().sum();
        prop_assert_eq!(total, if served { length.get() } else { 0 });
    }
}

/// Few servers with many replicas each, many with few, and so many that some get no slot.
fn many_servers() -> impl Strategy<Value = Vec<(IpAddr, u8)>> {
    let v4 = any::<u32>().prop_map(|v4| IpAddr::from(v4.to_be_bytes()));
    let near = (0..2000_u32).prop_map(|host| IpAddr::from((0x0a00_0000 | host).to_be_bytes()));
    let any_weight = prop::collection::btree_map(any::<IpAddr>(), any::<u8>(), 1..20);
    let equal = prop::collection::btree_map(v4, Just(1), 1..700);
    let small = prop::collection::btree_map(near, 0..=3_u8, 1..700);
    prop_oneof![any_weight, equal, small].prop_map(|map| map.into_iter().collect())
}

/// The servers' places in a table built turn by turn. Nobody has place 2^32 − 1.
fn plain(length: Length, servers: &[(IpAddr, u8)]) -> Vec<u32> {
    let mut turns: Vec<(u8, SortKey, u32)> = servers
        .iter()
        .zip(0..)
        .flat_map(|(&(address, weight), server)| {
            (0..weight).map(move |replica| (replica, sort_key(address), server))
        })
        .collect();
    turns.sort();
    if turns.is_empty() {
        return vec![u32::MAX; length.get() as usize];
    }
    let cursors = turns.iter().map(|&(replica, (octets, _), _)| cursor(length, word(octets), replica));
    let permutations: Vec<Permutation> =
        cursors.map(|cursor| Permutation { offset: cursor.at, skip: cursor.skip }).collect();
    let table = reference::populate(length.get(), &permutations);
    table.into_iter().map(|turn| turns[turn as usize].2).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// With one builder for both, so that what the first leaves behind shows.
    #[test]
    fn tables_are_those_of_the_plain_loop(
        first in (0..=17_u32, many_servers().prop_shuffle()),
        second in (0..=17_u32, many_servers().prop_shuffle()),
    ) {
        let mut builder = Builder::new();
        for (exponent, servers) in [first, second] {
            let length = Length::new(1 << exponent).unwrap();
            let mut entries: Vec<u32> = Vec::new();
            builder.build(length, &servers, &mut entries).unwrap();
            prop_assert!(entries == plain(length, &servers), "2^{} slots, {:?}", exponent, servers);
        }
    }
}
