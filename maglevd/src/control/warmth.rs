//! Driver. Writing down what the probes say, so that the next start need not wait for them.
//!
//! No write is waited for and none is synced. A transition is written at once, and the age of everything once a second,
//! but never so often that it would take more than a tenth of the time. So what a crash loses is about a second of it.

use std::time::{Duration, Instant, SystemTime};

use maglev_core::engine::Verdicts;

use super::writing::{Writer, Writing};
use crate::failing::Failing;
use crate::reload::Chain;
use crate::state::{HealthFile, StateError};

/// How old what is on disk may become while probes are answered.
const REFRESH: Duration = Duration::from_secs(1);

/// The shortest time between two writes, so that a flood of transitions costs few.
const PAUSE: Duration = Duration::from_millis(100);

/// A write is followed by so many times its own duration without one.
const SHARE: u32 = 10;

/// How long the end waits for the last write.
const FINISH: Duration = Duration::from_secs(1);

/// Keeps what the probes say.
#[derive(Debug)]
pub(super) struct Warmth {
    file: Option<Writer<HealthFile>>,
    writing: Option<Writing<Duration>>,
    /// When the next write is due.
    due: Option<Instant>,
    /// No write begins before.
    not_before: Instant,
    /// Writes that failed.
    failures: u64,
    /// The failure that lasts since the last write that succeeded. It is logged once.
    failing: Option<Failing>,
}

impl Warmth {
    pub(super) fn new(file: Option<Writer<HealthFile>>) -> Self {
        let now = Instant::now();
        Warmth { file, writing: None, due: None, not_before: now, failures: 0, failing: None }
    }

    /// A probe was answered.
    pub(super) fn probed(&mut self) {
        self.by(Instant::now() + REFRESH);
    }

    /// A backend changed its state.
    pub(super) fn changed(&mut self) {
        self.by(Instant::now());
    }

    fn by(&mut self, due: Instant) {
        if self.file.is_some() {
            self.due = Some(self.due.map_or(due, |present| present.min(due)));
        }
    }

    /// Writes that failed.
    pub(super) const fn failures(&self) -> u64 {
        self.failures
    }

    /// Why the last write failed, and since when.
    pub(super) fn failing(&self) -> Option<Failing> {
        self.failing.clone()
    }

    /// When to begin; `None` while nothing is due or a write is under way.
    fn at(&self) -> Option<Instant> {
        self.due.filter(|_| self.writing.is_none()).map(|due| due.max(self.not_before))
    }

    /// Begins to write, if that is due.
    pub(super) fn begin(&mut self, verdicts: impl FnOnce() -> Verdicts) {
        if self.at().is_some_and(|at| at <= Instant::now()) {
            self.write(verdicts());
        }
    }

    fn write(&mut self, verdicts: Verdicts) {
        let Some(file) = &self.file else { return };
        self.due = None;
        let begun = Instant::now();
        match file.begin(move |file| file.keep(&verdicts).map(|()| begun.elapsed())) {
            Ok(writing) => self.writing = Some(writing),
            Err(error) => self.ended(Err(error)),
        }
    }

    /// Waits until a write ends or the next is due. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) {
        if let Some(writing) = &mut self.writing {
            let Some(result) = writing.end("what the probes say").await else { return };
            self.writing = None;
            self.ended(result);
        } else if let Some(at) = self.at() {
            tokio::time::sleep_until(at.into()).await;
        } else {
            std::future::pending().await
        }
    }

    fn ended(&mut self, result: Result<Duration, StateError>) {
        let took = match result {
            Ok(took) => {
                self.failing = None;
                took
            }
            Err(error) => {
                if self.failing.is_none() {
                    tracing::warn!(
                        error = %Chain(&error),
                        "what the probes say is not kept: after a restart every backend begins as unknown"
                    );
                }
                self.failures += 1;
                let words = Chain(&error).to_string();
                self.failing = Some(Failing::again(self.failing.take(), &words, SystemTime::now()));
                REFRESH
            }
        };
        self.not_before = Instant::now() + took.saturating_mul(SHARE).max(PAUSE);
    }

    /// Writes everything as it is at the end. A disk that hangs is not waited for long.
    pub(super) async fn finish(self, verdicts: Verdicts) {
        let _ = tokio::time::timeout(FINISH, self.write_all(verdicts)).await;
    }

    async fn write_all(mut self, verdicts: Verdicts) {
        while self.writing.is_some() {
            self.next().await;
        }
        self.write(verdicts);
        while self.writing.is_some() {
            self.next().await;
        }
    }
}
