//! Edge. The one place that reads clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use maglev_core::time::Time;

/// Maps the monotonic clock onto the engine's time line.
///
/// The line's origin is the Unix epoch as the wall clock had it when this was made, so that intent from before has a
/// place on it; from there on only the monotonic clock counts, and steps of the wall clock move nothing.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    base: Time,
}

impl Clock {
    /// Begins now.
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { origin: Instant::now(), base: Time::ZERO + wall }
    }

    /// The present time.
    pub fn now(&self) -> Time {
        self.base + self.origin.elapsed()
    }

    /// When a time will be, for timers. A time that has passed is now.
    pub fn instant(&self, time: Time) -> tokio::time::Instant {
        // A timer further away than this is never reached, and adding it could overflow.
        const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);
        tokio::time::Instant::now() + time.since(self.now()).min(FOREVER)
    }

    /// Reads both clocks at once, to show times to people.
    pub fn reading(&self) -> Reading {
        Reading { now: self.now(), wall: SystemTime::now() }
    }
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    now: Time,
    wall: SystemTime,
}

impl Reading {
    /// The present time.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// What the wall clock showed at `time`, as it goes now: ages stay right when it was stepped in between.
    pub fn wall(&self, time: Time) -> SystemTime {
        UNIX_EPOCH + self.stored(time).since(Time::ZERO)
    }

    /// The same as a time on the line of the next process, whose origin is the wall clock as it goes then. To be written
    /// down.
    pub fn stored(&self, time: Time) -> Time {
        let wall = self.wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let (wall, now) = (i128::try_from(wall).unwrap_or(i128::MAX), i128::from(self.now.as_nanos()));
        let step = wall.saturating_sub(now).saturating_add(GRAIN / 2).div_euclid(GRAIN) * GRAIN;
        let shown = u64::try_from((i128::from(time.as_nanos()) + step).max(0)).unwrap_or(u64::MAX);
        Time::from_nanos(shown)
    }
}

/// Steps of the wall clock are told in multiples of this, in nanoseconds. The two clocks cannot be read at the same
/// moment, and without it the same event would be shown at another microsecond each time.
const GRAIN: i128 = 100_000_000;

#[cfg(test)]
mod tests;
