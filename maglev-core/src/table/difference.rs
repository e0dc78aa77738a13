//! Pure. What changes for new flows when one table takes the place of another.

use std::ops::Range;

use serde::Serialize;

use crate::table::entries::{Entries, Entry, Table};

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;

/// What changes for new flows when one table takes the place of another.
///
/// Everything is counted in slots; one slot is a share of `1 / slots` of new flows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference<K> {
    /// How many slots were compared: the length of the longer table.
    pub slots: u32,
    /// How many of them changed hands.
    pub changed: u32,
    /// How many had to, whatever the algorithm: the slots by which backends have fewer than before. They belonged to a
    /// backend that is gone, or to one whose share is smaller now.
    pub unavoidable: u32,
    /// How many of the unavoidable ones belonged to backends that have no slot any more.
    pub orphaned: u32,
    /// Every backend either table knows, in order, with what it had, has, lost and gained.
    pub backends: Vec<Holding<K>>,
    /// From whom to whom slots went, ordered by that.
    pub moves: Vec<Move<K>>,
    /// The slots that changed, as runs of neighbours in order.
    pub ranges: Vec<Range<u32>>,
}

/// One backend's slots before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holding<K> {
    /// The backend.
    pub backend: K,
    /// Slots it had.
    pub before: u32,
    /// Slots it has.
    pub after: u32,
    /// Slots it had and others have now.
    pub lost: u32,
    /// Slots others had and it has now.
    pub gained: u32,
}

/// Slots that went from one backend to another. `None` is nobody: flows are dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Move<K> {
    /// Who had them.
    pub from: Option<K>,
    /// Who has them.
    pub to: Option<K>,
    /// How many.
    pub slots: u32,
}

/// Two tables that cannot be compared slot by slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} and {1} slots have no common measure; compare tables of one length, or one of a multiple of the other's"
)]
pub struct DifferentLengths(pub usize, pub usize);

impl<K> Difference<K> {
    /// How many slots changed hands without need: flows between backends that were there before and are still, moved by
    /// the algorithm alone.
    pub fn avoidable(&self) -> u32 {
        self.changed - self.unavoidable
    }

    /// The share of new flows that goes elsewhere than before, from 0 to 1.
    pub fn share(&self) -> f64 {
        self.share_of(self.changed)
    }

    /// So many slots as a share of all new flows.
    pub fn share_of(&self, slots: u32) -> f64 {
        f64::from(slots) / f64::from(self.slots.max(1))
    }
}

impl<K: Ord + Clone> Difference<K> {
    /// Compares two tables slot by slot.
    ///
    /// Tables of different lengths send a flow to different slots. If one length is a multiple of the other, as with powers
    /// of two, the shorter table is compared as often as it fits, which gives the shares of flows exactly.
    ///
    /// # Errors
    ///
    /// When neither length is a multiple of the other.
    pub fn between(before: &Table<K>, after: &Table<K>) -> Result<Difference<K>, DifferentLengths> {
        let (short, long) = (before.len().min(after.len()), before.len().max(after.len()));
        if short == 0 || long % short != 0 {
            return Err(DifferentLengths(before.len(), after.len()));
        }
        Ok(compare(before, after, short, long))
    }

    /// The same for tables of one length that is not 0, as one VIP has.
    pub(super) fn of_same_length(before: &Table<K>, after: &Table<K>) -> Difference<K> {
        compare(before, after, before.len(), before.len())
    }
}

/// Compares tables of which the one is `short` and the other `long`, a multiple.
fn compare<K: Ord + Clone>(before: &Table<K>, after: &Table<K>, short: usize, long: usize) -> Difference<K> {
    let union = Union::of(before, after);
    let numbers = (union.numbers(before), union.numbers(after));
    let mut changes = Changes::default();
    for start in (0..long).step_by(short) {
        let piece = |table: &'_ Table<K>| if table.len() == long { start..start + short } else { 0..short };
        let old = before.entries().slice(piece(before));
        let new = after.entries().slice(piece(after));
        match (old, new) {
            (Entries::Narrow(old), Entries::Narrow(new)) => changes.note(start, old, new, &numbers),
            (Entries::Narrow(old), Entries::Wide(new)) => changes.note(start, old, new, &numbers),
            (Entries::Wide(old), Entries::Narrow(new)) => changes.note(start, old, new, &numbers),
            (Entries::Wide(old), Entries::Wide(new)) => changes.note(start, old, new, &numbers),
        }
    }
    let mut before_counts = union.counts(before, &numbers.0, long);
    let mut after_counts = union.counts(after, &numbers.1, long);
    // Nobody is a holder like others where it comes to what is unavoidable.
    before_counts[0] = long as u32 - before_counts[1..].iter().sum::<u32>();
    after_counts[0] = long as u32 - after_counts[1..].iter().sum::<u32>();
    union.report(changes, &before_counts, &after_counts, long as u32)
}

