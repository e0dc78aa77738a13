//! Edge. Measures the time in which this process did not run although it should have.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

#[cfg(test)]
mod tests;

/// How often it beats while probes are under way.
const PERIOD: Duration = Duration::from_millis(10);

/// A beat that comes so much later than due is no stall: that is what schedulers and timers do.
const SLACK: Duration = Duration::from_millis(15);

/// How long it goes on beating without a probe. Longer than the pauses between probes mostly are.
const LINGER: Duration = Duration::from_secs(1);

/// Measures stalls: stretches of time in which this process was stopped (SIGSTOP, a debugger), frozen (cgroup freezer), without
/// processor time (a CPU quota, a busy machine) or suspended with its machine, or in which the runtime was too busy to come
/// round.
///
/// A task of the runtime beats every 10 ms while probes are under way; a beat that is late shows a stall. Cheap to clone; clones
/// share what is measured.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The last beat, on the clock that goes on while the machine is suspended.
    last: Duration,
    /// Time lost before that.
    lost: Duration,
    /// Probes under way.
    watchers: usize,
    /// Whether the task is there.
    beating: bool,
    /// The last time that a probe was under way.
    needed: Duration,
}

impl State {
    /// Time lost up to `now`, also in a stall that goes on.
    fn lost(&self, now: Duration) -> Duration {
        let since = if self.beating { now.saturating_sub(self.last) } else { Duration::ZERO };
        self.lost + if since > PERIOD + SLACK { since - PERIOD } else { Duration::ZERO }
    }

    fn beat(&mut self, now: Duration) {
        self.lost = self.lost(now);
        self.last = now;
    }
}

impl Heartbeat {
    /// A heartbeat that nothing was measured with yet.
    pub fn new() -> Self {
        Heartbeat::default()
    }

    /// How long this process did not run although probes were under way, all together.
    pub fn stalled(&self) -> Duration {
        self.with(|state, now| state.lost(now))
    }

    /// Measures until what is returned is dropped.
    pub(crate) fn watch(&self) -> Watching {
        let (start, begin) = self.with(|state, now| {
            state.watchers += 1;
            let begin = !state.beating;
            if begin {
                state.beating = true;
                state.last = now;
            }
            (state.lost(now), begin)
        });
        if begin {
            tokio::spawn(beat(self.clone()));
        }
        Watching { heartbeat: self.clone(), start }
    }

    fn with<R>(&self, f: impl FnOnce(&mut State, Duration) -> R) -> R {
        // The clock is read under the lock, so that it never goes backwards here.
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f(&mut state, now())
    }
}

/// Time since this machine was started, with the time in which it was suspended.
fn now() -> Duration {
    // Every Linux since 2.6.39 has this clock; without it no stall is measured.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

/// The task: beats until no probe has been under way for a while.
async fn beat(heartbeat: Heartbeat) {
    let ended = Ended(heartbeat);
    loop {
        tokio::time::sleep(PERIOD).await;
        let done = ended.0.with(|state, now| {
            state.beat(now);
            if state.watchers > 0 {
                state.needed = now;
            }
            now.saturating_sub(state.needed) > LINGER
        });
        if done {
            return;
        }
    }
}

/// Says that the task is gone, also where its runtime was shut down: the next probe starts another.
struct Ended(Heartbeat);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.with(|state, _| state.beating = false);
    }
}

/// Measures stalls during one probe.
#[derive(Debug)]
pub(crate) struct Watching {
    heartbeat: Heartbeat,
    start: Duration,
}

impl Watching {
    /// Time lost since it began.
    pub(crate) fn lost(&self) -> Duration {
        self.heartbeat.stalled().saturating_sub(self.start)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.heartbeat.with(|state, now| {
            state.watchers -= 1;
            state.needed = now;
        });
    }
}
