//! Pure. So many of a kind in so much time, and a count of those left out.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets a burst through and then one each interval, so that nobody from outside can fill a log or a disk.
#[derive(Debug)]
pub struct Throttle {
    burst: u32,
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    tokens: u32,
    /// Up to when tokens have been given.
    filled: Option<Instant>,
    left_out: u64,
}

impl Throttle {
    /// Lets `burst` through at once, and one more each `interval`, which is not zero.
    pub const fn new(burst: u32, interval: Duration) -> Self {
        Throttle { burst, interval, state: Mutex::new(State { tokens: burst, filled: None, left_out: 0 }) }
    }

    /// Whether one may pass at `now`, and if so how many were left out since the last that did.
    pub fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = state.filled.unwrap_or(now);
        let earned = now.saturating_duration_since(filled).as_nanos() / self.interval.as_nanos().max(1);
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        state.tokens = state.tokens.saturating_add(earned).min(self.burst);
        // What is left of an interval counts for the next token; of a full bucket it is lost.
        let full = state.tokens == self.burst;
        state.filled = Some(if full { now } else { filled + self.interval * earned });
        match state.tokens.checked_sub(1) {
            Some(left) => {
                state.tokens = left;
                Some(std::mem::take(&mut state.left_out))
            }
            None => {
                state.left_out += 1;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
