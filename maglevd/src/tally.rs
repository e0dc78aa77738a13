//! Pure. What is counted as the engine runs: probes, how long they took, transitions, how late it was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use maglev_core::desired::BackendState;
use maglev_core::engine::{Engine, Event, SyncReport};
use maglev_core::names::{BackendName, FrontendName};
use maglev_core::outcome::{Code, Outcome};
use maglev_core::plan::OperationKind;

/// Upper bounds of the buckets of durations in seconds: 1 ms is a good LAN, 2.5 s beyond the default timeout of a probe.
pub const DURATION_BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Counts for each backend of the configuration. A backend that is gone is gone from here too.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Shared with snapshots, and copied when it changes.
    backends: BTreeMap<BackendName, Arc<BackendTally>>,
    /// Operations VPP carried out, by scope (see [`Tally::sync`]) and kind.
    pub operations: BTreeMap<(&'static str, OperationKind), u64>,
    /// Operations VPP refused, by frontend.
    pub refused: BTreeMap<FrontendName, u64>,
    /// How late the engine was each time something was due. A daemon that gets no processor takes its own lateness for
    /// that of its servers.
    pub lateness: Histogram,
    /// How long this process did not run although probes were in flight, since it started.
    pub stalled: Duration,
}

/// Counts for one backend.
#[derive(Clone, Debug)]
pub struct BackendTally {
    /// Probes, by type and code.
    pub probes: BTreeMap<(String, Code), u64>,
    /// How long probes took, by type.
    pub durations: BTreeMap<String, Histogram>,
    /// Transitions, by state before and after.
    pub transitions: BTreeMap<(BackendState, BackendState), u64>,
}

impl Default for BackendTally {
    fn default() -> Self {
        use BackendState::{Down, Unknown, Up};
        // Those every backend goes through are there from the start, so that a rate over the first one is right.
        let transitions = [(Unknown, Up), (Unknown, Down), (Up, Down), (Down, Up)];
        BackendTally {
            probes: BTreeMap::new(),
            durations: BTreeMap::new(),
            transitions: transitions.map(|pair| (pair, 0)).into(),
        }
    }
}

/// How many things took how long.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// Those of each bucket of [`DURATION_BUCKETS`] alone, and beyond the last.
    counts: [u64; DURATION_BUCKETS.len() + 1],
    sum: Duration,
}

impl Histogram {
    fn record(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = DURATION_BUCKETS.partition_point(|&bound| bound < seconds);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(duration);
    }

    /// For each bucket its upper bound in seconds and how many took at most so long.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        DURATION_BUCKETS.iter().zip(&self.counts).scan(0, |total, (&bound, count)| {
            *total += count;
            Some((bound, *total))
        })
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long they took together.
    pub const fn sum(&self) -> Duration {
        self.sum
    }
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(engine: &Engine) -> Self {
        let mut tally = Tally::default();
        tally.resize(engine);
        tally
    }

    /// Begins to count for new backends and forgets those that are gone.
    pub fn resize(&mut self, engine: &Engine) {
        self.backends.retain(|name, _| engine.backend(name.as_str()).is_some());
        self.refused.retain(|name, _| engine.frontend(name.as_str()).is_some());
        for frontend in engine.frontends() {
            self.refused.entry(frontend.name().clone()).or_default();
        }
        for backend in engine.backends() {
            self.backends.entry(backend.name().clone()).or_default();
        }
    }

    /// Counts for each backend, by name.
    pub fn backends(&self) -> impl Iterator<Item = (&BackendName, &BackendTally)> {
        self.backends.iter().map(|(name, tally)| (name, tally.as_ref()))
    }

    /// Counts a probe.
    pub fn probe(&mut self, backend: &BackendName, kind: &str, outcome: &Outcome) {
        let Some(tally) = self.backends.get_mut(backend).map(Arc::make_mut) else { return };
        *tally.probes.entry((kind.to_owned(), outcome.code)).or_default() += 1;
        tally.durations.entry(kind.to_owned()).or_default().record(outcome.timings.total);
    }

    /// Counts a time at which something was due, and how late it was done.
    pub fn late(&mut self, lateness: Duration) {
        self.lateness.record(lateness);
    }

    /// Counts what was written to VPP: with scope `full` after a comparison of everything, with scope `frontend` after
    /// a change of some frontends.
    pub fn sync(&mut self, report: &SyncReport) {
        let scope = if report.full { "full" } else { "frontend" };
        for (step, result) in &report.steps {
            match (result, &step.frontend) {
                (Ok(()), _) => *self.operations.entry((scope, step.operation.kind())).or_default() += 1,
                (Err(_), Some(frontend)) => *self.refused.entry(frontend.clone()).or_default() += 1,
                (Err(_), None) => {}
            }
        }
    }

    /// Counts what happened.
    pub fn event(&mut self, event: &Event) {
        if let Event::BackendChanged { backend, transition } = event
            && let Some(tally) = self.backends.get_mut(backend).map(Arc::make_mut)
        {
            *tally.transitions.entry((transition.from, transition.to)).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests;
