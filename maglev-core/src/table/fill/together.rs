//! Pure. A batch of backends looks for free slots at once.

use crate::table::entries::Entry;

use super::steps::Steps;
use super::turns::Turns;
use super::{BATCH, Fill};

/// How many slots each of a batch looks at in passing.
const PROBES: usize = 4;

impl<S: Steps, E: Entry> Fill<'_, S, E> {
    /// All of a batch probe [`PROBES`] slots each, without a branch on what they find. Those that found none stay on the list;
    /// when it is empty each of the batch takes its slot in turn, or the next free one if another was faster.
    pub(super) fn together(&mut self, turns: &mut impl Turns, until: usize) {
        let mut batch = [0; BATCH];
        // Two lists in turn: reading the one that is written would make the processor wait to see where.
        let (mut odd, mut even) = ([0; BATCH], [0; BATCH]);
        while self.free > until {
            // With a quarter as many backends as free slots, one in eight has to look again.
            let most = BATCH.min(self.free - until).min(self.free.div_ceil(4));
            let count = turns.next(&mut batch[..most]);
            let mut left = self.probe(&batch[..count], &mut odd);
            while left > 0 {
                left = self.probe(&odd[..left], &mut even);
                left = self.probe(&even[..left], &mut odd);
            }
            self.take::<1>(&batch[..count]);
        }
    }

    /// Moves each that is seeking past the taken ones of its next slots, and puts it on the other list if they all were.
    /// Returns how many are there.
    fn probe(&mut self, seeking: &[u32], still: &mut [u32; BATCH]) -> usize {
        let map = self.map.reborrow(self.steps);
        let mut kept = 0;
        for &backend in seeking {
            let cursor = &mut self.cursors[backend as usize];
            let (mut at, mut found) = (cursor.at, cursor.at);
            let mut all = 1;
            for _ in 0..PROBES {
                all &= map.taken[at as usize];
                at = self.steps.after(at, cursor.skip);
                found = if all != 0 { at } else { found };
            }
            cursor.at = found;
            still[kept] = backend;
            kept += usize::from(all);
        }
        kept
    }
}