/// All backends of two tables, numbered from 1 in order. 0 is nobody.
struct Union<'a, K> {
    backends: Vec<&'a K>,
}

impl<'a, K: Ord + Clone> Union<'a, K> {
    fn of(before: &'a Table<K>, after: &'a Table<K>) -> Union<'a, K> {
        let mut backends: Vec<&K> = before.backends().iter().chain(after.backends()).collect();
        backends.sort();
        backends.dedup();
        Union { backends }
    }

    /// The number of each of a table's backends.
    fn numbers(&self, table: &Table<K>) -> Vec<u32> {
        let mut after_last = 0;
        let number = |backend: &K| {
            // Tables are built in order, so the next number is usually that of the next backend or little more.
            let near = self.backends[after_last..].iter().take(4).position(|known| *known == backend);
            let place = match near {
                Some(ahead) => after_last + ahead,
                None => self.backends.binary_search(&backend).unwrap_or_default(),
            };
            after_last = place + 1;
            after_last as u32
        };
        table.backends().iter().map(number).collect()
    }

    /// Slots by number, as if the table had `length` of them.
    fn counts(&self, table: &Table<K>, numbers: &[u32], length: usize) -> Vec<u32> {
        let mut counts = vec![0; self.backends.len() + 1];
        for (&number, count) in numbers.iter().zip(table.counts()) {
            counts[number as usize] += count * (length / table.len()) as u32;
        }
        counts
    }

    fn report(&self, changes: Changes, before: &[u32], after: &[u32], slots: u32) -> Difference<K> {
        let Changes { mut pairs, ranges } = changes;
        pairs.sort_unstable();
        let name = |number: u32| Some(self.backends[number.checked_sub(1)? as usize].clone());
        let mut lost = vec![0; before.len()];
        let mut gained = vec![0; before.len()];
        let mut moves = Vec::new();
        for run in pairs.chunk_by(|a, b| a == b) {
            let ((from, to), slots) = (run[0], run.len() as u32);
            lost[from as usize] += slots;
            gained[to as usize] += slots;
            moves.push(Move { from: name(from), to: name(to), slots });
        }
        let fewer = before.iter().zip(after).map(|(before, after)| before.saturating_sub(*after));
        let holdings = (1..).zip(&self.backends).map(|(number, &backend)| Holding {
            backend: backend.clone(),
            before: before[number],
            after: after[number],
            lost: lost[number],
            gained: gained[number],
        });
        Difference {
            slots,
            changed: pairs.len() as u32,
            unavoidable: fewer.sum(),
            orphaned: before
                .iter()
                .zip(after)
                .filter(|&(_, &after)| after == 0)
                .map(|(before, _)| before)
                .sum(),
            backends: holdings.collect(),
            moves,
            ranges,
        }
    }
}

/// The slots that changed.
#[derive(Default)]
struct Changes {
    /// From whom to whom, by number.
    pairs: Vec<(u32, u32)>,
    ranges: Vec<Range<u32>>,
}

impl Changes {
    /// Compares slots from `start` on. `numbers` says which number a backend of the one or the other table has.
    fn note<A: Entry, B: Entry>(
        &mut self,
        start: usize,
        before: &[A],
        after: &[B],
        numbers: &(Vec<u32>, Vec<u32>),
    ) {
        let same = numbers.0 == numbers.1;
        for ((&old, &new), slot) in before.iter().zip(after).zip(start as u32..) {
            if same && old.index() == new.index() {
                continue;
            }
            let from = numbers.0.get(old.index()).copied().unwrap_or(0);
            let to = numbers.1.get(new.index()).copied().unwrap_or(0);
            if from == to {
                continue;
            }
            self.pairs.push((from, to));
            match self.ranges.last_mut() {
                Some(range) if range.end == slot => range.end = slot + 1,
                _ => self.ranges.push(slot..slot + 1),
            }
        }
    }
}
