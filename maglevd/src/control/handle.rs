//! Driver. How others speak to the task that owns the engine: each question is a message, and its answer another.

use std::sync::Arc;
use std::time::Duration;

use maglev_core::config::Config;
use maglev_core::engine::{CommandError, ReloadRefused, ReloadReport};
use maglev_core::intent::Request;
use maglev_core::names::FrontendName;
use maglev_core::pattern::Pattern;
use maglev_core::weight::Weight;
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::snapshot::{self, Numbered, Requests};
use super::{Events, NoVpp, Snapshot, Synced};
use crate::audit::Note;
use crate::state::StateError;

/// How long a change waits for the disk. Whoever asks for it waits for the answer, and a disk that hangs must not make
/// them wait for ever.
const KEPT_WITHIN: Duration = Duration::from_secs(10);

/// The engine task is gone, so the daemon is about to end.
#[derive(Clone, Copy, Debug, Error)]
#[error("the daemon is shutting down")]
pub struct Stopped;

/// Why an operator's change was not made.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The engine refused it.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// It was made, but cannot be kept across a restart.
    #[error("done, but it will not survive a restart of maglevd")]
    NotKept(#[source] Arc<StateError>),
    /// It was made, or is about to be, and the disk takes its time.
    #[error(
        "the state directory has not taken it in {KEPT_WITHIN:?}: it is done, or will be, and may not survive a restart of \
         maglevd"
    )]
    Slow,
    /// The daemon is ending.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Speaks to the engine task. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Control {
    pub(super) inputs: mpsc::Sender<Input>,
    pub(super) requests: Requests,
    pub(super) events: broadcast::WeakSender<Numbered>,
}

/// An operator's change.
#[derive(Clone, Debug)]
pub enum Change {
    /// Of a backend.
    Backend {
        /// Its name.
        backend: String,
        /// What is asked.
        request: Request,
    },
    /// Of a weight.
    Weight {
        /// The frontend.
        frontend: String,
        /// Its pool.
        pool: String,
        /// The backend in it.
        backend: String,
        /// The weight.
        weight: Weight,
        /// Evict its established flows.
        flush: bool,
    },
}

/// Which frontends a change may leave without a server.
#[derive(Clone, Debug, Default)]
pub struct Force {
    /// The only ones that are meant; empty for any.
    pub frontends: Vec<String>,
    /// Those that the caller may change; empty for all.
    pub within: Vec<Pattern>,
}

impl Force {
    /// Whether a frontend may be left without a server.
    pub fn allows(&self, frontend: &FrontendName) -> bool {
        let meant = self.frontends.is_empty() || self.frontends.iter().any(|name| name == frontend.as_str());
        meant && self.permits(frontend)
    }

    /// Whether the caller may change a frontend.
    pub fn permits(&self, frontend: &FrontendName) -> bool {
        self.within.is_empty() || self.within.iter().any(|pattern| pattern.matches(frontend.as_str()))
    }
}

/// Who asks for a change, why, and for how long.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// The operator and how they came in.
    pub by: String,
    /// Why; may be empty.
    pub reason: String,
    /// How long it holds; absent for ever.
    pub lasts: Option<Duration>,
    /// The frontends that may be left without a server; absent for none.
    pub force: Option<Force>,
    /// Where what was so before and is so after is noted, for the audit log.
    pub note: Note,
}

/// What the engine task is asked.
pub(super) enum Input {
    Change {
        change: Change,
        who: Who,
        /// Gets everything as it is right after the change, unless that is refused.
        seen: oneshot::Sender<Arc<Snapshot>>,
        reply: oneshot::Sender<Result<bool, ChangeError>>,
    },
    Reload {
        config: Arc<Config>,
        force: bool,
        reply: oneshot::Sender<Result<ReloadReport, ReloadRefused>>,
    },
    Sync {
        recreate: Option<FrontendName>,
        reply: oneshot::Sender<Result<Synced, NoVpp>>,
    },
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Input::Change { .. } => "Change",
            Input::Reload { .. } => "Reload",
            Input::Sync { .. } => "Sync",
        })
    }
}

impl Control {
    /// Everything as it is now, or a few milliseconds from now: never as it was before this call, so that a change that
    /// was answered is seen.
    ///
    /// Dropping the future is safe.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, Stopped> {
        snapshot::request(&self.requests).await
    }

    /// The same, seen by `look`, which runs on the task of the caller.
    ///
    /// Dropping the future is safe.
    pub async fn read<R>(&self, look: impl FnOnce(&Snapshot) -> R) -> Result<R, Stopped> {
        Ok(look(&*self.snapshot().await?))
    }

    /// The same, with every event after it: nothing is missed and nothing comes twice.
    ///
    /// Dropping the future is safe.
    pub async fn watch(&self) -> Result<(Arc<Snapshot>, Events), Stopped> {
        // First this. What happens between the two is both in the queue and in the snapshot, and is left out by number.
        let events = self.events.upgrade().ok_or(Stopped)?.subscribe();
        let snapshot = self.snapshot().await?;
        let from = snapshot.next_event;
        Ok((snapshot, Events { events, from }))
    }

    /// Makes an operator's change. Returns whether it changed anything, once it is on disk.
    ///
    /// When the future is dropped, the change may or may not be made.
    pub async fn change(&self, change: Change, who: Who) -> Result<bool, ChangeError> {
        self.change_and_look(change, who).await.map(|(changed, _)| changed)
    }

    /// The same, with everything as it is right after the change: by the time it is on disk, more may have happened.
    /// Returns whether it changed anything, and the snapshot.
    ///
    /// When the future is dropped, the change may or may not be made.
    pub async fn change_and_look(
        &self,
        change: Change,
        who: Who,
    ) -> Result<(bool, Arc<Snapshot>), ChangeError> {
        let (show, seen) = oneshot::channel();
        let (reply, answer) = oneshot::channel();
        let input = Input::Change { change, who, seen: show, reply };
        self.inputs.send(input).await.map_err(|_| Stopped)?;
        let changed = match tokio::time::timeout(KEPT_WITHIN, answer).await {
            Ok(answer) => answer.map_err(|_| Stopped)??,
            Err(_) => return Err(ChangeError::Slow),
        };
        Ok((changed, seen.await.map_err(|_| Stopped)?))
    }

    /// Compares everything with what VPP has now, writes what differs, and returns what was written. The VIP of the frontend
    /// `recreate` is removed and added again, if it keeps another table length than that of a fresh one.
    ///
    /// When the future is dropped, it is done all the same.
    pub async fn sync(&self, recreate: Option<FrontendName>) -> Result<Synced, NoVpp> {
        let (reply, answer) = oneshot::channel();
        self.inputs.send(Input::Sync { recreate, reply }).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)?
    }

    /// Takes another configuration, unless that needs force and has none.
    ///
    /// When the future is dropped, the configuration may or may not be taken.
    pub async fn reload(
        &self,
        config: Arc<Config>,
        force: bool,
    ) -> Result<Result<ReloadReport, ReloadRefused>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.inputs.send(Input::Reload { config, force, reply }).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}
