//! Pure. What the probes last said of each backend, to be taken up again after a restart.
//!
//! A restart is no reason to drain anybody, nor to wait: a verdict that is fresh enough counts until the first new result,
//! with its counter, so that a failure after it counts as if nobody had restarted. It counts only for the same question to
//! the same server, and never against the configuration or an operator: who is disabled, paused or has no check has no
//! verdict.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::check::{Fingerprint, HealthCheck};
use crate::engine::{BackendStatus, Engine};
use crate::health::HealthState;
use crate::names::BackendName;
use crate::time::Time;

/// A verdict counts at least this long, however short the interval: so long a restart may take.
const SHORTEST: Duration = Duration::from_secs(5);

/// And at most this long, however long the interval.
const LONGEST: Duration = Duration::from_secs(3600);

/// What the probes of each backend last said.
pub type Verdicts = BTreeMap<BackendName, Verdict>;

/// What the probes of a backend last said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What they had asked.
    pub question: Fingerprint,
    /// The health counter, and with it whether the backend is up.
    pub counter: u32,
    /// When the last of them ended that said something.
    pub at: Time,
    /// Since when the backend has its state.
    pub since: Time,
    /// Whether it was up with the credit of a changed check, and no probe has passed since. That credit is given once, also
    /// across restarts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub credited: bool,
}

impl Verdict {
    /// Whether it still counts at `now`: it is younger than the time in which `check` would have taken the backend down,
    /// which is the interval of the probes times `fall`, and at least five seconds and at most an hour. The interval is
    /// that of full health, or for a backend that is fully down the one it is then probed at.
    ///
    /// One from the future does not count: clocks were changed, and its age is not known.
    pub fn counts(&self, check: &HealthCheck, now: Time) -> bool {
        let interval = match self.counter {
            0 => check.pace.interval.max(check.pace.down_interval),
            _ => check.pace.interval,
        };
        let lifetime = interval.saturating_mul(u32::from(check.thresholds.fall)).clamp(SHORTEST, LONGEST);
        self.at <= now && now.since(self.at) < lifetime
    }
}

impl Engine {
    /// What the probes last said of every backend that has a verdict of theirs.
    pub fn verdicts(&self) -> Verdicts {
        let verdict = |backend: &BackendStatus| Some((backend.name().clone(), backend.verdict()?));
        self.backends().filter_map(verdict).collect()
    }
}

impl BackendStatus {
    fn verdict(&self) -> Option<Verdict> {
        let (counter, question) = (self.counter()?, self.question()?);
        let at = self.verdict_at().filter(|_| counter.state() != HealthState::Unknown)?;
        Some(Verdict {
            question,
            counter: counter.value(),
            at,
            since: self.since(),
            credited: self.is_credited(),
        })
    }
}

#[cfg(test)]
mod tests;
