//! Pure. Short tables of 2^n slots, where everything fits the first-level cache.
//!
//! A probe costs next to nothing there and the lists of a batch would cost more than they save, so [`look`] does it all. What
//! is left to save is instructions: who has a slot and whether it is taken are one number, a backend's label is beside its
//! cursor, and slots of 16 bits need no bounds checks.

use crate::table::entries::Entry;

use super::probing::{Slots, look};
use super::rank16::SLOTS;
use super::steps::{Short, Steps};
use super::turns::{RoundRobin, Turns};
use super::{Labelled, Scratch};

/// The most slots of a table filled this way.
pub(in crate::table) const MOST: u32 = 4096;

/// Nobody.
const NONE: u16 = u16::MAX;

/// Who has each slot, of which the first are meant: a label, or [`NONE`].
struct Map<'a>(&'a mut [u16; SLOTS]);

/// Fills `entries` as [`fill`](super::fill) would. What is left in `backends` is of no use.
///
/// There must be a backend. The length is from 2 to [`MOST`] and labels are below 65535.
pub(in crate::table) fn fill<E: Entry>(
    scratch: &mut Scratch,
    steps: Short,
    backends: &mut [Labelled],
    entries: &mut Vec<E>,
) {
    let mut turns = RoundRobin::new(backends.len() as u32);
    let Scratch { taken, labels, nearest16, .. } = scratch;
    let length = steps.length() as usize;
    if labels.len() < SLOTS {
        *labels = vec![NONE; SLOTS];
    }
    labels[..length].fill(NONE);
    let mut map = Map(&mut labels.as_chunks_mut().0[0]);
    let mut left = length;
    // The turns there are until so many slots are free.
    let mut until = |free: usize| {
        let turns = left.saturating_sub(free);
        left -= turns;
        turns
    };
    // How likely a slot is free decides how many are worth a look; the rest is asked by rank.
    map.take_turns::<1>(steps, backends, &mut turns, until(length * 11 / 12));
    map.take_turns::<2>(steps, backends, &mut turns, until(length * 7 / 10));
    map.take_turns::<4>(steps, backends, &mut turns, until(length * 2 / 5));
    map.take_turns::<7>(steps, backends, &mut turns, until(length / 5));
    map.take_turns::<12>(steps, backends, &mut turns, until(steps.last()));
    if taken.len() < length {
        taken.resize(length, 0);
    }
    for (taken, &label) in taken.iter_mut().zip(&map.0[..length]) {
        *taken = u8::from(label != NONE);
    }
    nearest16.gather(&taken[..length]);
    nearest16.take_all(steps, backends, &mut turns, &mut map);
    entries.clear();
    entries.extend(map.0[..length].iter().map(|&label| E::from_index(u32::from(label))));
}

impl Map<'_> {
    /// Lets backends take so many turns, each looking at `PROBES` slots at once.
    fn take_turns<const PROBES: usize>(
        &mut self,
        steps: Short,
        backends: &mut [Labelled],
        turns: &mut impl Turns,
        count: usize,
    ) {
        let mut left = count;
        while left > 0 {
            let next = turns.neighbours(left);
            left -= next.len();
            for Labelled { cursor, label } in &mut backends[next] {
                let slot = look::<PROBES>(steps, self, cursor);
                self.take(slot, *label);
            }
        }
    }
}

impl Slots for Map<'_> {
    #[inline(always)]
    fn is_free(&self, slot: u32) -> bool {
        self.0[usize::from(slot as u16)] == NONE
    }

    #[inline(always)]
    fn take(&mut self, slot: u32, label: u32) {
        self.0[usize::from(slot as u16)] = label as u16;
    }
}
