//! Pure. Tables from any parameters: the fast builders against the plain loop, and the bucket arithmetic against the table.
//!
//! Input: a byte for the length, a byte for the kind, then five bytes a backend: two of offset, two of skip, one of weight.

#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use maglev_core::table::reference::{self, Permutation};
use maglev_core::table::{Difference, paper, vpp};

/// From the smallest prime to one large enough for every way of searching.
const PRIMES: [u32; 16] = [2, 3, 5, 7, 13, 31, 101, 251, 257, 509, 1021, 2039, 4093, 8191, 16381, 65537];

fuzz_target!(|data: &[u8]| {
    let [length, kind, backends @ ..] = data else { return };
    let (backends, _) = backends.as_chunks::<5>();
    match kind % 3 {
        0 => paper_table(PRIMES[usize::from(length % 16)], backends),
        1 => vpp_table(1 << (length % 15), backends),
        _ => from_text(backends.as_flattened()),
    }
});

fn paper_table(length: u32, backends: &[[u8; 5]]) {
    let slots = paper::Length::new(length).expect("a prime");
    let permutations: Vec<Permutation> = backends
        .iter()
        .map(|&[o0, o1, s0, s1, _]| Permutation {
            offset: u32::from(u16::from_le_bytes([o0, o1])) % length,
            skip: u32::from(u16::from_le_bytes([s0, s1])) % (length - 1) + 1,
        })
        .take(length as usize)
        .collect();
    let weights: Vec<u32> =
        backends.iter().map(|backend| u32::from(backend[4])).take(length as usize).collect();
    let mut builder = paper::Builder::new();
    let (mut narrow, mut wide) = (Vec::<u16>::new(), Vec::<u32>::new());
    if builder.build(slots, &permutations, &mut narrow).is_ok() {
        let expected = reference::populate(length, &permutations);
        assert!(narrow.iter().map(|&entry| u32::from(entry)).eq(expected));
    }
    if builder.build_weighted(slots, &permutations, &weights, &mut wide).is_ok() {
        assert_eq!(wide, reference::populate_weighted(length, &permutations, &weights));
    }
}

fn vpp_table(length: u32, backends: &[[u8; 5]]) {
    let length = vpp::Length::new(length).expect("a power of two");
    let servers: Vec<(IpAddr, u8)> = backends
        .iter()
        .map(|&[a, b, c, d, weight]| {
            let (v4, v6) =
                (IpAddr::from([a, b, c, d]), IpAddr::from([a, b, c, d, 0, 0, 0, 0, d, c, b, a, 0, 0, 0, d]));
            (if a % 2 == 0 { v4 } else { v6 }, weight)
        })
        .take(64)
        .collect();
    let (all, some) = (vpp::build(length, &servers), vpp::build(length, &servers[servers.len() / 2..]));
    let total: u32 = vpp::buckets(length, &servers).iter().sum();
    assert_eq!(total, all.counts().iter().sum::<u32>());
    let difference = Difference::between(&all, &some).expect("the same length");
    assert!(difference.unavoidable <= difference.changed && difference.changed <= difference.slots);
}

/// Anything may be handed to the deserialiser; what it takes can be looked up in.
fn from_text(text: &[u8]) {
    if let Ok(table) = serde_json::from_slice::<maglev_core::table::Table<String>>(text) {
        assert!(!table.is_empty());
        assert_eq!(
            table.lookup(u64::MAX),
            table.entries().get(table.slot(u64::MAX)).and_then(|i| table.backends().get(i))
        );
        let again = serde_json::to_vec(&table).expect("a table is written");
        assert_eq!(
            serde_json::from_slice::<maglev_core::table::Table<String>>(&again).expect("and read"),
            table
        );
    }
}
