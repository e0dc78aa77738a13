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
//! | to 25 % | [probing](Fill::probing): one backend at a time, one to six of its slots at once | one of them nearly always hits |
//! | to 5 % | [together](Fill::together): a batch of backends probes at once | guesses would fail; this makes none |
//! | 45 to 5 %, few backends | [ahead](Fill::ahead): each gathers free slots for many turns | there is no batch of different backends |
//! | to √length slots | [striding](Fill::striding): four probes of one backend at once | walks are long enough to fill the processor alone |
//! | the rest | [by rank](Fill::by_rank) | see [`rank`] |
//!
//! Powers of two up to 65536, VPP's lengths, allow [ranks in 16 bits](rank16), which are so cheap that they begin at √(8 · length)
//! slots. [Short] tables, up to 4096 slots, know no other ways than probing and these.
//!
//! [Short]: short
//!
//! None needs `unsafe`: doing without bounds checks was measured to save 4 to 10 %.

use crate::table::entries::Entry;

use self::ahead::Queue;
use self::probing::Slots;
use self::rank::Nearest;
use self::rank16::Nearest16;
use self::steps::{Short, Steps};
use self::turns::{RoundRobin, Turns};

mod ahead;
mod probing;
mod rank;
mod rank16;
pub(super) mod short;
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

/// A backend at the beginning of its order, and what its slots say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Labelled {
    pub(super) cursor: Cursor,
    pub(super) label: u32,
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
    /// Of [short] tables.
    labels: Vec<u16>,
    queues: Vec<Queue>,
    nearest: Nearest,
    nearest16: Nearest16,
}

/// One build under way.
struct Fill<'a, S, E> {
    steps: S,
    cursors: &'a mut [Cursor],
    map: Map<'a, E>,
    labelled: Option<&'a [Labelled]>,
    free: usize,
}

/// Who has which slot.
struct Map<'a, E> {
    /// One byte a slot, 0 or 1: a byte is found sooner than a bit, and they fit the second-level cache all the same. As
    /// many as [`Steps::map`] says; what is past the length is of no meaning.
    taken: &'a mut [u8],
    entries: &'a mut [E],
}

impl<E> Map<'_, E> {
    /// The same where the compiler sees how long it is.
    #[inline(always)]
    fn reborrow(&mut self, steps: impl Steps) -> Map<'_, E> {
        Map { taken: &mut self.taken[..steps.map()], entries: &mut self.entries[..steps.length() as usize] }
    }
}

impl<E: Entry> Slots for Map<'_, E> {
    #[inline(always)]
    fn is_free(&self, slot: u32) -> bool {
        self.taken[slot as usize] == 0
    }

    #[inline(always)]
    fn take(&mut self, slot: u32, label: u32) {
        self.taken[slot as usize] = 1;
        self.entries[slot as usize] = E::from_index(label);
    }
}

/// Fills `entries` in the order `turns` gives, from the cursors of `scratch`.
///
/// A slot gets the index of its backend among the cursors, or the label at that index. There must be a cursor, and each
/// index in `turns` must have one.
pub(super) fn fill<S: Steps, E: Entry>(
    scratch: &mut Scratch,
    steps: S,
    mut turns: impl Turns,
    labelled: Option<&[Labelled]>,
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
        map: Map { taken: &mut scratch.taken[..map], entries },
        labelled,
        free: length,
    };
    let short = steps.short();
    // Asking all free slots costs as much as walking there when there are about √length of them.
    let last = short.map_or_else(|| length.isqrt(), Short::last);
    fill.probing::<1, _>(&mut turns, (length - length / 12).max(last));
    fill.probing::<2, _>(&mut turns, (length * 7 / 10).max(last));
    fill.probing::<4, _>(&mut turns, (length * 9 / 20).max(last));
    if turns.abreast() < FEW && fill.cursors.len() <= Queue::MOST {
        fill.ahead(&mut turns, &mut scratch.queues, (length / 20).max(last));
    } else {
        fill.probing::<6, _>(&mut turns, (length / 4).max(last));
        fill.together(&mut turns, (length / 20).max(last));
    }
    fill.striding(&mut turns, last);
    match (short, labelled) {
        (Some(short), Some(labelled)) => fill.by_rank16(short, labelled, &mut turns, &mut scratch.nearest16),
        _ => fill.by_rank(&mut turns, &mut scratch.nearest),
    }
}

/// The same where backends take turns in order and slots say their labels.
pub(super) fn fill_labelled<E: Entry>(
    scratch: &mut Scratch,
    steps: impl Steps,
    backends: &[Labelled],
    entries: &mut Vec<E>,
) {
    scratch.cursors.clear();
    scratch.cursors.extend(backends.iter().map(|backend| backend.cursor));
    fill(scratch, steps, RoundRobin::new(backends.len() as u32), Some(backends), entries);
}

impl<S: Steps, E: Entry> Fill<'_, S, E> {
    /// The last slots: each turn takes the one its backend would come to first.
    fn by_rank(&mut self, turns: &mut impl Turns, nearest: &mut Nearest) {
        nearest.gather(&self.map.taken[..self.steps.length() as usize]);
        let mut batch = [0; BATCH];
        while self.free > 0 {
            let count = turns.next(&mut batch[..BATCH.min(self.free)]);
            nearest.measure(self.steps, batch[..count].iter().map(|&b| self.cursors[b as usize].skip));
            for (nth, &backend) in batch[..count].iter().enumerate() {
                // The cursor stays: what it would pass is taken, and who is nearest from there does not change.
                let cursor = self.cursors[backend as usize];
                let slot = nearest.take(nth, cursor.at);
                self.map.take(slot, label(self.labelled, backend));
            }
            self.free -= count;
        }
    }

    /// The same where slots fit 16 bits.
    fn by_rank16(
        &mut self,
        steps: Short,
        labelled: &[Labelled],
        turns: &mut impl Turns,
        nearest: &mut Nearest16,
    ) {
        nearest.gather(&self.map.taken[..self.map.entries.len()]);
        nearest.take_all(steps, labelled, turns, &mut self.map);
        self.free = 0;
    }
}

/// What a backend's slots say.
#[inline(always)]
fn label(labelled: Option<&[Labelled]>, backend: u32) -> u32 {
    match labelled {
        Some(labelled) => labelled[backend as usize].label,
        None => backend,
    }
}
