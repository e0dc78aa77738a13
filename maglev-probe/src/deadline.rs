//! Pure. When a probe has run out of time, where part of the time was not the backend's because this process did not run.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// A process is never scheduled to the microsecond: less than this is not counted as time in which it did not run.
const LEAST_TOLERANCE: Duration = Duration::from_millis(10);

/// A stall up to this part of the timeout does not matter.
const TOLERANCE_PART: u32 = 10;

/// How often a deadline is moved. Each time the backend gets the time that was taken from it, and a process that stalls
/// again and again cannot measure anything.
const EXTENSIONS: u32 = 2;

/// The deadline of one probe.
///
/// A deadline that passes while the process is stopped, frozen or without processor says nothing about the backend, which may have
/// answered at once, or was not asked yet. So the time that was lost is given back, and the timeout counts when the
/// backend had all of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    timeout: Duration,
    /// When to look, from the start of the probe.
    at: Duration,
    extended: u32,
}

/// What it means that a deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// The backend had its time.
    TimedOut,
    /// The backend did not have its time: wait for the new deadline.
    Extended,
    /// This process stalls so much that nothing can be said.
    Stalled,
}

impl Deadline {
    pub(crate) const fn new(timeout: Duration) -> Self {
        Deadline { timeout, at: timeout, extended: 0 }
    }

    /// When it passes, from the start of the probe.
    pub(crate) const fn at(&self) -> Duration {
        self.at
    }

    /// The most time that may be lost without a doubt about a result.
    pub(crate) fn tolerance(timeout: Duration) -> Duration {
        (timeout / TOLERANCE_PART).max(LEAST_TOLERANCE)
    }

    /// The deadline has passed: it is noticed `elapsed` after the start of the probe, and `lost` of that the process did
    /// not run.
    pub(crate) fn passed(&mut self, elapsed: Duration, lost: Duration) -> Passed {
        // The timer itself may have been late, where nothing else measured it.
        let late = elapsed.saturating_sub(self.at);
        let lost = lost.max(late);
        let tolerance = Self::tolerance(self.timeout);
        let given = elapsed.saturating_sub(lost);
        if given + tolerance >= self.timeout {
            // Where more was lost than the whole timeout, the backend may have given us up meanwhile.
            return if lost > self.timeout.max(tolerance) { Passed::Stalled } else { Passed::TimedOut };
        }
        if self.extended == EXTENSIONS {
            return Passed::Stalled;
        }
        self.extended += 1;
        self.at = elapsed + (self.timeout - given);
        Passed::Extended
    }
}
