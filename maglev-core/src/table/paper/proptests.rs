use proptest::prelude::*;

use super::{Builder, Length, build};
use crate::table::reference::{self, Permutation};

/// Small primes are where corners are; the large ones reach every way of searching.
fn lengths() -> impl Strategy<Value = Length> {
    let prime = prop_oneof![2..50_u32, 50..3000_u32, Just(16381_u32), Just(65537),];
    prime.prop_map(|n| (n..).find_map(|n| Length::new(n).ok()).unwrap())
}

fn backends(length: Length) -> impl Strategy<Value = Vec<Permutation>> {
    let most = length.get() as usize;
    let count = prop_oneof![1..=most.min(30), 1..=most.min(600), 1..=most.min(5000)];
    count.prop_flat_map(move |count| {
        let one = (0..length.get(), 1..length.get()).prop_map(|(offset, skip)| Permutation { offset, skip });
        prop::collection::vec(one, count)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_fast_table_is_the_papers((length, permutations) in lengths().prop_flat_map(|l| (Just(l), backends(l)))) {
        let expected = reference::populate(length.get(), &permutations);
        let mut entries: Vec<u32> = Vec::new();
        Builder::new().build(length, &permutations, &mut entries).unwrap();
        prop_assert_eq!(entries, expected);
    }

    #[test]
    fn so_is_the_weighted_one(
        (length, permutations, weights) in lengths()
            .prop_flat_map(|l| (Just(l), backends(l)))
            .prop_flat_map(|(l, b)| {
                let weight = prop_oneof![4 => 0..=100_u32, 1 => Just(1), 1 => any::<u32>()];
                let weights = prop::collection::vec(weight, b.len());
                (Just(l), Just(b), weights)
            })
            .prop_filter("somebody has a weight", |(_, _, w)| w.iter().any(|&w| w > 0))
    ) {
        let expected = reference::populate_weighted(length.get(), &permutations, &weights);
        let mut entries: Vec<u32> = Vec::new();
        Builder::new().build_weighted(length, &permutations, &weights, &mut entries).unwrap();
        prop_assert_eq!(entries, expected);
    }

    #[test]
    fn counts_differ_by_at_most_one(length in lengths(), seed in any::<u64>(), count in 1..500_u32) {
        let count = count.min(length.get());
        let names: Vec<String> = (0..count).map(|i| format!("{seed:x}-{i}")).collect();
        let counts = build(length, names).unwrap().counts();
        let (fewest, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        prop_assert!(most - fewest <= 1, "{fewest} to {most}");
    }

    #[test]
    fn a_builder_used_before_builds_the_same(
        (length, permutations) in lengths().prop_flat_map(|l| (Just(l), backends(l))),
        (other_length, others) in lengths().prop_flat_map(|l| (Just(l), backends(l))),
    ) {
        let (mut fresh, mut used): (Vec<u16>, Vec<u16>) = Default::default();
        Builder::new().build(length, &permutations, &mut fresh).unwrap();
        let mut builder = Builder::new();
        builder.build(other_length, &others, &mut used).unwrap();
        builder.build(length, &permutations, &mut used).unwrap();
        prop_assert_eq!(fresh, used);
    }
}
