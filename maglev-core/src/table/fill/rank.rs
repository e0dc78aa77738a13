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
    pub(super) fn prepare(&mut self, taken: &[u8], free: usize) {
        self.free.clear();
        self.free.reserve(free);
        self.free.extend((0..).zip(taken).filter(|&(_, &taken)| taken == 0).map(|(slot, _)| slot));
    }

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
        let mut best = u64::MAX;
        let mut place = 0;
        for (nth, &slot) in self.free.iter().enumerate() {
            let way = u64::from(slot).wrapping_mul(measure).wrapping_sub(start);
            if way < best {
                best = way;
                place = nth;
            }
        }
        self.free.swap_remove(place)
    }
}
