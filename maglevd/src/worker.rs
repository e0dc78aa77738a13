//! Edge. A thread for work that may block, started with the daemon.
//!
//! `spawn_blocking` of tokio starts its threads when they are needed, panics where no more can be had (`pids.max`,
//! `RLIMIT_NPROC`), and shares them: 500 reads of a file that hangs leave none for the state directory. So each kind of
//! work that may block has one thread of its own, from the start, with a bounded queue. A thread that hangs holds up its
//! own kind and nothing else.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::oneshot;

/// A piece of work.
type Job = Box<dyn FnOnce() + Send>;

/// Why a piece of work gave no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WorkerError {
    /// The queue is full.
    #[error("too many requests wait for the thread {0}; try again later")]
    Busy(&'static str),
    /// No result within the time given.
    #[error("the file system did not answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
    /// The work panicked.
    #[error("bug: the work of the thread {0} panicked, see the log")]
    Panicked(&'static str),
}

impl From<WorkerError> for io::Error {
    fn from(error: WorkerError) -> Self {
        let kind = match error {
            WorkerError::Busy(_) => io::ErrorKind::ResourceBusy,
            WorkerError::Timeout(_) => io::ErrorKind::TimedOut,
            WorkerError::Panicked(_) => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// A thread that does one piece of work after the other. Cheap to clone; the thread ends with the last clone.
#[derive(Clone, Debug)]
pub struct Worker {
    name: &'static str,
    jobs: SyncSender<Job>,
}

/// A result that is on its way.
pub type Pending<T> = oneshot::Receiver<T>;

impl Worker {
    /// Starts the thread, with room for `queue` pieces of work that wait for it. The kernel shows 15 bytes of `name`.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(name: &'static str, queue: usize) -> io::Result<Self> {
        let (jobs, receiver) = sync_channel(queue);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || serve(&receiver))?;
        Ok(Worker { name, jobs })
    }

    /// Queues work that is done whether or not the result is still wanted by then. Never blocks.
    ///
    /// # Errors
    /// [`WorkerError::Busy`].
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Pending<T>, WorkerError> {
        let (reply, pending) = oneshot::channel();
        self.send(Box::new(move || {
            let _ = reply.send(work());
        }))?;
        Ok(pending)
    }

    /// Does work, and waits for its result for so long. Dropping the future does not stop the work.
    ///
    /// # Errors
    /// [`WorkerError`].
    pub async fn run<T: Send + 'static>(
        &self,
        timeout: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkerError> {
        self.wait(timeout, self.submit(work)?).await
    }

    /// The same for work of which only the result counts: what is still in the queue when the future is dropped, or the
    /// time is over, is left out.
    ///
    /// # Errors
    /// [`WorkerError`].
    pub async fn read<T: Send + 'static>(
        &self,
        timeout: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkerError> {
        let (reply, pending) = oneshot::channel();
        self.send(Box::new(move || {
            if !reply.is_closed() {
                let _ = reply.send(work());
            }
        }))?;
        self.wait(timeout, pending).await
    }

    /// The error of a result that never came.
    pub(crate) const fn panicked(&self) -> WorkerError {
        WorkerError::Panicked(self.name)
    }

    async fn wait<T>(&self, timeout: Duration, pending: Pending<T>) -> Result<T, WorkerError> {
        match tokio::time::timeout(timeout, pending).await {
            Ok(result) => result.map_err(|_| self.panicked()),
            Err(_) => Err(WorkerError::Timeout(timeout)),
        }
    }

    fn send(&self, job: Job) -> Result<(), WorkerError> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => WorkerError::Busy(self.name),
            TrySendError::Disconnected(_) => self.panicked(),
        })
    }
}

fn serve(jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        // The panic hook has logged it. Whoever waits sees that its sender is gone, and the thread serves the next.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests;
