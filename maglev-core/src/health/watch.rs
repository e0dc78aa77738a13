//! Pure. The machine that watches one backend: when to probe, and what the answers add up to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::check::{Pace, Thresholds};
use crate::health::{Counter, HealthState};
use crate::outcome::Verdict;
use crate::time::Time;

/// The number of one probe. No two probes of an engine share one, so a late answer is never taken for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProbeId(pub u64);

/// A change of the health state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The state before.
    pub from: HealthState,
    /// The state after.
    pub to: HealthState,
}

/// An interval is stretched or shortened at random by up to one part in so many, that is ±10 %, so that probes of many
/// backends do not fall into step.
const JITTER_PART: u64 = 10;

/// Watches one backend.
///
/// ```text
///             start                    handle_timeout (due)
///  Stopped ───────────► Waiting{due} ───────────────────────► Probing{id}
///     ▲                   ▲    │                               │    │
///     │       stop        │    │        handle_outcome (id)    │    │
///     └───────────────────┼────┴── stop ───────────────────────┼────┘
///                         └────────────────────────────────────┘
/// ```
///
/// At most one probe is in flight: only `Waiting` starts one, and only its outcome, a `stop` or another question leads
/// out of `Probing`. A call that does not fit the phase (an outcome of a probe that is not in flight, a timeout before
/// it is due, a stop when stopped) does nothing.
///
/// Each call has at most one thing to say to its caller, which it returns.
#[derive(Clone, Debug)]
pub struct Watch {
    counter: Counter,
    pace: Pace,
    phase: Phase,
    /// Set from another question until a probe passes: the credit that comes with the question is given once.
    credited: bool,
    /// Seeded by the owner, so that the same inputs give the same schedule.
    random: fastrand::Rng,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Stopped,
    Waiting { due: Time },
    Probing { id: ProbeId, started: Time },
}

