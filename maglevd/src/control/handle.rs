//! Driver. How others speak to the task that owns the engine: each question is a message, and its answer another.

use std::sync::Arc;
use std::time::Duration;

use maglev_core::config::Config;
use maglev_core::engine::{CommandError, Engine, Event};
use maglev_core::intent::Request;
use maglev_core::weight::Weight;
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{Kept, NoVpp, Synced};
use crate::audit::Note;
use crate::clock::Reading;
use crate::state::StateError;
use crate::tally::Tally;

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

/// What can be read: everything the engine task owns, at one moment.
#[derive(Debug)]
pub struct View<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// What has been counted.
    pub tally: &'a Tally,
    /// Both clocks.
    pub reading: Reading,
    /// What is under way.
    pub load: Load,
    /// How it stands with the state directory.
    pub state: StateView,
    /// Where the next event will be sent to.
    pub(super) events: &'a broadcast::Sender<Arc<Event>>,
}

/// What is under way at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// Probes that have been sent and not answered.
    pub probes: usize,
    /// Those who watch events.
    pub watchers: usize,
}

/// How it stands with the state directory.
#[derive(Clone, Copy, Debug, Default)]
pub struct StateView {
    /// With what operators want.
    pub intent: Kept,
    /// How often the verdicts of the probes could not be written.
    pub health_failures: u64,
}

impl View<'_> {
    /// Every event after this moment: together with what this view shows, nothing is missed and nothing comes twice.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }
}

/// Speaks to the engine task. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Control(pub(super) mpsc::Sender<Input>);

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

/// Who asks for a change, why, and for how long.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// The operator and how they came in.
    pub by: String,
    /// Why; may be empty.
    pub reason: String,
    /// How long it holds; absent for ever.
    pub lasts: Option<Duration>,
    /// Where what was so before and is so after is noted, for the audit log.
    pub note: Note,
}

/// A look at everything.
pub(super) type Read = Box<dyn FnOnce(&View<'_>) + Send>;

/// What the engine task is asked.
pub(super) enum Input {
    Read(Read),
    Change { change: Change, who: Who, look: Read, reply: oneshot::Sender<Result<bool, ChangeError>> },
    Reload { config: Arc<Config>, reply: oneshot::Sender<()> },
    Sync { reply: oneshot::Sender<Result<Synced, NoVpp>> },
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Input::Read(_) => "Read",
            Input::Change { .. } => "Change",
            Input::Reload { .. } => "Reload",
            Input::Sync { .. } => "Sync",
        })
    }
}

impl Control {
    /// Looks at everything at one moment. `look` runs on the engine's task, so it should only copy what it needs.
    ///
    /// Dropping the future is safe.
    pub async fn read<R: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> R + Send + 'static,
    ) -> Result<R, Stopped> {
        let (reply, answer) = oneshot::channel();
        let read: Read = Box::new(move |view| {
            // Whoever asked may have gone away meanwhile.
            let _ = reply.send(look(view));
        });
        self.0.send(Input::Read(read)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Makes an operator's change. Returns whether it changed anything, once it is on disk.
    ///
    /// When the future is dropped, the change may or may not be made.
    pub async fn change(&self, change: Change, who: Who) -> Result<bool, ChangeError> {
        self.change_and_look(change, who, |_| ()).await.map(|(changed, ())| changed)
    }

    /// The same, and looks at everything right after the change: by the time it is on disk, more may have happened.
    /// Returns whether it changed anything, and what was seen.
    ///
    /// When the future is dropped, the change may or may not be made.
    pub async fn change_and_look<R: Send + 'static>(
        &self,
        change: Change,
        who: Who,
        look: impl FnOnce(&View<'_>) -> R + Send + 'static,
    ) -> Result<(bool, R), ChangeError> {
        let (show, seen) = oneshot::channel();
        let look: Read = Box::new(move |view| {
            // Whoever asked may have gone away meanwhile.
            let _ = show.send(look(view));
        });
        let (reply, answer) = oneshot::channel();
        self.0.send(Input::Change { change, who, look, reply }).await.map_err(|_| Stopped)?;
        let changed = match tokio::time::timeout(KEPT_WITHIN, answer).await {
            Ok(answer) => answer.map_err(|_| Stopped)??,
            Err(_) => return Err(ChangeError::Slow),
        };
        Ok((changed, seen.await.map_err(|_| Stopped)?))
    }

    /// Compares everything with what VPP has now, writes what differs, and returns what was written.
    ///
    /// When the future is dropped, it is done all the same.
    pub async fn sync(&self) -> Result<Synced, NoVpp> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Input::Sync { reply }).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)?
    }

    /// Takes another configuration.
    ///
    /// When the future is dropped, the configuration may or may not be taken.
    pub async fn reload(&self, config: Arc<Config>) -> Result<(), Stopped> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Input::Reload { config, reply }).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}
