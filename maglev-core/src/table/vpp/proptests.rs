use std::collections::BTreeMap;
use std::net::IpAddr;

use proptest::prelude::*;

use super::{Length, buckets, build, cursor, sort_key};
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
    fn the_table_is_that_of_the_plain_loop(exponent in 0..=16_u32, servers in servers()) {
        let length = Length::new(1 << exponent).unwrap();
        let mut turns: Vec<(u32, IpAddr)> =
            servers.iter().flat_map(|&(address, weight)| (0..u32::from(weight)).map(move |r| (r, address))).collect();
        turns.sort_by_key(|&(replica, address)| (replica, sort_key(address)));
        let permutations: Vec<Permutation> = turns
            .iter()
            .map(|&(replica, address)| cursor(length, sort_key(address).0, replica))
            .map(|cursor| Permutation { offset: cursor.at, skip: cursor.skip })
            .collect();
        let table = build(length, &servers);
        for (slot, turn) in reference::populate(length.get(), &permutations).into_iter().enumerate() {
            prop_assert_eq!(table.lookup(slot as u64), Some(&turns[turn as usize].1), "slot {}", slot);
        }
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
