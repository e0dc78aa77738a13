//! Pure. The counter that turns passes and failures into a state.

use crate::check::Thresholds;
use crate::health::HealthState;
use crate::outcome::Verdict;

/// HAProxy's health counter (its `check->health`, documented with `rise` and `fall`).
///
/// It runs from 0 to rise + fall − 1; a pass adds one, a failure takes one, and it stops at the ends. From `rise` up the
/// backend is up, below it is down. So a backend at the top goes down after `fall` failures in a row, and one at the
/// bottom comes up after `rise` passes in a row, while a single stray answer in between only moves the counter.
///
/// ```text
///            0 ───────── rise−1 │ rise ───────── rise+fall−1
///                 down          │           up
///  unknown starts at rise−1 ────┘
///       pass ──► up    (counter becomes rise)
///       fail ──► down  (at once)
/// ```
///
/// A verdict that is inconclusive moves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    state: HealthState,
    value: u32,
    rise: u32,
    fall: u32,
}

impl Counter {
    /// A counter without a verdict. Thresholds below 1 count as 1.
    pub fn new(thresholds: Thresholds) -> Self {
        let (rise, fall) = (u32::from(thresholds.rise.max(1)), u32::from(thresholds.fall.max(1)));
        Counter { state: HealthState::Unknown, value: rise - 1, rise, fall }
    }

    /// What the verdicts so far add up to.
    pub const fn state(&self) -> HealthState {
        self.state
    }

    /// The value, from 0 to [`max`](Self::max).
    pub const fn value(&self) -> u32 {
        self.value
    }

    /// The value of full health, rise + fall − 1.
    pub const fn max(&self) -> u32 {
        self.rise + self.fall - 1
    }

    /// Values from this one up are up.
    pub const fn rise(&self) -> u32 {
        self.rise
    }

    /// Failures from full health to down.
    pub const fn fall(&self) -> u32 {
        self.fall
    }

    /// Counts one verdict.
    pub fn record(&mut self, verdict: Verdict) {
        self.value = match verdict {
            Verdict::Pass => (self.value + 1).min(self.max()),
            Verdict::Fail => self.value.saturating_sub(1),
            Verdict::Inconclusive => return,
        };
        self.state = if self.value >= self.rise { HealthState::Up } else { HealthState::Down };
    }

    /// The same counter without a verdict.
    pub const fn reset(&self) -> Self {
        Counter { state: HealthState::Unknown, value: self.rise - 1, rise: self.rise, fall: self.fall }
    }

    /// Takes other thresholds and keeps the state: a backend that is up keeps the failures it has had, one that is
    /// down the passes.
    pub fn rescale(&mut self, thresholds: Thresholds) {
        let next = Counter::new(thresholds);
        let value = match self.state {
            HealthState::Unknown => next.value,
            HealthState::Up => next.max().saturating_sub(self.max() - self.value).max(next.rise),
            HealthState::Down => self.value.min(next.rise - 1),
        };
        *self = Counter { state: self.state, value, ..next };
    }

    /// Goes on from a value that was reached before, and with it from its state. One beyond full health is full health.
    pub fn resume(&mut self, value: u32) {
        self.value = value.min(self.max());
        self.state = if self.value >= self.rise { HealthState::Up } else { HealthState::Down };
    }

    /// Takes a state for granted until verdicts say otherwise: a backend assumed up has its full credit of failures, one
    /// assumed down or unknown is up with the next pass.
    pub fn assume(&mut self, state: HealthState) {
        self.state = state;
        self.value = match state {
            HealthState::Up => self.max(),
            HealthState::Unknown | HealthState::Down => self.rise - 1,
        };
    }
}

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;
