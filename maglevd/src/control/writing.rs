//! Driver. A state file with the thread that writes it, and a write under way.

use std::io;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::failing::Failing;
use crate::state::StateError;
use crate::worker::{Pending, Worker};

/// How long a write may take before it is reported: a disk under load syncs within a second.
pub(super) const SLOW: Duration = Duration::from_secs(5);

/// What is wrong with a disk that takes longer.
const HANGS: &str = "a write does not end: the disk hangs or is overloaded";

/// A state file with the thread that writes it, so that a disk that hangs holds up nothing else.
#[derive(Clone, Debug)]
pub struct Writer<F> {
    file: F,
    thread: Worker,
}

impl<F: Clone + Send + 'static> Writer<F> {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(thread: &'static str, file: F) -> io::Result<Self> {
        // One write is under way at most.
        Ok(Writer { file, thread: Worker::start(thread, 1)? })
    }

    pub(super) const fn file(&self) -> &F {
        &self.file
    }

    pub(super) fn begin<T: Send + 'static>(
        &self,
        write: impl FnOnce(&F) -> Result<T, StateError> + Send + 'static,
    ) -> Result<Writing<T>, StateError> {
        let file = self.file.clone();
        let pending = self.thread.submit(move || write(&file))?;
        Ok(Writing { pending, thread: self.thread.clone(), since: Instant::now(), reported: false })
    }
}

/// A write under way.
#[derive(Debug)]
pub(super) struct Writing<T> {
    pending: Pending<Result<T, StateError>>,
    thread: Worker,
    since: Instant,
    reported: bool,
}

impl<T> Writing<T> {
    /// What to show where the disk takes longer than one that works.
    pub(super) fn hangs(&self) -> Option<Failing> {
        let taken = self.since.elapsed();
        let since = SystemTime::now().checked_sub(taken).unwrap_or(SystemTime::UNIX_EPOCH);
        (taken >= SLOW).then(|| Failing::again(None, HANGS, since))
    }

    /// Waits for the end. Returns nothing, once, when it does not come, and logs that. Dropping the future loses nothing.
    pub(super) async fn end(&mut self, what: &str) -> Option<Result<T, StateError>> {
        let slow = async {
            match self.reported {
                false => tokio::time::sleep_until(self.since + SLOW).await,
                true => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            result = &mut self.pending => Some(result.unwrap_or_else(|_| Err(self.thread.panicked().into()))),
            () = slow => {
                self.reported = true;
                tracing::error!(
                    what,
                    "a write to the state directory has taken {SLOW:?} and goes on: the disk hangs or is overloaded; \
                     changes are active, and may be lost on restart"
                );
                None
            }
        }
    }
}
