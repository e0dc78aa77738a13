//! Arbitrary bytes as a stats segment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maglev_vpp::stats::collect;

/// Where the segment pretends to be, so that small numbers are pointers into it.
const BASE: u64 = 0x1_0000;

fuzz_target!(|data: &[u8]| {
    let mut memory = data.to_vec();
    let _ = collect(&memory, &[0, 1], &[0, 8]);
    // Past the checks of the header, which chance would rarely get through.
    if memory.len() >= 40 {
        for (at, value) in [(0, 2), (8, BASE), (16, 1), (24, 0)] {
            memory[at..at + 8].copy_from_slice(&u64::to_ne_bytes(value));
        }
        memory[34..40].copy_from_slice(&(BASE >> 16).to_ne_bytes()[..6]);
        let _ = collect(&memory, &[0, 1, u32::MAX], &[0, 8, u32::MAX]);
    }
});
