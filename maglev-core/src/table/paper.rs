//! Pure. The table of the Maglev paper: prime length, every backend with an order of its own.
//!
//! Bit for bit what [`reference`](super::reference) builds, without its cost.

use crate::table::entries::{Entry, Table};
use crate::table::fill::steps::Prime;
use crate::table::fill::turns::{RoundRobin, Savings, Weighted};
use crate::table::fill::{Cursor, Scratch, fill};
use crate::table::identity::Identity;
use crate::table::reference::Permutation;

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;

/// How many slots a table has: a prime, so that every step visits every slot.
///
/// More slots, more even shares and fewer flows moved by a change: the paper recommends a hundred times the number of
/// backends, which keeps shares within 1 % of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Length(u32);

/// A number of slots that is not a prime below 2^31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a table cannot have {0} slots; it takes a prime below 2^31 such as 65537 or 655373")]
pub struct InvalidLength(pub u32);

impl Length {
    /// The paper's small table, used in its evaluation for up to hundreds of backends.
    pub const SMALL: Length = Length(65537);
    /// The paper's large table, for up to thousands.
    pub const LARGE: Length = Length(655_373);

    /// Accepts primes below 2^31.
    pub const fn new(slots: u32) -> Result<Length, InvalidLength> {
        if slots < 1 << 31 && is_prime(slots) { Ok(Length(slots)) } else { Err(InvalidLength(slots)) }
    }

    /// The number of slots.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Length {
    type Error = InvalidLength;

    fn try_from(slots: u32) -> Result<Self, InvalidLength> {
        Length::new(slots)
    }
}

/// Miller and Rabin's test. Bases 2, 7 and 61 leave no composite below 2^32 undetected (Jaeschke, 1993).
const fn is_prime(number: u32) -> bool {
    if number < 2 || number.is_multiple_of(2) {
        return number == 2;
    }
    let modulus = number as u64;
    let twos = (number - 1).trailing_zeros();
    let bases = [2, 7, 61];
    let mut tried = 0;
    while tried < bases.len() {
        let base = bases[tried];
        tried += 1;
        if number == base {
            return true;
        }
        let mut power = 1;
        let mut square = base as u64 % modulus;
        let mut exponent = (number - 1) >> twos;
        while exponent > 0 {
            if exponent % 2 == 1 {
                power = power * square % modulus;
            }
            square = square * square % modulus;
            exponent /= 2;
        }
        let mut witness = power != 1 && power != modulus - 1;
        let mut round = 1;
        while witness && round < twos {
            power = power * power % modulus;
            witness = power != modulus - 1;
            round += 1;
        }
        if witness {
            return false;
        }
    }
    true
}

/// Why a table was not built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// No backend, or none with a weight.
    #[error("a table needs at least one backend with a weight above 0")]
    NoBackends,
    /// Some would get no slot.
    #[error("{backends} backends do not fit into {slots} slots; take a length of a hundred times as many")]
    TooManyBackends {
        /// How many there are.
        backends: usize,
        /// How many there may be.
        slots: u32,
    },
    /// An index does not fit the type of the entries.
    #[error("{0} backends do not fit into 16-bit entries; take u32 from 65536 up")]
    NarrowEntries(usize),
    /// An offset or a skip is outside what the length allows.
    #[error(
        "backend {backend} has no order over {slots} slots: its offset must be below that, its skip too and not 0"
    )]
    InvalidPermutation {
        /// Its index.
        backend: usize,
        /// The table length.
        slots: u32,
    },
    /// Not one weight for each backend.
    #[error("{weights} weights for {backends} backends")]
    WeightCount {
        /// How many backends there are.
        backends: usize,
        /// How many weights.
        weights: usize,
    },
    /// Two backends are the same.
    #[error("the same backend is given twice, at places {0} and {1} of the sorted backends")]
    Duplicate(usize, usize),
}

/// Builds tables, keeping its memory between builds: a rebuild of the same size allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    scratch: Scratch,
    savings: Savings,
}

impl Builder {
    /// A builder without memory of earlier builds.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Fills `entries`, slot by slot, with indices into `permutations`: one turn a backend.
    ///
    /// Whatever `entries` held is replaced; its memory is used again.
    ///
    /// # Errors
    ///
    /// When there is nobody to serve, too many to be served, or a permutation the length does not allow. `entries` is then
    /// as it was.
    pub fn build<E: Entry>(
        &mut self,
        length: Length,
        permutations: &[Permutation],
        entries: &mut Vec<E>,
    ) -> Result<(), BuildError> {
        self.start::<E>(length, permutations)?;
        fill(&mut self.scratch, Prime(length.0), RoundRobin::new(permutations.len() as u32), None, entries);
        Ok(())
    }

