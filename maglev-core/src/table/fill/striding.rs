//! Pure. One backend at a time, several of its slots at once.

use crate::table::entries::Entry;

use super::probing::Slots;
use super::steps::Steps;
use super::turns::Turns;
use super::{BATCH, Cursor, Fill, label};

impl<S: Steps, E: Entry> Fill<'_, S, E> {
    /// Four places of a backend's way, each moved on by four steps, so that no probe waits for the one before.
    pub(super) fn striding(&mut self, turns: &mut impl Turns, until: usize) {
        let steps = self.steps;
        let mut map = self.map.reborrow(steps);
        let mut batch = [0; BATCH];
        while self.free > until {
            let count = turns.next(&mut batch[..BATCH.min(self.free - until)]);
            for &backend in &batch[..count] {
                let Cursor { at, skip } = self.cursors[backend as usize];
                let two = steps.after(skip, skip);
                let four = steps.after(two, two);
                let (mut a, mut b) = (at, steps.after(at, skip));
                let (mut c, mut d) = (steps.after(a, two), steps.after(b, two));
                while !(map.is_free(a) | map.is_free(b) | map.is_free(c) | map.is_free(d)) {
                    a = steps.after(a, four);
                    b = steps.after(b, four);
                    c = steps.after(c, four);
                    d = steps.after(d, four);
                }
                let found = if map.is_free(c) { c } else { d };
                let found = if map.is_free(b) { b } else { found };
                let found = if map.is_free(a) { a } else { found };
                map.take(found, label(self.labelled, backend));
                self.cursors[backend as usize].at = steps.after(found, skip);
            }
            self.free -= count;
        }
    }
}
