//! Pure. Short tables: one backend at a time, several of its slots at once.
//!
//! A short table fits the first-level cache, so a probe costs next to nothing and the lists of a batch would cost more. What
//! is left to avoid is guessing: with enough probes at once, one of them nearly always hits.

use crate::table::entries::Entry;

use super::steps::Steps;
use super::turns::Turns;
use super::{Cursor, Fill};

/// The most slots of a table filled this way.
pub(super) const MOST: usize = 2048;

impl<S: Steps, E: Entry> Fill<'_, S, E> {
    /// Each backend in turn looks at `PROBES` slots without a branch on what it finds, until one of them is free.
    pub(super) fn probing<const PROBES: usize>(&mut self, turns: &mut impl Turns, until: usize) {
        let steps = self.steps;
        let length = steps.length() as usize;
        let (taken, entries) = (&mut self.taken[..steps.map()], &mut self.entries[..length]);
        while self.free > until {
            // Neighbours, because walking over their cursors and labels needs no check either.
            let backends = turns.neighbours(self.free - until);
            let labels = self.labels.map(|labels| &labels[backends.clone()]);
            let first = backends.start as u32;
            self.free -= backends.len();
            for (nth, cursor) in self.cursors[backends].iter_mut().enumerate() {
                let slot = look::<PROBES>(steps, taken, *cursor);
                taken[slot as usize] = 1;
                entries[slot as usize] =
                    E::from_index(labels.map_or(first + nth as u32, |labels| labels[nth]));
                cursor.at = steps.after(slot, cursor.skip);
            }
        }
    }
}

/// No slot.
const NONE: u32 = u32::MAX;

/// The first free slot from where a backend stands.
#[inline(always)]
fn look<const PROBES: usize>(steps: impl Steps, taken: &[u8], cursor: Cursor) -> u32 {
    let Cursor { mut at, skip } = cursor;
    loop {
        let mut slots = [0; PROBES];
        for slot in &mut slots {
            *slot = at;
            at = steps.after(at, skip);
        }
        // From the last to the first, so that the first free one stays.
        let found = slots
            .iter()
            .rev()
            .fold(NONE, |found, &slot| if taken[slot as usize] == 0 { slot } else { found });
        if found != NONE {
            return found;
        }
    }
}
