use std::cell::Cell;

use proptest::prelude::*;

use super::{BASE_AT, DIRECTORY_AT, EPOCH_AT, IN_PROGRESS_AT, Segment, SegmentError, VERSION_AT};
use crate::stats::collect;
use crate::stats::memory::Memory;
use crate::stats::tests::recorded;

fn put(memory: &mut [u8], at: u64, value: u64) {
    memory[at as usize..][..8].copy_from_slice(&value.to_ne_bytes());
}

#[test]
fn another_version_is_refused() {
    let mut memory = recorded();
    put(&mut memory, VERSION_AT, 3);
    assert_eq!(collect(&memory, &[], &[]), Err(SegmentError::Version(3)));
}

#[test]
fn a_segment_being_changed_is_left_alone() {
    let mut memory = recorded();
    put(&mut memory, IN_PROGRESS_AT, 1);
    assert_eq!(collect(&memory, &[], &[]), Err(SegmentError::Busy));
}

#[test]
fn pointers_out_of_the_segment_are_not_followed() {
    let good = recorded();
    let base = good.u64(BASE_AT).unwrap();
    for address in [1, base - 1, base, base + 7, base + good.len() as u64 + 8, u64::MAX, base + 1] {
        let mut memory = good.clone();
        put(&mut memory, DIRECTORY_AT, address);
        assert!(matches!(collect(&memory, &[], &[]), Err(SegmentError::Outside(_))), "{address:#x}");
    }
}

#[test]
fn lengths_beyond_the_segment_are_not_believed() {
    let mut memory = recorded();
    let directory = memory.u64(DIRECTORY_AT).unwrap() - memory.u64(BASE_AT).unwrap();
    put(&mut memory, directory - 8, u64::from(u32::MAX));
    assert!(matches!(collect(&memory, &[], &[]), Err(SegmentError::Outside(_))));
}

/// Memory in which VPP raises the epoch after so many reads.
struct Moving {
    memory: Vec<u8>,
    reads: Cell<u64>,
    moves_at: u64,
}

impl Memory for Moving {
    fn len(&self) -> u64 {
        Memory::len(&self.memory)
    }

    fn u64(&self, at: u64) -> Option<u64> {
        self.reads.set(self.reads.get() + 1);
        let moved = u64::from(at == EPOCH_AT && self.reads.get() > self.moves_at);
        Some(self.memory.u64(at)? + moved)
    }
}

#[test]
fn what_was_read_while_it_changed_does_not_count() {
    let still = Moving { memory: recorded(), reads: Cell::new(0), moves_at: u64::MAX };
    let whole = collect(&still, &[1], &[8]).unwrap();
    let reads = still.reads.get();
    assert!(reads > 10);
    // The epoch is read once at the beginning and once at the end: a change anywhere between is seen.
    for moves_at in [3, 4, reads / 2, reads - 1] {
        let moving = Moving { memory: still.memory.clone(), reads: Cell::new(0), moves_at };
        assert_eq!(collect(&moving, &[1], &[8]), Err(SegmentError::Changed), "after {moves_at} reads");
    }
    let later = Moving { memory: still.memory, reads: Cell::new(0), moves_at: reads };
    assert_eq!(collect(&later, &[1], &[8]), Ok(whole));
}

proptest! {
    #[test]
    fn any_memory_is_counters_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..4096),
        directory in 0u64..4096,
        version in 0u64..4,
    ) {
        let mut memory = bytes;
        if memory.len() >= 40 {
            put(&mut memory, VERSION_AT, version);
            put(&mut memory, BASE_AT, 0x1000);
            put(&mut memory, IN_PROGRESS_AT, 0);
            put(&mut memory, DIRECTORY_AT, 0x1000 + directory);
        }
        let _ = Segment::new(&memory).read(|view| view.simple(0x1000 + directory, 3));
        let _ = collect(&memory, &[0, 1, u32::MAX], &[0, u32::MAX]);
    }

    #[test]
    fn a_damaged_segment_is_counters_or_an_error(damage in prop::collection::vec((0usize..4 << 20, any::<u8>()), 1..50)) {
        let mut memory = recorded();
        for (at, byte) in damage {
            // Mostly where something is.
            let at = if at % 4 == 0 { at } else { at % 0x20000 };
            memory[at] = byte;
        }
        let _ = collect(&memory, &[0, 1, 5], &[0, 8, 28]);
    }
}
