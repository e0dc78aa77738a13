//! Pure. Which of the last free slots a backend would come to first.
//!
//! A backend at `at` with `skip` reaches slot `s` after *rank* = (s − at) · skip⁻¹ modulo the length M steps. Ranks only
//! need comparing, so instead of reducing modulo M they are kept as fractions of M in 64 bits: with the *measure*
//! X = ⌊skip⁻¹ · 2^64 / M⌋ the wrapping product (s − at) · X is rank · 2^64 / M but for an error of less than M < 2^31,
//! while ranks are more than 2^33 apart. One multiplication a slot, no division.

use super::steps::Steps;

/// The free slots, and the measures of those whose turns come.
#[derive(Clone, Debug, Default)]
pub(super) struct Nearest {
    free: Vec<u32>,
    skips: Vec<u32>,
    measures: Vec<u64>,
}

impl Nearest {
    /// Notes the free slots.
    pub(super) fn gather(&mut self, taken: &[u8]) {
        self.free.clear();
        free(taken, |slot| self.free.push(slot));
    }

    /// Works out the measures of some skips, for [`Nearest::take`].
    pub(super) fn measure(&mut self, steps: impl Steps, skips: impl Iterator<Item = u32>) {
        self.skips.clear();
        self.skips.extend(skips);
        steps.measures(&self.skips, &mut self.measures);
    }

    /// Removes and returns the free slot nearest to `at` for the `nth` measure.
    pub(super) fn take(&mut self, nth: usize, at: u32) -> u32 {
        let measure = self.measures[nth];
        // X is rounded down, so a slot behind `at` (a negative difference) would come out just above its true rank and
        // one ahead just below; a rank of 0 is only `at` itself and exact.
        let start = u64::from(at).wrapping_mul(measure);
        let way = |slot: u32| u64::from(slot).wrapping_mul(measure).wrapping_sub(start);
        // Four minima side by side: one alone would wait for itself.
        let mut best = [u64::MAX; 4];
        let mut places = [0; 4];
        let (fours, rest) = self.free.as_chunks::<4>();
        for (nth, four) in fours.iter().enumerate() {
            for lane in 0..4 {
                let way = way(four[lane]);
                if way < best[lane] {
                    best[lane] = way;
                    places[lane] = nth * 4 + lane;
                }
            }
        }
        let (mut nearest, mut place) = (best[0], places[0]);
        for (&way, &at) in best.iter().zip(&places) {
            if way < nearest {
                (nearest, place) = (way, at);
            }
        }
        for (&slot, at) in rest.iter().zip(fours.len() * 4..) {
            if way(slot) < nearest {
                (nearest, place) = (way(slot), at);
            }
        }
        self.free.swap_remove(place)
    }
}

/// Tells `note` of every slot that is free; `taken` is 0 or 1 for each. They come in no order that would mean anything.
pub(super) fn free(taken: &[u8], mut note: impl FnMut(u32)) {
    let (groups, rest) = taken.as_chunks::<64>();
    let mut start = 0;
    for group in groups {
        // Eight bytes are a word; bit i of byte j of all words together is that of word i.
        let mut all = 0;
        for (word, &bytes) in group.as_chunks::<8>().0.iter().enumerate() {
            all |= u64::from_le_bytes(bytes) << word;
        }
        // One guess for 64 slots, when there are no more, where looking at each would be one for each free slot.
        let mut free = !all;
        while free != 0 {
            let bit = free.trailing_zeros();
            note(start + bit % 8 * 8 + bit / 8);
            free &= free - 1;
        }
        start += 64;
    }
    for (_, slot) in rest.iter().zip(start..).filter(|&(&taken, _)| taken == 0) {
        note(slot);
    }
}
