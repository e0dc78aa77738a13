//! Pure. Room for overrides, and the length of the table that follows from it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The buckets of a table of length `auto` for each member, or for each of its steps.
const BUCKETS_PER_STEP: u64 = 1000;

/// The shortest table of length `auto`: VPP's own default.
const SHORTEST: u32 = 1024;

/// The longest table of length `auto`. VPP's main thread spends 15 ns a bucket on each change, 0.25 ms in all.
const LONGEST: u32 = 16384;

/// As how much a weight of 100 is sent at least, from 1 to 100.
///
/// With 10 steps, weights that are multiples of 10 are sent exactly, and to set one to another such multiple changes the
/// weight of one server and no scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct WeightSteps(u8);

/// A number that cannot be the steps of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a weight has from 1 to 100 steps, not {0}")]
pub struct InvalidWeightSteps(pub u8);

impl WeightSteps {
    /// The most there can be: each weight is sent as it is written.
    pub const MAX: u8 = 100;

    /// The steps as a number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for WeightSteps {
    type Error = InvalidWeightSteps;

    fn try_from(number: u8) -> Result<Self, InvalidWeightSteps> {
        if (1..=WeightSteps::MAX).contains(&number) {
            Ok(WeightSteps(number))
        } else {
            Err(InvalidWeightSteps(number))
        }
    }
}

impl From<WeightSteps> for u8 {
    fn from(steps: WeightSteps) -> u8 {
        steps.0
    }
}

impl fmt::Display for WeightSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The length `auto` of the table of a frontend with that many members: the smallest power of two of at least 1000 times
/// the members, times their steps where given, from 1024 to 16384. Weights play no part in it, so that an edit of one
/// changes no length.
pub fn auto_length(members: usize, steps: Option<WeightSteps>) -> u32 {
    let replicas = u64::try_from(members)
        .unwrap_or(u64::MAX)
        .saturating_mul(steps.map_or(1, |steps| u64::from(steps.get())));
    let wanted = replicas.saturating_mul(BUCKETS_PER_STEP);
    u32::try_from(wanted).unwrap_or(LONGEST).clamp(SHORTEST, LONGEST).next_power_of_two()
}

#[cfg(test)]
mod tests;
