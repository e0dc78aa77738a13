//! Pure. Few backends: each gathers free slots for several of its turns.

use crate::table::entries::Entry;

use super::probing::Slots;
use super::steps::Steps;
use super::turns::Turns;
use super::{BATCH, Cursor, Fill, label};

/// Slots that were free when a backend came past, in the order of its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queue {
    slots: [u32; Queue::LENGTH],
    head: usize,
    count: usize,
}

impl Queue {
    /// Slots a queue can hold: enough that the loop gathering them is long, and a power of two so that a mask keeps in bounds.
    const LENGTH: usize = 128;
    /// Backends that may have a queue, which keeps all queues within half a megabyte.
    pub(super) const MOST: usize = 1024;
    const EMPTY: Queue = Queue { slots: [0; Queue::LENGTH], head: 0, count: 0 };
}

impl<S: Steps, E: Entry> Fill<'_, S, E> {
    /// Each backend walks on without a branch on what it finds and notes the slots that are free. In its turn it takes the
    /// first of them nobody took since.
    pub(super) fn ahead(&mut self, turns: &mut impl Turns, queues: &mut Vec<Queue>, until: usize) {
        queues.clear();
        queues.resize(self.cursors.len(), Queue::EMPTY);
        let steps = self.steps;
        let length = steps.length() as usize;
        let mut map = self.map.reborrow(steps);
        let mut batch = [0; BATCH];
        while self.free > until {
            // So many that no more than one in sixteen free slots is noted, but enough to be worth the walk.
            let wanted = (self.free / (16 * turns.abreast())).clamp(4, 32);
            let eights =
                (wanted as u64 * length as u64).div_ceil(8 * self.free as u64).min(Queue::LENGTH as u64 / 8);
            let count = turns.next(&mut batch[..BATCH.min(self.free - until)]);
            for &backend in &batch[..count] {
                let queue = &mut queues[backend as usize];
                let slot = loop {
                    while queue.head == queue.count {
                        gather(steps, map.taken, &mut self.cursors[backend as usize], queue, eights);
                    }
                    let slot = queue.slots[queue.head % Queue::LENGTH];
                    queue.head += 1;
                    if map.is_free(slot) {
                        break slot;
                    }
                };
                map.take(slot, label(self.labelled, backend));
            }
            self.free -= count;
        }
        for (cursor, queue) in self.cursors.iter_mut().zip(queues) {
            if queue.head < queue.count {
                cursor.at = queue.slots[queue.head % Queue::LENGTH];
            }
        }
    }
}

/// Fills an empty queue from the next slots of its backend, eight at a time.
fn gather<S: Steps>(steps: S, taken: &[u8], cursor: &mut Cursor, queue: &mut Queue, eights: u64) {
    let Cursor { mut at, skip } = *cursor;
    let mut count = 0;
    for _ in 0..eights {
        for _ in 0..8 {
            queue.slots[count % Queue::LENGTH] = at;
            count += usize::from(1 ^ taken[at as usize]);
            at = steps.after(at, skip);
        }
    }
    cursor.at = at;
    queue.head = 0;
    queue.count = count;
}
