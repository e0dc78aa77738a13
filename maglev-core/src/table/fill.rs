//! Pure. Fills a table exactly as taking turns one by one would, in a fraction of the time.
//!
//! Two facts allow it. A slot once taken stays taken, so backends can look ahead at the same time: what they skip is rightly
//! skipped, and what they found free is checked again when their turn comes. And the last few slots cost as many probes as
//! all others together, but how far a slot is along a backend's way is a formula, so near the end it is cheaper to ask
//! which free slot is nearest than to walk there.
//!
//! The ways of finding the next free slot follow each other as the table fills:
//!
//! | free | way | why |
//! |---|---|---|
//! | to 92 % | [one by one](Fill::one_by_one) | the first probe hits and the processor guesses so |
//! | to 5 % | [together](Fill::together): a batch of backends probes at once | guesses would fail; this makes none |
//! | to 5 %, few backends | [ahead](Fill::ahead): each gathers free slots for many turns | there is no batch of different backends |
//! | to √length slots | [striding](Fill::striding): four probes of one backend at once | walks are long enough to fill the processor alone |
//! | the rest | [by rank](Fill::by_rank) | see [`rank`] |
//!
//! Powers of two up to 65536, VPP's lengths, allow [ranks in 16 bits](rank16), which are so cheap that they begin at √(8 · length)
//! slots. Up to 2048 slots [probing](Fill::probing) takes the place of all between the first and the last.
//!
//! None needs `unsafe`: doing without bounds checks was measured to save 6 %.

use crate::table::entries::Entry;

use self::ahead::Queue;
use self::rank::Nearest;
use self::rank16::{Bits, Nearest16};
use self::steps::Steps;
use self::turns::Turns;

mod ahead;
mod probing;
mod rank;
mod rank16;
pub(super) mod steps;
mod striding;
mod together;
pub(super) mod turns;

/// Where a backend stands in its own order over the slots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    /// The next slot to ask for. All before it are taken.
    pub(super) at: u32,
    /// The way from there to the one after.
    pub(super) skip: u32,
}

/// How many turns are looked ahead together at most. The loop over them ends unforeseen by the processor a dozen times, which
/// must be spread over many turns; past this more of them want the same slot and nothing is gained.
const BATCH: usize = 256;

/// Below so many different backends in a row a batch is too short to pay.
const FEW: usize = 24;

/// Memory a build needs besides its result; a second build of the same size allocates nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// One for each backend, at the beginning of its order. What a build leaves here is of no use.
    pub(super) cursors: Vec<Cursor>,
    taken: Vec<u8>,
    queues: Vec<Queue>,
    nearest: Nearest,
    nearest16: Nearest16,
}

/// One build under way.
struct Fill<'a, S, E> {
    steps: S,
    cursors: &'a mut [Cursor],
    /// One byte a slot, 0 or 1: a byte is found sooner than a bit, and they fit the second-level cache all the same. As
    /// many as [`Steps::map`] says; what is past the length is of no meaning.
    taken: &'a mut [u8],
    entries: &'a mut [E],
    labels: Option<&'a [u32]>,
    free: usize,
}

/// Fills `entries` in the order `turns` gives, from the cursors of `scratch`.
///
/// A slot gets the index of its backend among the cursors, or the label at that index. There must be a cursor, and each
/// index in `turns` must have one.
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
    let map = steps.map();
    if scratch.taken.len() < map {
        scratch.taken = vec![0; map];
    }
    scratch.taken[..length].fill(0);
    let mut fill = Fill {
        steps,
        cursors: &mut scratch.cursors,
        taken: &mut scratch.taken[..map],
        entries,
        labels,
        free: length,
    };
    let bits = steps.bits();
    // Asking all free slots costs as much as walking there when there are about √length of them.
    let last = bits.map_or_else(|| length.isqrt(), Bits::last);
    fill.one_by_one(&mut turns, (length - length / 12).max(last));
    if bits.is_some() && length <= probing::MOST {
        fill.probing::<2>(&mut turns, (length * 4 / 5).max(last));
        fill.probing::<4>(&mut turns, (length * 2 / 5).max(last));
        fill.probing::<8>(&mut turns, last);
    } else if turns.abreast() < FEW && fill.cursors.len() <= Queue::MOST {
        fill.ahead(&mut turns, &mut scratch.queues, (length / 20).max(last));
    } else {
        fill.together::<1>(&mut turns, (length / 2).max(last));
        fill.together::<2>(&mut turns, (length / 4).max(last));
        fill.together::<4>(&mut turns, (length / 20).max(last));
    }
    fill.striding(&mut turns, last);
    match bits {
        Some(bits) => fill.by_rank16(bits, &mut turns, &mut scratch.nearest16),
        None => fill.by_rank(&mut turns, &mut scratch.nearest),
    }
}

impl<S: Steps, E: Entry> Fill<'_, S, E> {
    /// Lets backends take turns until so many slots are free.
    fn one_by_one(&mut self, turns: &mut impl Turns, until: usize) {
        let mut batch = [0; BATCH];
        while self.free > until {
            let count = turns.next(&mut batch[..BATCH.min(self.free - until)]);
            self.commit(&batch[..count]);
        }
    }

    /// Each of the batch takes the first free slot from where it stands.
    fn commit(&mut self, batch: &[u32]) {
        let length = self.steps.length() as usize;
        let (taken, entries) = (&mut self.taken[..self.steps.map()], &mut self.entries[..length]);
        for &backend in batch {
            let cursor = &mut self.cursors[backend as usize];
            let mut at = cursor.at;
            while taken[at as usize] != 0 {
                at = self.steps.after(at, cursor.skip);
            }
            taken[at as usize] = 1;
            entries[at as usize] = E::from_index(label(self.labels, backend));
            cursor.at = self.steps.after(at, cursor.skip);
        }
        self.free -= batch.len();
    }

    /// The last slots: each turn takes the one its backend would come to first.
    fn by_rank(&mut self, turns: &mut impl Turns, nearest: &mut Nearest) {
        nearest.gather(&self.taken[..self.steps.length() as usize]);
        let mut batch = [0; BATCH];
        while self.free > 0 {
            let count = turns.next(&mut batch[..BATCH.min(self.free)]);
            nearest.measure(self.steps, batch[..count].iter().map(|&b| self.cursors[b as usize].skip));
            for (nth, &backend) in batch[..count].iter().enumerate() {
                // The cursor stays: what it would pass is taken, and who is nearest from there does not change.
                let slot = nearest.take(nth, self.cursors[backend as usize].at);
                self.entries[slot as usize] = E::from_index(label(self.labels, backend));
            }
            self.free -= count;
        }
    }
}

/// What a backend's slots say.
#[inline(always)]
fn label(labels: Option<&[u32]>, backend: u32) -> u32 {
    match labels {
        Some(labels) => labels[backend as usize],
        None => backend,
    }
}
