//! Driver. Writing down what operators want, before anybody is told that it is done.
//!
//! A write waits for a disk, so it runs on a thread of its own while probes go on. One runs at a time, and takes everything
//! that was asked by the time it begins: whoever asks meanwhile waits for the next. So a flood of changes costs few writes
//! (group commit), they are on disk in the order they were made, and *done* means that it survives a crash.
//!
//! ```text
//!        changed            begin                  end
//!  Kept ─────────► Wanted ────────► Writing ───────────────► Kept: those who waited are told
//!                    ▲                 │  changed: noted for the next write
//!                    └──── failed ─────┘  those who waited are told; again with the next change, or after a while
//! ```

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use maglev_core::engine::Intents;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::writing::{Writer, Writing};
use crate::control::ChangeError;
use crate::failing::Failing;
use crate::reload::Chain;
use crate::state::{IntentFile, StateError};

/// How long after a write that failed the next is tried, if nobody asks for one before: a disk that was full is not full
/// for ever, and what is only in memory should not stay there.
const AGAIN: Duration = Duration::from_secs(10);

/// How often to look whether the state directory is still there.
const CHECK: Duration = Duration::from_secs(5);

/// How long the end waits for the last writes: less than calls under way get.
const FINISH: Duration = Duration::from_secs(3);

/// Who is told what came of a change, once it is on disk.
pub(super) type Reply = oneshot::Sender<Result<bool, ChangeError>>;

/// Where what operators want is kept.
#[derive(Debug, Default)]
pub enum Keep {
    /// Only in memory, as was asked for.
    #[default]
    InMemory,
    /// In this file.
    In(Writer<IntentFile>),
    /// Nowhere, though it was to be kept: whoever changes something is told.
    Nowhere(Arc<StateError>),
}

/// Keeps what operators want.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Absent where there is none to write to.
    file: Option<Writer<IntentFile>>,
    /// Why there is none, where there should be one.
    lost: Option<Arc<StateError>>,
    /// What is known to be on disk, so that nothing is written twice.
    kept: Option<Intents>,
    /// The directory it is in, by how many there were before.
    generation: u64,
    /// Of a write what was written, of a look at the directory nothing.
    writing: Option<Writing<Option<Intents>>>,
    /// When to look at the directory.
    check: Instant,
    /// Whether there is something that the last write, or the one under way, does not have.
    wanted: bool,
    /// When to try again.
    again: Option<Instant>,
    /// Those whom the write under way answers, each with whether they changed something.
    answered: Vec<(Reply, bool)>,
    /// Those whom the next one answers.
    waiting: Vec<(Reply, bool)>,
    /// Writes that failed.
    failures: u64,
    /// The failure that lasts since the last write that succeeded.
    failing: Option<Failing>,
}

/// How it stands with what operators want.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Whether all of it is on disk; absent without a state directory.
    pub durable: Option<bool>,
    /// Writes that failed.
    pub failures: u64,
    /// Why the last write failed, and since when; absent where it succeeded.
    pub failing: Option<Failing>,
}

impl Keeper {
    /// A keeper of a file, into which everything is to be written once at the start: what cannot be written is better known
    /// then than when an operator needs it.
    pub(super) fn new(keep: Keep) -> Self {
        let (file, lost) = match keep {
            Keep::InMemory => (None, None),
            Keep::In(file) => (Some(file), None),
            Keep::Nowhere(error) => (None, Some(error)),
        };
        let failing = lost.as_ref().map(|error| failed(None, error));
        Keeper {
            wanted: file.is_some(),
            file,
            lost,
            kept: None,
            generation: 0,
            writing: None,
            check: Instant::now() + CHECK,
            again: None,
            answered: Vec::new(),
            waiting: Vec::new(),
            failures: 0,
            failing,
        }
    }

    /// Something changed that is to be kept.
    pub(super) fn changed(&mut self) {
        self.wanted |= self.file.is_some();
    }

