use super::{Combined, Counters, SegmentError, VipPackets, collect};

/// What a real VPP counted.
const RECORDED: &str = include_str!("../../tests/fixtures/stats-segment.txt");

/// The recorded segment, 4 MiB of it.
pub(super) fn recorded() -> Vec<u8> {
    let mut memory = vec![0; 4 << 20];
    for line in RECORDED.lines() {
        let Some((at, hex)) = line.split_once(' ').filter(|(at, _)| *at != "#") else { continue };
        let at = usize::from_str_radix(at, 16).unwrap();
        for (byte, digits) in memory[at..].iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        }
    }
    memory
}

#[test]
fn recorded_counters_are_read() {
    let (heartbeat, counters) = collect(&recorded(), &[1, 2, 6], &[8, 9, 29]).unwrap();
    assert_eq!(heartbeat, 6);
    let expected = Counters {
        boot_time: 1_795_437_341,
        vips: vec![
            Some(VipPackets { first: 300, ..VipPackets::default() }),
            Some(VipPackets::default()),
            None, // VPP had five VIPs, and the placeholder at 0.
        ],
        routes: vec![Some(Combined { packets: 300, bytes: 18000 }), Some(Combined::default()), None],
    };
    assert_eq!(counters, expected);
}

#[test]
fn a_vpp_that_counts_no_vips_yet_has_none() {
    let mut memory = recorded();
    let name = b"first session packet";
    let at = memory.windows(name.len()).position(|window| window == name).unwrap();
    memory[at] = b'X';
    let (_, counters) = collect(&memory, &[1], &[8]).unwrap();
    assert_eq!(counters.vips, [None]);
    assert!(counters.routes[0].is_some());
}

#[test]
fn without_a_boot_time_it_is_no_segment() {
    let mut memory = recorded();
    let name = b"/sys/boottime";
    let at = memory.windows(name.len()).position(|window| window == name).unwrap();
    memory[at] = b'X';
    assert_eq!(collect(&memory, &[1], &[8]), Err(SegmentError::Missing("/sys/boottime")));
}
