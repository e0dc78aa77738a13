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

use super::probing::Slots;
use super::steps::Short;
use super::turns::Turns;
use super::{Cursor, Labelled, rank};

/// As many slots as 16 bits can tell apart. In an array of so many nothing they say is out of bounds.
pub(super) const SLOTS: usize = 1 << 16;

/// Turns an order of unsigned numbers into one of signed.
const SIGN: u16 = 1 << 15;

/// The list of free slots is filled up to a multiple of so many, so that the loop over it has no rest: two vectors.
const WHOLE: usize = 16;

/// So many backends ask in one pass over the list, which has enough to do for all the processor's units and fits its registers.
const ABREAST: usize = 4;

/// At most so many ask before the first of them takes its slot. Reading the list in wide pieces right after writing a narrow one
/// makes the processor wait until it is written.
const BLOCK: usize = 16;

impl Short {
    /// How many free slots make asking them cheaper than walking there.
    pub(super) fn last(self) -> usize {
        (8 * (usize::from(self.mask) + 1)).isqrt()
    }

    /// What slots are multiplied by to get their ranks.
    fn measure(self, skip: u16) -> u16 {
        // Newton's iteration doubles the right bits: 3 · skip XOR 2 has five, so two rounds give 20.
        let mut inverse = skip.wrapping_mul(3) ^ 2;
        for _ in 0..2 {
            inverse = inverse.wrapping_mul(2_u16.wrapping_sub(skip.wrapping_mul(inverse)));
        }
        inverse << self.mask.leading_zeros()
    }

    /// The slot whose rank was found smallest.
    fn slot(self, cursor: Cursor, way: u16) -> u16 {
        let rank = way >> self.mask.leading_zeros();
        (cursor.at as u16).wrapping_add(rank.wrapping_mul(cursor.skip as u16)) & self.mask
    }
}

/// The free slots, between turns.
#[derive(Clone, Debug, Default)]
pub(super) struct Nearest16 {
    /// [`SLOTS`] of each, of which a [`List`] says what they mean.
    free: Vec<u16>,
    places: Vec<u16>,
    count: usize,
}

/// The free slots.
struct List<'a> {
    steps: Short,
    /// `count` of them. What comes after is of no meaning but after [`List::pad`].
    free: &'a mut [u16; SLOTS],
    count: usize,
    /// For each free slot its place in the list. What it says of others is of no meaning.
    places: &'a mut [u16; SLOTS],
}

impl Nearest16 {
    /// Notes the free slots: `taken` is 0 or 1 for each slot.
    pub(super) fn gather(&mut self, taken: &[u8]) {
        if self.free.len() < SLOTS {
            self.free = vec![0; SLOTS];
            self.places = vec![0; SLOTS];
        }
        self.count = 0;
        rank::free(taken, |slot| {
            self.free[self.count] = slot as u16;
            self.places[slot as usize] = self.count as u16;
            self.count += 1;
        });
    }

    /// Lets backends take turns until all slots that were [gathered](Nearest16::gather) are taken; each takes the one it
    /// would come to first.
    ///
    /// `backends` may stand anywhere before where they are: what they would pass is taken.
    ///
    /// A block of them asks at once. One whose slot was taken by another of the block asks again, which is exact for the
    /// same reason as looking ahead is: its slot was the nearest of more.
    pub(super) fn take_all(
        &mut self,
        steps: Short,
        backends: &[Labelled],
        turns: &mut impl Turns,
        slots: &mut impl Slots,
    ) {
        let free = &mut self.free.as_chunks_mut().0[0];
        let places = &mut self.places.as_chunks_mut().0[0];
        let mut list = List { steps, free, count: self.count, places };
        while list.count > 0 {
            let mut backends = &backends[turns.neighbours(list.count)];
            while !backends.is_empty() {
                // With an eighth as many as there are slots, one in sixteen asks again.
                let most = (list.count / 8).clamp(ABREAST, BLOCK) / ABREAST * ABREAST;
                let (block, later) = backends.split_at(most.min(backends.len()));
                backends = later;
                list.pad();
                let mut found = [0; BLOCK];
                let (fours, rest) = block.as_chunks::<ABREAST>();
                let (found_by_fours, found_by_rest) = found.split_at_mut(fours.len() * ABREAST);
                for (four, found) in fours.iter().zip(found_by_fours.as_chunks_mut().0) {
                    *found = list.nearest(four.map(|backend| backend.cursor));
                }
                for (backend, found) in rest.iter().zip(found_by_rest) {
                    [*found] = list.nearest([backend.cursor]);
                }
                for (backend, &found) in block.iter().zip(&found) {
                    let mut slot = found;
                    if !slots.is_free(u32::from(slot)) {
                        list.pad();
                        [slot] = list.nearest([backend.cursor]);
                    }
                    slots.take(u32::from(slot), backend.label);
                    list.remove(slot);
                }
            }
        }
    }
}

impl List<'_> {
    /// Repeats the first slot after the last, up to a multiple of [`WHOLE`]: what is there twice changes no minimum.
    fn pad(&mut self) {
        let first = self.free[0];
        self.free[self.count..self.count.next_multiple_of(WHOLE)].fill(first);
    }

    /// For each backend the slot it would come to first. The list must be padded.
    #[inline(always)]
    fn nearest<const N: usize>(&self, cursors: [Cursor; N]) -> [u16; N] {
        let measures = cursors.map(|cursor| self.steps.measure(cursor.skip as u16));
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
        let mut found = [0; N];
        for ((found, cursor), way) in found.iter_mut().zip(cursors).zip(best) {
            *found = self.steps.slot(cursor, way as u16 ^ SIGN);
        }
        found
    }

    /// Takes a slot off the list; the last of it comes to its place.
    fn remove(&mut self, slot: u16) {
        let place = self.places[usize::from(slot)];
        self.count -= 1;
        let last = self.free[self.count % SLOTS];
        self.free[usize::from(place)] = last;
        self.places[usize::from(last)] = place;
    }
}
