use std::net::IpAddr;

use super::replicas::clib_xxhash;
use super::{Length, buckets, build};

fn servers(list: &[(&str, u8)]) -> Vec<(IpAddr, u8)> {
    list.iter().map(|&(address, weight)| (address.parse().unwrap(), weight)).collect()
}

fn length(slots: u32) -> Length {
    Length::new(slots).unwrap()
}

/// `num_buckets` as a VPP 26.10 reported them.
#[test]
fn counts_are_those_a_real_vpp_reports() {
    type Reported = (&'static str, u8, u32);
    let recorded: [(u32, &[Reported]); 5] = [
        (1024, &[("10.0.0.1", 100, 408), ("10.0.0.2", 100, 408), ("10.0.0.3", 50, 208), ("10.0.0.4", 0, 0)]),
        (1024, &[("2001:db8:2::1", 100, 776), ("2001:db8:2::2", 30, 240), ("2001:db8:2::3", 1, 8)]),
        (1024, &[("10.0.1.1", 100, 512), ("10.0.1.2", 100, 512)]),
        (4096, &[("10.0.2.1", 100, 4096)]),
        (1024, &[("10.0.0.1", 100, 1024), ("10.0.0.3", 0, 0), ("10.0.0.4", 0, 0)]),
    ];
    for (slots, rows) in recorded {
        let list: Vec<_> = rows.iter().map(|&(address, weight, _)| (address, weight)).collect();
        let expected: Vec<u32> = rows.iter().map(|&(_, _, count)| count).collect();
        assert_eq!(buckets(length(slots), &servers(&list)), expected, "by arithmetic, {list:?}");
        assert_eq!(build(length(slots), &servers(&list)).counts(), expected, "by building, {list:?}");
    }
}

/// VPP's loop as `lb.c` has it, with the order of its `memcmp` worked out by hand: .9 before .10 numerically, whatever the
/// text says.
#[test]
fn slots_are_those_of_vpps_loop() {
    let list = servers(&[("192.0.2.10", 2), ("192.0.2.9", 3), ("192.0.2.200", 1)]);
    let turns = [(9_u64, 0_u64), (10, 0), (200, 0), (9, 1), (10, 1), (9, 2)];
    let mask = 63;
    // An IPv4 address is the upper half of the second little-endian word.
    let mut state: Vec<(u64, u64, u64)> = turns
        .iter()
        .map(|&(last, replica)| {
            let word = u64::from(u32::from_le_bytes([192, 0, 2, last as u8])) << 32;
            let seed = clib_xxhash(word ^ replica);
            (last, seed >> 32 & mask, ((seed & 0xffff_ffff) | 1) & mask)
        })
        .collect();
    let mut slots = [0_u64; 64];
    let mut done = 0;
    'fill: loop {
        for (server, last, skip) in &mut state {
            loop {
                let slot = *last as usize;
                *last = (*last + *skip) & mask;
                if slots[slot] == 0 {
                    slots[slot] = *server;
                    break;
                }
            }
            done += 1;
            if done == 64 {
                break 'fill;
            }
        }
    }
    let table = build(length(64), &list);
    for (slot, last) in slots.iter().enumerate() {
        let expected: IpAddr = format!("192.0.2.{last}").parse().unwrap();
        assert_eq!(table.lookup(slot as u64), Some(&expected), "slot {slot}");
    }
}

#[test]
fn nobody_serves_a_vip_without_weights() {
    let table = build(length(1024), &servers(&[("10.0.0.1", 0)]));
    assert_eq!((table.len(), table.lookup(7), table.counts()), (1024, None, vec![0]));
    let table = build(length(1024), &[]);
    assert_eq!((table.len(), table.lookup(7)), (1024, None));
}

/// The measurement that made ratios worth scaling: 41-42 buckets against 10 where the weights say ten to one.
#[test]
fn weights_that_sum_to_more_than_the_length_lose_their_ratio() {
    let list: Vec<(IpAddr, u8)> =
        (0..40).map(|i| (IpAddr::from([10, 0, 0, i]), if i < 20 { 100 } else { 10 })).collect();
    let counts = buckets(length(1024), &list);
    assert!(counts[..20].iter().all(|&count| (41..=42).contains(&count)), "{counts:?}");
    assert!(counts[20..].iter().all(|&count| count == 10), "{counts:?}");
    let counts = buckets(length(65536), &list);
    assert!(counts[..20].iter().all(|&count| (2976..=2980).contains(&count)), "{counts:?}");
}

#[test]
fn only_powers_of_two_are_lengths() {
    for slots in [0, 3, 1000, 65537, u32::MAX, 1 << 25] {
        assert!(Length::new(slots).is_err(), "{slots}");
    }
    assert_eq!(
        Length::new(1000).unwrap_err().to_string(),
        "1000 is not a power of two from 1 to 16777216; take 1024, 4096, 16384 or 65536"
    );
    assert_eq!(build(length(1), &servers(&[("10.0.0.1", 3), ("10.0.0.2", 3)])).len(), 1);
}