    /// Answers somebody once everything up to now is on disk; also somebody whose change is so already, since what they rely
    /// on may be on its way to the disk.
    pub(super) fn answer(&mut self, reply: Reply, changed: bool) {
        if let (Some(error), true) = (&self.lost, changed) {
            let _ = reply.send(Err(ChangeError::NotKept(Arc::clone(error))));
        } else if self.wanted || self.writing.is_some() {
            // Whoever went away meanwhile does not wait any more.
            self.waiting.retain(|(reply, _)| !reply.is_closed());
            self.waiting.push((reply, changed));
            // Whoever asks again after a failure has it tried again.
            self.again = None;
        } else {
            let _ = reply.send(Ok(changed));
        }
    }

    /// Begins to write, if that is due.
    pub(super) fn begin(&mut self, intents: impl FnOnce() -> Intents) {
        let (Some(file), None) = (&self.file, &self.writing) else { return };
        let now = Instant::now();
        let due = self.wanted || !self.waiting.is_empty();
        let begun = if due && self.again.is_none_or(|again| again <= now) {
            let intents = intents();
            (self.wanted, self.again) = (false, None);
            self.answered = std::mem::take(&mut self.waiting);
            if self.kept.as_ref() == Some(&intents) && self.generation == file.file().generation() {
                return self.ended(Ok(Some(intents)));
            }
            // Until it is known to have gone well, what is there is not known.
            self.kept = None;
            file.begin(move |file| file.keep(&intents).map(|()| Some(intents)))
        } else if self.check <= now {
            file.begin(|file| file.verify().map(|()| None))
        } else {
            return;
        };
        self.check = now + CHECK;
        match begun {
            Ok(writing) => self.writing = Some(writing),
            Err(error) => self.ended(Err(error)),
        }
    }

    /// Waits until a write ends or the next is due, and tells those who waited. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) {
        if let Some(writing) = &mut self.writing {
            let Some(result) = writing.end("operator intent").await else { return };
            self.writing = None;
            self.ended(result);
        } else if self.file.is_some() {
            let next = self.again.map_or(self.check, |again| again.min(self.check));
            tokio::time::sleep_until(next).await;
        } else {
            std::future::pending().await
        }
    }

    fn ended(&mut self, result: Result<Option<Intents>, StateError>) {
        let answered = std::mem::take(&mut self.answered);
        match result {
            // The directory is there. What was written before may be in another.
            Ok(None) => {
                self.wanted |= self.file.as_ref().is_some_and(|f| f.file().generation() != self.generation)
            }
            Ok(Some(intents)) => {
                self.failing = None;
                self.generation = self.file.as_ref().map_or(0, |file| file.file().generation());
                self.kept = Some(intents);
                for (reply, changed) in answered {
                    let _ = reply.send(Ok(changed));
                }
            }
            Err(error) => {
                self.failures += 1;
                self.failing = Some(failed(self.failing.take(), &error));
                tracing::error!(
                    error = %Chain(&error),
                    "what operators want will not survive a restart; give --state-dir a directory that can be written, or \
                     an empty name to do without"
                );
                (self.wanted, self.again) = (true, Some(Instant::now() + AGAIN));
                let error = Arc::new(error);
                for (reply, _) in answered {
                    let _ = reply.send(Err(ChangeError::NotKept(Arc::clone(&error))));
                }
            }
        }
    }

    /// Writes what is left to be written, at the end. A disk that hangs is not waited for long.
    pub(super) async fn finish(self, intents: impl Fn() -> Intents) {
        if tokio::time::timeout(FINISH, self.write_all(intents)).await.is_err() {
            tracing::error!(
                "the last writes to the state directory did not end in {FINISH:?}: changes may be lost"
            );
        }
    }

    async fn write_all(mut self, intents: impl Fn() -> Intents) {
        while self.writing.is_some() {
            self.next().await;
        }
        self.again = None;
        self.begin(intents);
        while self.writing.is_some() {
            self.next().await;
        }
    }

    /// How it stands.
    pub(super) fn kept(&self) -> Kept {
        let is_kept = self.file.is_some() || self.lost.is_some();
        let hangs = self.writing.as_ref().and_then(Writing::hangs);
        let durable = is_kept.then_some(self.failing.is_none() && hangs.is_none());
        Kept { durable, failures: self.failures, failing: self.failing.clone().or(hangs) }
    }
}

fn failed(before: Option<Failing>, error: &StateError) -> Failing {
    Failing::again(before, &Chain(error).to_string(), SystemTime::now())
}
