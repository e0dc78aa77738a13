use super::{BuildError, Builder, Length, build, build_weighted};
use crate::table::Entries;
use crate::table::reference::{self, Permutation};

fn permutations(list: &[(u32, u32)]) -> Vec<Permutation> {
    list.iter().map(|&(offset, skip)| Permutation { offset, skip }).collect()
}

/// Table 1 of the paper.
#[test]
fn the_papers_worked_example() {
    let length = Length::new(7).unwrap();
    let all = permutations(&[(3, 4), (0, 2), (3, 1)]);
    let without_b1 = [all[0], all[2]];
    let mut entries: Vec<u16> = Vec::new();
    let mut builder = Builder::new();
    builder.build(length, &all, &mut entries).unwrap();
    assert_eq!(entries, [1, 0, 1, 0, 2, 2, 0]);
    assert_eq!(reference::populate(7, &all), [1, 0, 1, 0, 2, 2, 0]);
    builder.build(length, &without_b1, &mut entries).unwrap();
    assert_eq!(entries, [0, 0, 0, 0, 1, 1, 1]);
}

#[test]
fn primes_are_lengths() {
    let sieve: Vec<u32> =
        (0..2000).filter(|&n| n > 1 && (2..n).take_while(|d| d * d <= n).all(|d| n % d != 0)).collect();
    let accepted: Vec<u32> = (0..2000).filter(|&n| Length::new(n).is_ok()).collect();
    assert_eq!(accepted, sieve);
    for prime in [16381, 65537, 655_373, 2_147_483_647] {
        assert_eq!(Length::new(prime).map(Length::get), Ok(prime));
    }
    // The last is prime but too large; the others fool weaker tests.
    for number in [65536, 3_215_031_751, 4_759_123_141_u64 as u32, 1_373_653, 25_326_001, 2_147_483_659] {
        assert!(Length::new(number).is_err(), "{number}");
    }
}

#[test]
fn what_cannot_be_built_is_refused_and_leaves_the_entries_alone() {
    let length = Length::new(7).unwrap();
    let mut builder = Builder::new();
    let mut entries = vec![42_u16];
    let refused = [
        (vec![], BuildError::NoBackends),
        (vec![(0, 1); 8], BuildError::TooManyBackends { backends: 8, slots: 7 }),
        (vec![(0, 1), (7, 1)], BuildError::InvalidPermutation { backend: 1, slots: 7 }),
        (vec![(0, 0)], BuildError::InvalidPermutation { backend: 0, slots: 7 }),
        (vec![(0, 7)], BuildError::InvalidPermutation { backend: 0, slots: 7 }),
    ];
    for (list, error) in refused {
        assert_eq!(builder.build(length, &permutations(&list), &mut entries), Err(error));
    }
    let one = permutations(&[(0, 1)]);
    assert_eq!(builder.build_weighted(length, &one, &[0], &mut entries), Err(BuildError::NoBackends));
    assert_eq!(
        builder.build_weighted(length, &one, &[1, 2], &mut entries),
        Err(BuildError::WeightCount { backends: 1, weights: 2 })
    );
    let many = vec![Permutation { offset: 0, skip: 1 }; 65536];
    assert_eq!(builder.build(Length::SMALL, &many, &mut entries), Err(BuildError::NarrowEntries(65536)));
    assert_eq!(entries, [42]);
    assert_eq!(build(length, ["a", "b", "a"]).unwrap_err(), BuildError::Duplicate(0, 1));
}

#[test]
fn up_to_as_many_backends_as_slots() {
    let names: Vec<String> = (0..65537).map(|i| format!("backend-{i}")).collect();
    let table = build(Length::SMALL, names.iter().map(String::as_str)).unwrap();
    assert!(matches!(table.entries(), Entries::Wide(_)));
    assert!(table.counts().iter().all(|&count| count == 1));
}

/// Hashes and order are promised for good: other machines, other versions.
#[test]
fn the_table_of_given_names_never_changes() {
    let table = build(Length::new(13).unwrap(), ["nginx0", "nginx1", "nginx2"]).unwrap();
    let backwards = build(Length::new(13).unwrap(), ["nginx2", "nginx1", "nginx0"]).unwrap();
    assert_eq!(table, backwards);
    assert_eq!(table.entries().iter().collect::<Vec<_>>(), [1, 1, 2, 0, 0, 2, 2, 1, 1, 2, 0, 0, 0]);
}

#[test]
fn shares_follow_weights() {
    let table = build_weighted(Length::SMALL, [("a", 100), ("b", 50), ("c", 0), ("d", 1)]).unwrap();
    assert_eq!(table.backends(), ["a", "b", "c", "d"]);
    let shares: Vec<f64> = table.counts().iter().map(|&count| f64::from(count) / 65537.0 * 151.0).collect();
    for (share, weight) in shares.iter().zip([100.0, 50.0, 0.0, 1.0]) {
        assert!((share - weight).abs() < 0.01, "{shares:?}");
    }
}
