//! Pure. The last free slots of a table of 2^n ≤ 65536: ranks in 16 bits, eight of them in one instruction.
//!
//! Modulo 2^n a backend at `at` with `skip` reaches slot `s` after *rank* = (s − at) · skip⁻¹ steps ([`rank`](super::rank)
//! tells what that is good for). With the *measure* skip⁻¹ · 2^(16−n) the product modulo 2^16, which is what 16-bit
//! arithmetic gives by itself, is the rank in its upper bits and exact. From the smallest of them follows the slot:
//! at + rank · skip. So nothing but a minimum is asked of the free slots, and a loop of one multiplication, one subtraction
//! and one minimum is what compilers turn into vector instructions; every x86-64 has them for 16 bits (the minimum only
//! of signed numbers, hence [`SIGN`]).
//!
//! Asking 8 slots at once makes asking worth its while when √(8 · length) are left instead of √length.

use crate::table::entries::Entry;

use super::steps::Steps;
use super::turns::Turns;
use super::{BATCH, Cursor, Fill, label, rank};

/// Turns an order of unsigned numbers into one of signed.
const SIGN: u16 = 1 << 15;

/// The list of free slots is filled up to a multiple of so many, so that the loop over it has no rest: two vectors.
const WHOLE: usize = 16;

/// So many backends ask in one pass over the list, which has enough to do for all the processor's units and fits its registers.
const ABREAST: usize = 4;

/// At most so many ask before the first of them takes its slot. Reading the list in wide pieces right after writing a narrow one
/// makes the processor wait until it is written.
const BLOCK: usize = 16;

/// Slots modulo 2^n where n is from 1 to 16.
#[derive(Clone, Copy, Debug)]
pub(in crate::table) struct Bits {
    n: u32,
}

impl Bits {
    /// The bits of a mask, of which there is at least one.
    pub(super) fn of(mask: u16) -> Bits {
        Bits { n: mask.count_ones() }
    }

    /// How many free slots make asking them cheaper than walking there.
    pub(super) fn last(self) -> usize {
        (8_usize << self.n).isqrt()
    }

    /// What slots are multiplied by to get their ranks.
    fn measure(self, skip: u16) -> u16 {
        // Newton's iteration doubles the right bits: 3 · skip XOR 2 has five, so two rounds give 20.
        let mut inverse = skip.wrapping_mul(3) ^ 2;
        for _ in 0..2 {
            inverse = inverse.wrapping_mul(2_u16.wrapping_sub(skip.wrapping_mul(inverse)));
        }
        inverse << (16 - self.n)
    }

    /// The slot whose rank was found smallest.
    fn slot(self, cursor: Cursor, way: u16) -> u16 {
        let rank = u32::from(way >> (16 - self.n));
        let mask = (1 << self.n) - 1;
        (cursor.at.wrapping_add(rank.wrapping_mul(cursor.skip)) & mask) as u16
    }
}

/// The free slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Nearest16 {
    /// `count` of them, then the first again and again up to a multiple of [`WHOLE`]: what is there twice changes no minimum.
    free: Vec<u16>,
    count: usize,
    /// For each free slot its place in the list. What it says of others is of no meaning.
    places: Vec<u16>,
}

impl Nearest16 {
    /// Notes the free slots, of which there is at least one.
    fn gather(&mut self, taken: &[u8]) {
        self.free.clear();
        rank::free(taken, |slot| self.free.push(slot as u16));
        self.count = self.free.len();
        if self.places.len() < taken.len() {
            self.places.resize(taken.len(), 0);
        }
        for (&slot, place) in self.free.iter().zip(0..) {
            self.places[slot as usize] = place;
        }
        self.free.resize(self.count.next_multiple_of(WHOLE), self.free[0]);
    }

    /// For each backend the smallest way, which is its rank in the upper bits.
    #[inline(always)]
    fn ways<const N: usize>(&self, bits: Bits, cursors: [Cursor; N]) -> [u16; N] {
        let measures = cursors.map(|cursor| bits.measure(cursor.skip as u16));
        let mut starts = [0; N];
        for ((start, cursor), &measure) in starts.iter_mut().zip(cursors).zip(&measures) {
            *start = (cursor.at as u16).wrapping_mul(measure) ^ SIGN;
        }
        let mut best = [i16::MAX; N];
        for &slot in &self.free[..self.count.next_multiple_of(WHOLE)] {
            for nth in 0..N {
                // The sign bit of the difference is turned because that of the start is.
                let way = slot.wrapping_mul(measures[nth]).wrapping_sub(starts[nth]);
                best[nth] = best[nth].min(way as i16);
            }
        }
        best.map(|way| way as u16 ^ SIGN)
    }

    /// Takes a free slot off the list.
    fn remove(&mut self, slot: u16) {
        let place = self.places[slot as usize];
        self.count -= 1;
        let moved = self.free[self.count];
        self.free[place as usize] = moved;
        self.places[moved as usize] = place;
        if place == 0 {
            self.free[self.count..].fill(moved);
        } else {
            self.free[self.count] = self.free[0];
        }
    }
}

impl<S: Steps, E: Entry> Fill<'_, S, E> {
    /// The last slots: each turn takes the one its backend would come to first.
    ///
    /// A block of backends asks at once. One whose slot was taken by another of the block asks again, which is exact for the
    /// same reason as looking ahead is: its slot was the nearest of more.
    pub(super) fn by_rank16(&mut self, bits: Bits, turns: &mut impl Turns, nearest: &mut Nearest16) {
        let length = self.steps.length() as usize;
        let (taken, entries) = (&mut self.taken[..self.steps.map()], &mut self.entries[..length]);
        nearest.gather(&taken[..length]);
        let mut batch = [0; BATCH];
        while self.free > 0 {
            let count = turns.next(&mut batch[..BATCH.min(self.free)]);
            let mut turns = &batch[..count];
            while !turns.is_empty() {
                // With an eighth as many as there are slots, one in sixteen asks again.
                let most = (nearest.count / 8).clamp(ABREAST, BLOCK).min(turns.len());
                let (block, later) = turns.split_at(most);
                turns = later;
                let mut found = [0; BLOCK];
                let (fours, rest) = block.as_chunks::<ABREAST>();
                for (four, found) in fours.iter().zip(found.as_chunks_mut::<ABREAST>().0) {
                    let cursors = four.map(|backend| self.cursors[backend as usize]);
                    let ways = nearest.ways(bits, cursors);
                    for ((found, cursor), way) in found.iter_mut().zip(cursors).zip(ways) {
                        *found = bits.slot(cursor, way);
                    }
                }
                for (&backend, found) in rest.iter().zip(&mut found[fours.len() * ABREAST..]) {
                    let cursor = self.cursors[backend as usize];
                    let [way] = nearest.ways(bits, [cursor]);
                    *found = bits.slot(cursor, way);
                }
                for (&backend, &found) in block.iter().zip(&found) {
                    let mut slot = found;
                    if taken[slot as usize] != 0 {
                        let cursor = self.cursors[backend as usize];
                        let [way] = nearest.ways(bits, [cursor]);
                        slot = bits.slot(cursor, way);
                    }
                    nearest.remove(slot);
                    taken[slot as usize] = 1;
                    entries[slot as usize] = E::from_index(label(self.labels, backend));
                }
            }
            self.free -= count;
        }
    }
}