impl Watch {
    /// A stopped watch without a verdict.
    pub fn new(pace: Pace, thresholds: Thresholds, seed: u64) -> Self {
        Watch {
            counter: Counter::new(thresholds),
            pace,
            phase: Phase::Stopped,
            credited: false,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// The counter, and with it the state.
    pub const fn counter(&self) -> &Counter {
        &self.counter
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` while stopped or probing.
    pub const fn poll_timeout(&self) -> Option<Time> {
        match self.phase {
            Phase::Waiting { due } => Some(due),
            Phase::Stopped | Phase::Probing { .. } => None,
        }
    }

    /// The probe in flight.
    pub const fn in_flight(&self) -> Option<ProbeId> {
        match self.phase {
            Phase::Probing { id, .. } => Some(id),
            Phase::Stopped | Phase::Waiting { .. } => None,
        }
    }

    /// Begins to probe, the first time at a random moment within `spread` from now.
    pub fn start(&mut self, now: Time, spread: Duration) {
        match self.phase {
            Phase::Stopped => self.phase = Phase::Waiting { due: now + self.within(spread) },
            Phase::Waiting { .. } | Phase::Probing { .. } => {}
        }
    }

    /// Ends probing and forgets what was known. Returns the probe that was in flight, whose outcome no longer counts.
    pub fn stop(&mut self) -> Option<ProbeId> {
        let abandoned = self.in_flight();
        self.phase = Phase::Stopped;
        self.credited = false;
        self.counter = self.counter.reset();
        abandoned
    }

    /// Takes the present state for granted until the probes of another question say otherwise. A backend that is up gets
    /// full credit for it, but only once: until a probe has passed, further questions leave the counter as it is, so that a
    /// check that is edited again and again does not keep a dead server up.
    pub fn credit(&mut self) {
        match self.counter.state() {
            HealthState::Up if self.credited => {}
            HealthState::Up => {
                self.credited = true;
                self.counter.assume(HealthState::Up);
            }
            state @ (HealthState::Unknown | HealthState::Down) => self.counter.assume(state),
        }
    }

    /// Whether the credit of another question was given and no probe has passed since.
    pub const fn is_credited(&self) -> bool {
        self.credited
    }

    /// Takes a backend for up that had no check before. With a counter, it is one whose credit was given before.
    pub fn assume_up(&mut self, counter: Option<u32>) {
        self.counter.assume(HealthState::Up);
        self.credited = true;
        if let Some(counter) = counter {
            self.counter.resume(counter.max(self.counter.rise()));
        }
    }

    /// Takes a state for granted until the probes say otherwise.
    pub fn assume(&mut self, state: HealthState) {
        self.counter.assume(state);
    }

    /// Goes on from a counter that was reached before, as if the probes had never paused. `credited` as
    /// [`is_credited`](Self::is_credited) said then.
    pub fn resume(&mut self, counter: u32, credited: bool) {
        self.counter.resume(counter);
        self.credited = credited && self.counter.state() == HealthState::Up;
    }

    /// Starts a probe if one is due. `id` is used only if so, and then returned.
    pub fn handle_timeout(&mut self, now: Time, id: ProbeId) -> Option<ProbeId> {
        match self.phase {
            Phase::Waiting { due } if due <= now => {
                self.phase = Phase::Probing { id, started: now };
                Some(id)
            }
            Phase::Waiting { .. } | Phase::Stopped | Phase::Probing { .. } => None,
        }
    }

    /// Takes the outcome of the probe in flight and plans the next probe. Returns the change it makes, if any.
    pub fn handle_outcome(&mut self, now: Time, id: ProbeId, verdict: Verdict) -> Option<Change> {
        let started = match self.phase {
            Phase::Probing { id: expected, started } if expected == id => started,
            Phase::Probing { .. } | Phase::Stopped | Phase::Waiting { .. } => return None,
        };
        let from = self.counter.state();
        self.counter.record(verdict);
        self.credited &= verdict != Verdict::Pass;
        // Intervals are from start to start. A probe that outlasts its interval is followed at once by the next.
        self.phase = Phase::Waiting { due: (started + self.interval()).max(now) };
        let to = self.counter.state();
        (from != to).then_some(Change { from, to })
    }

    /// Takes another pace and other thresholds. Health, the probe in flight and the schedule go on, except that where
    /// the interval becomes shorter, the next probe is due within it.
    pub fn reconfigure(&mut self, now: Time, pace: Pace, thresholds: Thresholds) {
        let before = self.plain_interval();
        self.pace = pace;
        self.counter.rescale(thresholds);
        let after = self.plain_interval();
        if after < before
            && let Phase::Waiting { due } = self.phase
        {
            // Anywhere within it, not at its end: many backends share a check, and must not fall into step here.
            self.phase = Phase::Waiting { due: due.min(now + self.within(after)) };
        }
    }

    /// Gets ready for another question: the last verdict stands until the new question has one, see
    /// [`credit`](Self::credit). Returns the probe that was in flight, which asked the old question and no longer counts.
    pub fn ask_again(&mut self, now: Time) -> Option<ProbeId> {
        self.credit();
        let abandoned = self.in_flight();
        match self.phase {
            Phase::Stopped => {}
            Phase::Waiting { .. } | Phase::Probing { .. } => {
                let soon = now + self.within(self.pace.fast_interval);
                self.phase = Phase::Waiting { due: self.poll_timeout().map_or(soon, |due| due.min(soon)) };
            }
        }
        abandoned
    }

    /// Probes at once, in place of the probe in flight, which is returned and no longer counts. The counter stays.
    pub fn probe_now(&mut self, now: Time) -> Option<ProbeId> {
        let abandoned = self.in_flight();
        match self.phase {
            Phase::Stopped => {}
            Phase::Waiting { due } => self.phase = Phase::Waiting { due: due.min(now) },
            Phase::Probing { .. } => self.phase = Phase::Waiting { due: now },
        }
        abandoned
    }

    /// Probes again no later than `delay` from now. The counter stays.
    pub fn probe_within(&mut self, now: Time, delay: Duration) {
        match self.phase {
            Phase::Waiting { due } => self.phase = Phase::Waiting { due: due.min(now + delay) },
            Phase::Stopped | Phase::Probing { .. } => {}
        }
    }

    /// The time to the next probe, with its jitter.
    fn interval(&mut self) -> Duration {
        let nanos = saturating_nanos(self.plain_interval());
        let part = nanos / JITTER_PART;
        Duration::from_nanos((nanos - part).saturating_add(self.random.u64(0..=2 * part)))
    }

    /// A random time of at most `span`.
    fn within(&mut self, span: Duration) -> Duration {
        Duration::from_nanos(self.random.u64(0..=saturating_nanos(span)))
    }

    fn plain_interval(&self) -> Duration {
        match self.counter.state() {
            HealthState::Unknown => self.pace.fast_interval,
            HealthState::Up | HealthState::Down => match self.counter.value() {
                0 => self.pace.down_interval,
                value if value == self.counter.max() => self.pace.interval,
                _ => self.pace.fast_interval,
            },
        }
    }
}

fn saturating_nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;
