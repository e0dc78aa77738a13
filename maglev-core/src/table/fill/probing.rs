//! Pure. One backend at a time, several of its slots at once.
//!
//! While many slots are free a backend finds one within a few probes, but not always within the same number, and every wrong
//! guess of the processor costs more than all of them. So the probes are made without a branch on what they find, and the
//! only question left is whether any of them hit, which is nearly always so.

use std::hint::select_unpredictable;
use std::ops::Range;

use crate::table::entries::Entry;

use super::steps::Steps;
use super::turns::Turns;
use super::{BATCH, Cursor, Fill, label};

/// Who has which slot.
pub(super) trait Slots {
    /// Whether nobody has it.
    fn is_free(&self, slot: u32) -> bool;

    /// It is of the backend of that label from now on.
    fn take(&mut self, slot: u32, label: u32);
}

/// The first free slot from where a backend stands, which is looked for among `PROBES` at once. It then stands after that.
#[inline(always)]
pub(super) fn look<const PROBES: usize>(steps: impl Steps, map: &impl Slots, cursor: &mut Cursor) -> u32 {
    let Cursor { mut at, skip } = *cursor;
    loop {
        let mut slots = [0; PROBES];
        for slot in &mut slots {
            *slot = at;
            at = steps.after(at, skip);
        }
        // From the last to the first, so that the first free one stays. The last is not asked: whichever is found is.
        let (&last, others) = slots.split_last().unwrap_or((&0, &[]));
        let found = others
            .iter()
            .rev()
            .fold(last, |found, &slot| select_unpredictable(map.is_free(slot), slot, found));
        if map.is_free(found) {
            cursor.at = steps.after(found, skip);
            return found;
        }
    }
}

impl<S: Steps, E: Entry> Fill<'_, S, E> {
    /// Lets backends take turns until so many slots are free, each looking at `PROBES` at once.
    pub(super) fn probing<const PROBES: usize, T: Turns>(&mut self, turns: &mut T, until: usize) {
        let mut batch = [0; BATCH];
        while self.free > until {
            if T::IN_ORDER {
                let backends = turns.neighbours(self.free - until);
                self.neighbours_take::<PROBES>(backends);
            } else {
                let count = turns.next(&mut batch[..BATCH.min(self.free - until)]);
                self.take::<PROBES>(&batch[..count]);
            }
        }
    }

    /// Each of the batch takes the first free slot from where it stands.
    pub(super) fn take<const PROBES: usize>(&mut self, batch: &[u32]) {
        let (steps, labelled, mut map) = (self.steps, self.labelled, self.map.reborrow(self.steps));
        for &backend in batch {
            let slot = look::<PROBES>(steps, &map, &mut self.cursors[backend as usize]);
            map.take(slot, label(labelled, backend));
        }
        self.free -= batch.len();
    }

    /// The same for backends in order, which needs no list and no check of what it says.
    fn neighbours_take<const PROBES: usize>(&mut self, backends: Range<usize>) {
        let (steps, labelled, mut map) = (self.steps, self.labelled, self.map.reborrow(self.steps));
        let first = backends.start as u32;
        self.free -= backends.len();
        for (cursor, backend) in self.cursors[backends].iter_mut().zip(first..) {
            let slot = look::<PROBES>(steps, &map, cursor);
            map.take(slot, label(labelled, backend));
        }
    }
}