    /// The same where each backend's turns are in proportion to its weight.
    ///
    /// In each pass over the backends each adds its weight to what it has saved up; one that has saved up the largest
    /// weight pays it for a turn. The heaviest thus has a turn in every pass and shares follow the weights as closely as
    /// slots allow. Equal weights give the table without weights.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`], or when there is not one weight for each permutation.
    pub fn build_weighted<E: Entry>(
        &mut self,
        length: Length,
        permutations: &[Permutation],
        weights: &[u32],
        entries: &mut Vec<E>,
    ) -> Result<(), BuildError> {
        if weights.len() != permutations.len() {
            return Err(BuildError::WeightCount { backends: permutations.len(), weights: weights.len() });
        }
        let heaviest =
            weights.iter().copied().max().filter(|&weight| weight > 0).ok_or(BuildError::NoBackends)?;
        self.start::<E>(length, permutations)?;
        let turns = Weighted::new(weights, heaviest, &mut self.savings);
        fill(&mut self.scratch, Prime(length.0), turns, None, entries);
        Ok(())
    }

    /// Checks the permutations and puts every backend at the beginning of its own.
    fn start<E: Entry>(&mut self, length: Length, permutations: &[Permutation]) -> Result<(), BuildError> {
        let backends = permutations.len();
        if backends == 0 {
            return Err(BuildError::NoBackends);
        }
        if backends > length.0 as usize {
            return Err(BuildError::TooManyBackends { backends, slots: length.0 });
        }
        if backends > E::MOST {
            return Err(BuildError::NarrowEntries(backends));
        }
        let allowed = |p: &Permutation| p.offset < length.0 && p.skip < length.0 && p.skip > 0;
        if let Some(backend) = permutations.iter().position(|p| !allowed(p)) {
            return Err(BuildError::InvalidPermutation { backend, slots: length.0 });
        }
        self.scratch.cursors.clear();
        self.scratch.cursors.extend(permutations.iter().map(|p| Cursor { at: p.offset, skip: p.skip }));
        Ok(())
    }
}

/// A backend's order over the slots, from two hashes of what it is called: `offset` = h₁ mod M and
/// `skip` = h₂ mod (M − 1) + 1, as in the paper.
///
/// The hashes are [`Identity::stable_hash`] under seeds 0 and 1. Both are part of what this crate promises: the same
/// backends give the same table on every machine and in every version.
pub fn permutation(length: Length, backend: &impl Identity) -> Permutation {
    let slots = u64::from(length.0);
    Permutation {
        offset: (backend.stable_hash(0) % slots) as u32,
        skip: (backend.stable_hash(1) % (slots - 1)) as u32 + 1,
    }
}

/// Builds the table of some backends, all with the same share. Their order does not matter.
///
/// # Errors
///
/// When there are none, more than slots, or one twice.
pub fn build<K: Identity>(
    length: Length,
    backends: impl IntoIterator<Item = K>,
) -> Result<Table<K>, BuildError> {
    build_weighted(length, backends.into_iter().map(|backend| (backend, 1)))
}

/// Builds the table of some backends with shares in proportion to their weights. Their order does not matter; those of
/// weight 0 are known to the table but have no slot.
///
/// # Errors
///
/// When none has a weight, there are more than slots, or one is there twice.
pub fn build_weighted<K: Identity>(
    length: Length,
    backends: impl IntoIterator<Item = (K, u32)>,
) -> Result<Table<K>, BuildError> {
    let mut backends: Vec<(K, u32)> = backends.into_iter().collect();
    backends.sort_by(|(a, _), (b, _)| a.cmp(b));
    if let Some(place) = backends.windows(2).position(|pair| pair[0].0 == pair[1].0) {
        return Err(BuildError::Duplicate(place, place + 1));
    }
    let permutations: Vec<Permutation> =
        backends.iter().map(|(backend, _)| permutation(length, backend)).collect();
    let (backends, weights): (Vec<K>, Vec<u32>) = backends.into_iter().unzip();
    let mut builder = Builder::new();
    if backends.len() <= <u16 as Entry>::MOST {
        let mut entries = Vec::new();
        builder.build_weighted::<u16>(length, &permutations, &weights, &mut entries)?;
        Ok(Table::narrow(backends, entries))
    } else {
        let mut entries = Vec::new();
        builder.build_weighted::<u32>(length, &permutations, &weights, &mut entries)?;
        Ok(Table::wide(backends, entries))
    }
}
