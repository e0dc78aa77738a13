//! Pure. Weights as operators write them, as they are sent to VPP ([`scale`]), and the shares that follow ([`share`]).

pub mod scale;
pub mod share;
mod steps;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::steps::{InvalidWeightSteps, WeightSteps, auto_length};

/// A configured weight: an integer from 0 (no new flows) to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Weight(u8);

/// A number that is not a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a weight is a whole number from 0 to 100, not {0}")]
pub struct InvalidWeight(pub i64);

impl Weight {
    /// No new flows.
    pub const ZERO: Weight = Weight(0);
    /// The largest weight, and the default.
    pub const MAX: Weight = Weight(100);

    /// The weight as a number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether this asks for no traffic.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Default for Weight {
    fn default() -> Self {
        Weight::MAX
    }
}

impl TryFrom<i64> for Weight {
    type Error = InvalidWeight;

    fn try_from(number: i64) -> Result<Self, InvalidWeight> {
        match u8::try_from(number) {
            Ok(n) if n <= 100 => Ok(Weight(n)),
            _ => Err(InvalidWeight(number)),
        }
    }
}

impl TryFrom<u8> for Weight {
    type Error = InvalidWeight;

    fn try_from(number: u8) -> Result<Self, InvalidWeight> {
        i64::from(number).try_into()
    }
}

impl From<Weight> for u8 {
    fn from(weight: Weight) -> u8 {
        weight.0
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests;
