//! Pure. Fills a table exactly as taking turns one by one would, in a fraction of the time.
//!
//! Two facts allow it. A slot once taken stays taken, so many backends can look ahead at the same time and whatever they
//! skip is rightly skipped; what they believe free is checked again when their turn comes. And the last few slots cost
//! as many probes as all others together, but a backend's way to a given slot has a known length (see [`rank`]), so
//! near the end it is cheaper to ask which free slot is nearest than to walk there.
//!
//! Five ways of finding the next free slot follow each other as the table fills; each hands on to the next where
//! measurement says it stops paying.

use crate::table::entries::Entry;

use self::rank::Nearest;
use self::steps::Steps;
use self::turns::Turns;

mod rank;
pub(super) mod steps;
pub(super) mod turns;

/// Where a backend stands in its own order over the slots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    /// The next slot to ask for. All before it are taken.
    pub(super) at: u32,
    /// The way from there to the one after.
    pub(super) skip: u32,
}

/// How many turns are looked ahead together. Enough loads in flight to hide the second-level cache, few enough that two of
/// them seldom want the same slot.
const BATCH: usize = 128;

/// Memory a build needs besides its result; a second build of the same size allocates nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    pub(super) cursors: Vec<Cursor>,
    taken: Vec<u8>,
    nearest: Nearest,
}

/// One build under way.
struct Fill<'a, S, E> {
    steps: S,
    cursors: &'a mut [Cursor],
    taken: &'a mut [u8],
    entries: &'a mut [E],
    labels: Option<&'a [u32]>,
    free: usize,
}

/// Fills `entries` with the cursors of `scratch`, in the order `turns` gives. There must be at least one.
pub(super) fn fill<S: Steps, E: Entry>(
    scratch: &mut Scratch,
    steps: S,
    mut turns: impl Turns,
    labels: Option<&[u32]>,
    entries: &mut Vec<E>,
) {
    let length = steps.length() as usize;
    entries.clear();
    entries.resize(length, E::NONE);
    scratch.taken.clear();
    scratch.taken.resize(length, 0);
    let mut fill = Fill {
        steps,
        cursors: &mut scratch.cursors,
        taken: &mut scratch.taken,
        entries,
        labels,
        free: length,
    };
    let last = length.isqrt();
    fill.one_by_one(&mut turns, (length - length / 12).max(last));
    fill.together::<1>(&mut turns, (length / 2).max(last));
    fill.together::<4>(&mut turns, (length / 32).max(last));
    fill.striding(&mut turns, last);
    fill.by_rank(&mut turns, &mut scratch.nearest);
}

impl<S: Steps, E: Entry> Fill<'_, S, E> {
    fn take(&mut self, slot: usize, backend: u32) {
        self.taken[slot] = 1;
        self.entries[slot] = E::from_index(match self.labels {
            Some(labels) => labels[backend as usize],
            None => backend,
        });
    }

    /// Nearly every slot is free: the first probe hits and branches are predicted.
    fn one_by_one(&mut self, turns: &mut impl Turns, until: usize) {
        let mut batch = [0; BATCH];
        while self.free > until {
            let count = BATCH.min(self.free - until);
            turns.next(&mut batch[..count]);
            self.commit(&batch[..count]);
        }
    }

    fn commit(&mut self, batch: &[u32]) {
        for &backend in batch {
            let Cursor { mut at, skip } = self.cursors[backend as usize];
            while self.taken[at as usize] != 0 {
                at = self.steps.after(at, skip);
            }
            self.take(at as usize, backend);
            self.cursors[backend as usize].at = self.steps.after(at, skip);
        }
        self.free -= batch.len();
    }

    /// All of a batch probe at once, without a branch on what they find; those that found nothing stay on the list.
    fn together<const PROBES: usize>(&mut self, turns: &mut impl Turns, until: usize) {
        let mut batch = [0; BATCH];
        while self.free > until {
            let count = BATCH.min(self.free - until);
            turns.next(&mut batch[..count]);
            let mut seeking = batch;
            let mut left = count;
            while left > 8 {
                let mut kept = 0;
                for nth in 0..left {
                    let backend = seeking[nth];
                    let cursor = &mut self.cursors[backend as usize];
                    let mut found = cursor.at;
                    let mut at = cursor.at;
                    let mut all = 1;
                    for _ in 0..PROBES {
                        all &= self.taken[at as usize];
                        at = self.steps.after(at, cursor.skip);
                        found = if all != 0 { at } else { found };
                    }
                    cursor.at = found;
                    seeking[kept] = backend;
                    kept += usize::from(all);
                }
                left = kept;
            }
            self.commit(&batch[..count]);
        }
    }

    /// Long walks: probe many slots of one walk at once.
    fn striding(&mut self, turns: &mut impl Turns, until: usize) {
        let mut batch = [0; BATCH];
        while self.free > until {
            let count = BATCH.min(self.free - until);
            turns.next(&mut batch[..count]);
            for &backend in &batch[..count] {
                let cursor = &mut self.cursors[backend as usize];
                let skip = cursor.skip;
                let mut at = cursor.at;
                loop {
                    let mut ahead = at;
                    let mut all = 1;
                    for _ in 0..8 {
                        all &= self.taken[ahead as usize];
                        ahead = self.steps.after(ahead, skip);
                    }
                    if all == 0 {
                        break;
                    }
                    at = ahead;
                }
                cursor.at = at;
                self.commit(&[backend]);
            }
        }
    }

    fn by_rank(&mut self, turns: &mut impl Turns, nearest: &mut Nearest) {
        nearest.prepare(self.taken, self.free);
        let mut batch = [0; BATCH];
        while self.free > 0 {
            let count = BATCH.min(self.free);
            turns.next(&mut batch[..count]);
            nearest.measure(self.steps, batch[..count].iter().map(|&b| self.cursors[b as usize].skip));
            for (nth, &backend) in batch[..count].iter().enumerate() {
                let cursor = self.cursors[backend as usize];
                let slot = nearest.take(nth, cursor.at);
                self.cursors[backend as usize].at = self.steps.after(slot, cursor.skip);
                self.take(slot as usize, backend);
            }
            self.free -= count;
        }
    }
}
