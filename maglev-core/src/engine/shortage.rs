//! Pure. Whether this process has too little processor time, and how fast it probes then.
//!
//! A process that is stopped, or needs more processor time than it gets, cannot time its probes. It then starts fewer of them:
//! probes that are due wait for their turn, the longest due first, so that the intervals stretch by as much as it takes. The
//! time between two starts is controlled as TCP controls its window: longer by a factor while time is lost, shorter by a smaller
//! one while none is.

use std::time::Duration;

use crate::time::Time;

/// How long to look before judging. Long against the 100 ms in which Linux shares out a CPU quota.
const WINDOW: Duration = Duration::from_millis(500);

/// A window is bad if more than one part in so many of it was lost.
const BAD_PART: u32 = 2;

/// A window is good if less than one part in so many of it was lost.
const GOOD_PART: u32 = 10;

/// Good windows in a row after which there is no shortage any more.
const RECOVERED: u32 = 10;

/// Bad windows that may be a single stall, such as a stopped process. Starts come back to their usual rate faster after one.
const STALL: u32 = 2;

/// Starts that were missed while the process did not run are made up for over no more than this.
const BURST: Duration = Duration::from_millis(100);

/// Every backend is probed at least this often, however short of time the process is.
const SLOWEST_ROUND: Duration = Duration::from_secs(60);

/// Measures lost time and limits starts. See the [module](self).
#[derive(Clone, Debug)]
pub(super) struct Shortage {
    /// Since when there is a shortage.
    since: Option<Time>,
    /// The present window, what was lost in it, the starts in it, and whether one had to wait.
    begin: Time,
    lost: Duration,
    starts: u32,
    held: bool,
    /// The time between starts without a shortage.
    usual: Duration,
    /// The least time between starts; absent while they are not limited.
    gap: Option<Duration>,
    /// When the next start is allowed.
    next: Time,
    bad: u32,
    good: u32,
}

impl Shortage {
    pub(super) const fn new(now: Time) -> Self {
        Shortage {
            since: None,
            begin: now,
            lost: Duration::ZERO,
            starts: 0,
            held: false,
            usual: WINDOW,
            gap: None,
            next: now,
            bad: 0,
            good: 0,
        }
    }

    /// Since when this process has too little processor time.
    pub(super) const fn since(&self) -> Option<Time> {
        self.since
    }

    /// When a start that is due at `due` is allowed.
    pub(super) fn allowed(&self, due: Time) -> Time {
        if self.gap.is_some() { due.max(self.next) } else { due }
    }

    /// Takes note that the process did not run for `lost` since the last call.
    pub(super) fn handle_stall(&mut self, lost: Duration) {
        self.lost = self.lost.saturating_add(lost);
    }

    /// Whether a probe that is due may start, and counts it if so.
    pub(super) fn start(&mut self, now: Time) -> bool {
        if let Some(gap) = self.gap {
            if now < self.next {
                self.held = true;
                return false;
            }
            let earliest = Time::from_nanos(now.as_nanos().saturating_sub(nanos(BURST)));
            self.next = self.next.max(earliest) + gap;
        }
        self.starts += 1;
        true
    }

    /// Judges the window if it is over. `backends` is how many are probed.
    pub(super) fn handle_timeout(&mut self, now: Time, backends: usize) {
        let length = now.since(self.begin);
        if length < WINDOW {
            return;
        }
        if self.lost * BAD_PART > length {
            (self.bad, self.good) = (self.bad + 1, 0);
            self.since = self.since.or(Some(self.begin));
            let slowest = SLOWEST_ROUND / u32::try_from(backends.max(1)).unwrap_or(u32::MAX);
            let gap = match self.gap {
                None => {
                    self.next = now;
                    self.usual
                }
                Some(gap) => gap * 10 / 7,
            };
            self.gap = Some(gap.min(slowest.max(Duration::from_millis(1))));
        } else if self.lost * GOOD_PART < length {
            // Nothing was due for a while: so many windows were good.
            let windows = u32::try_from(length.as_nanos() / WINDOW.as_nanos()).unwrap_or(u32::MAX);
            self.good = self.good.saturating_add(windows);
            match self.gap {
                Some(gap) if self.held && self.bad <= STALL => self.gap = Some(gap * 2 / 3),
                Some(gap) if self.held => self.gap = Some(gap * 10 / 11),
                Some(_) if self.good >= 2 => self.gap = None,
                Some(_) => {}
                None if self.starts > 0 => self.usual = (self.usual * 3 + length / self.starts) / 4,
                None => {}
            }
            if self.good >= RECOVERED && self.gap.is_none() {
                (self.since, self.bad) = (None, 0);
            }
        }
        (self.begin, self.lost, self.starts, self.held) = (now, Duration::ZERO, 0, false);
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
