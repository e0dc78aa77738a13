//! Driver. Snapshots of everything the engine task owns, which readers look at on their own threads.
//!
//! A reader asks for a snapshot and gets one that was taken after it asked, so it sees every change that was answered
//! before. All readers that wait share the next snapshot, and the time between two snapshots is a multiple of what one
//! takes. So a flood of readers costs the engine task a bounded share of its time, however many there are.

use std::sync::Arc;
use std::time::Duration;

use maglev_core::engine::{Engine, Event};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::Instant;

use super::{Kept, Stopped};
use crate::clock::Reading;
use crate::failing::Failing;
use crate::tally::Tally;

/// Readers whose request has not been seen yet. Those beyond wait for a place in the queue.
const QUEUE: usize = 1024;

/// The shortest time between two snapshots. Nobody notices so long a wait, and it bounds how often statuses are copied
/// because a snapshot shares them.
const PAUSE: Duration = Duration::from_millis(5);

/// A snapshot is followed by this many times its own duration without one: they take at most a twentieth of the engine
/// task's time.
const SHARE: u32 = 19;

/// Everything the engine task owns, at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The engine. It shares its parts with the running one.
    pub engine: Engine,
    /// The counters.
    pub tally: Tally,
    /// Both clocks.
    pub reading: Reading,
    /// Probes and streams in progress.
    pub load: Load,
    /// The condition of the state directory.
    pub state: StateView,
    /// The number of the next event: every event with a lower number is already part of this snapshot.
    pub(super) next_event: u64,
}

/// What is in progress at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// Probes that have been sent and not answered.
    pub probes: usize,
    /// Streams of events that are open.
    pub watchers: usize,
}

/// The condition of the state directory.
#[derive(Clone, Debug, Default)]
pub struct StateView {
    /// Of operator intent.
    pub intent: Kept,
    /// How often the verdicts of the probes could not be written.
    pub health_failures: u64,
    /// Why the verdicts of the probes cannot be written, and since when.
    pub health_failing: Option<Failing>,
}

/// An event with its number. Numbers are consecutive.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    pub(super) number: u64,
    pub(super) event: Arc<Event>,
}

/// The events after a snapshot.
#[derive(Debug)]
pub struct Events {
    pub(super) events: broadcast::Receiver<Numbered>,
    /// Events with a lower number are part of the snapshot.
    pub(super) from: u64,
}

impl Events {
    /// The next event, in the order in which they happened. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`Lagged`](broadcast::error::RecvError::Lagged) with the number of events that were lost because this reader was
    /// too slow, and [`Closed`](broadcast::error::RecvError::Closed) once the engine task has ended.
    pub async fn recv(&mut self) -> Result<Arc<Event>, broadcast::error::RecvError> {
        loop {
            let Numbered { number, event } = self.events.recv().await?;
            if number >= self.from {
                return Ok(event);
            }
        }
    }
}

/// Where the engine task finds those who want a snapshot.
#[derive(Debug)]
pub(super) struct Readers {
    waiting: mpsc::Receiver<oneshot::Sender<Arc<Snapshot>>>,
    /// No snapshot is taken before.
    not_before: Instant,
}

/// How readers reach the engine task.
pub(super) type Requests = mpsc::Sender<oneshot::Sender<Arc<Snapshot>>>;

impl Readers {
    pub(super) fn new() -> (Requests, Readers) {
        let (requests, waiting) = mpsc::channel(QUEUE);
        (requests, Readers { waiting, not_before: Instant::now() })
    }

    /// Waits until a snapshot is wanted and may be taken. Returns the first who waits for it; `None` once nobody can ask
    /// any more. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<oneshot::Sender<Arc<Snapshot>>> {
        tokio::time::sleep_until(self.not_before).await;
        self.waiting.recv().await
    }

    /// Gives everyone who waits a snapshot that was just taken, which `began` at that time.
    pub(super) fn answer(
        &mut self,
        first: oneshot::Sender<Arc<Snapshot>>,
        snapshot: &Arc<Snapshot>,
        began: Instant,
    ) {
        // A reader that went away meanwhile needs none.
        let _ = first.send(Arc::clone(snapshot));
        // The engine task has handled nothing since, so that it is still the present state for those who ask just now.
        for _ in 0..QUEUE {
            let Ok(reader) = self.waiting.try_recv() else { break };
            let _ = reader.send(Arc::clone(snapshot));
        }
        self.not_before = Instant::now() + (began.elapsed() * SHARE).max(PAUSE);
    }
}

/// Asks for a snapshot.
pub(super) async fn request(requests: &Requests) -> Result<Arc<Snapshot>, Stopped> {
    let (reply, answer) = oneshot::channel();
    requests.send(reply).await.map_err(|_| Stopped)?;
    answer.await.map_err(|_| Stopped)
}

#[cfg(test)]
mod tests;
