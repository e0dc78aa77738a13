//! Pure. A finished table: slots, and the backends they name.

use std::ops::Range;

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// A finished lookup table over backends of type `K`: addresses, names, whatever tells them apart.
///
/// Tables are equal when they send every flow to the same backend and know the same backends.
/// With serde a table is its `backends` and its `entries`, each an index into them; a slot nobody has holds their number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written<K>", try_from = "Written<K>", bound(serialize = "K: Clone + Serialize"))]
pub struct Table<K> {
    backends: Vec<K>,
    slots: Slots,
    /// `u64::MAX / slots`, which turns the remainder in [`Table::slot`] into two multiplications.
    reciprocal: u64,
}

/// For each slot an index into the backends. 16 bits when the backends allow it: half the memory, twice as much of it in
/// cache.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Slots {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

/// The slots of a table in order, each an index into [`Table::backends`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries<'a> {
    /// Up to 65535 backends.
    Narrow(&'a [u16]),
    /// More.
    Wide(&'a [u32]),
}

impl<K> Table<K> {
    /// Joins backends and 16-bit slots. An index out of range is a slot without a backend.
    pub(super) fn narrow(backends: Vec<K>, entries: Vec<u16>) -> Table<K> {
        Table {
            backends,
            reciprocal: u64::MAX / (entries.len() as u64).max(1),
            slots: Slots::Narrow(entries),
        }
    }

    /// The same with 32-bit slots.
    pub(super) fn wide(backends: Vec<K>, entries: Vec<u32>) -> Table<K> {
        Table { backends, reciprocal: u64::MAX / (entries.len() as u64).max(1), slots: Slots::Wide(entries) }
    }

    /// The backends the table knows, in order, with or without slots.
    pub fn backends(&self) -> &[K] {
        &self.backends
    }

    /// The slots in order.
    pub fn entries(&self) -> Entries<'_> {
        match &self.slots {
            Slots::Narrow(entries) => Entries::Narrow(entries),
            Slots::Wide(entries) => Entries::Wide(entries),
        }
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are no slots.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slot of a flow: its hash modulo the number of slots. The hash should spread over all 64 bits.
    pub fn slot(&self, flow_hash: u64) -> usize {
        let slots = self.len() as u64;
        // Barrett's reduction. The reciprocal is at most one below 2^64 / slots, so the quotient is at most one too
        // small and one subtraction mends the remainder.
        let quotient = ((u128::from(flow_hash) * u128::from(self.reciprocal)) >> 64) as u64;
        let remainder = flow_hash.wrapping_sub(quotient.wrapping_mul(slots));
        let slot = if remainder >= slots { remainder.wrapping_sub(slots) } else { remainder };
        slot as usize
    }

    /// The backend a flow goes to; `None` if there is nobody to serve it.
    pub fn lookup(&self, flow_hash: u64) -> Option<&K> {
        self.backends.get(self.entries().get(self.slot(flow_hash))?)
    }

    /// How many slots each backend has, in the order of [`Table::backends`]. A slot is a share of `1 / len` of new flows.
    pub fn counts(&self) -> Vec<u32> {
        match self.entries() {
            Entries::Narrow(entries) => count(entries, self.backends.len()),
            Entries::Wide(entries) => count(entries, self.backends.len()),
        }
    }
}

fn count<E: Entry>(entries: &[E], backends: usize) -> Vec<u32> {
    let mut counts = vec![0; backends];
    for entry in entries {
        if let Some(count) = counts.get_mut(entry.index()) {
            *count += 1;
        }
    }
    counts
}

impl<'a> Entries<'a> {
    /// How many slots there are.
    pub fn len(self) -> usize {
        match self {
            Entries::Narrow(entries) => entries.len(),
            Entries::Wide(entries) => entries.len(),
        }
    }

    /// Whether there are no slots.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Some of the slots.
    ///
    /// # Panics
    ///
    /// When there are not so many.
    pub(super) fn slice(self, slots: Range<usize>) -> Entries<'a> {
        match self {
            Entries::Narrow(entries) => Entries::Narrow(&entries[slots]),
            Entries::Wide(entries) => Entries::Wide(&entries[slots]),
        }
    }

    /// The backend's index in one slot.
    pub fn get(self, slot: usize) -> Option<usize> {
        match self {
            Entries::Narrow(entries) => entries.get(slot).map(|&entry| usize::from(entry)),
            Entries::Wide(entries) => entries.get(slot).map(|&entry| entry as usize),
        }
    }

    /// The backends' indices, slot by slot. One past the last backend is nobody's slot.
    pub fn iter(self) -> impl ExactSizeIterator<Item = usize> + 'a {
        (0..self.len()).map(move |slot| self.get(slot).unwrap_or(usize::MAX))
    }
}

/// What a slot stores: the index of a backend in 16 bits or in 32.
pub trait Entry: Copy + private::Sealed {
    /// How many backends it tells apart.
    const MOST: usize;
    /// No backend: the value past the last index.
    const NONE: Self;

    /// The index as an entry. It is below [`Entry::MOST`].
    fn from_index(index: u32) -> Self;

    /// The entry as an index; [`Entry::NONE`] is one no backend has.
    fn index(self) -> usize;
}

impl Entry for u16 {
    const MOST: usize = u16::MAX as usize;
    const NONE: u16 = u16::MAX;

    fn from_index(index: u32) -> u16 {
        index as u16
    }

    fn index(self) -> usize {
        usize::from(self)
    }
}

impl Entry for u32 {
    const MOST: usize = u32::MAX as usize;
    const NONE: u32 = u32::MAX;

    fn from_index(index: u32) -> u32 {
        index
    }

    fn index(self) -> usize {
        self as usize
    }
}

mod private {
    pub trait Sealed {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
}

/// A table as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Table")]
struct Written<K> {
    backends: Vec<K>,
    entries: Vec<u32>,
}

/// Why a written table is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTable {
    /// There are no entries.
    #[error("a table has at least one slot")]
    Empty,
    /// An entry is not the index of a backend.
    #[error("slot {slot} holds {entry}, but there are only {backends} backends")]
    Entry {
        /// The slot.
        slot: usize,
        /// What it holds.
        entry: u32,
        /// How many backends there are.
        backends: usize,
    },
}

impl<K> From<Table<K>> for Written<K> {
    fn from(table: Table<K>) -> Written<K> {
        let nobody = table.backends.len();
        let entries = table.entries().iter().map(|entry| entry.min(nobody) as u32).collect();
        Written { backends: table.backends, entries }
    }
}

impl<K> TryFrom<Written<K>> for Table<K> {
    type Error = InvalidTable;

    fn try_from(written: Written<K>) -> Result<Table<K>, InvalidTable> {
        let Written { backends, entries } = written;
        let nobody = backends.len();
        if entries.is_empty() {
            return Err(InvalidTable::Empty);
        }
        if let Some(slot) = entries.iter().position(|&entry| entry as usize > nobody) {
            return Err(InvalidTable::Entry { slot, entry: entries[slot], backends: nobody });
        }
        if nobody <= <u16 as Entry>::MOST {
            Ok(Table::narrow(backends, read(&entries, nobody)))
        } else {
            Ok(Table::wide(backends, read(&entries, nobody)))
        }
    }
}

fn read<E: Entry>(entries: &[u32], nobody: usize) -> Vec<E> {
    let read = |&entry: &u32| if entry as usize == nobody { E::NONE } else { E::from_index(entry) };
    entries.iter().map(read).collect()
}
