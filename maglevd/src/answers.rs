//! Driver. Large answers: made one at a time on a thread of their own, and shared by all who ask the same.
//!
//! Each kind of answer has a [`Lane`]. Callers who wait in it share the next answer, which is made from what is so after
//! they asked; and each answer is followed by a pause in proportion to what it cost. So a flood of calls costs as much
//! processor as a few, and the memory of one answer.

mod budget;

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

pub(crate) use self::budget::holding;
pub use self::budget::{Answer, Unread};
use self::budget::{Budget, NoRoom};
use crate::control::Stopped;
use crate::threads;

/// Jobs that wait for the thread: one of each lane, and some whose callers went away.
const QUEUE: usize = 32;

/// How long a call waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer is followed by this many times its own duration without another in its lane: each kind of answer takes at
/// most a quarter of the thread's time.
const SHARE: u32 = 3;

/// Different questions whose answers are kept for those who wait in a lane.
const KEPT: usize = 16;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Error)]
pub enum NoAnswer {
    /// Too many calls wait for theirs.
    #[error(
        "too many calls like this one are waiting, and its turn did not come within {PATIENCE:?}: try again later"
    )]
    Busy,
    /// Answers that were not read hold all the memory that answers may take.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// Making it panicked.
    #[error("the answer could not be made because of a bug; the log has the details")]
    Bug,
    /// The daemon is ending.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

type Job = Box<dyn FnOnce() + Send>;

/// Makes large answers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Answers {
    jobs: mpsc::Sender<Job>,
    budget: Arc<Budget>,
}

impl Answers {
    /// Starts the thread. It ends with the last clone.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start() -> io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        threads::spawn_answers(move || {
            while let Some(job) = queue.blocking_recv() {
                // Its caller learns it from the reply that never comes, and the log has the panic.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        })?;
        Ok(Answers { jobs, budget: Arc::default() })
    }

    /// Runs `job` on the thread and returns its result.
    ///
    /// When the future is dropped before the job has begun, it is not run.
    pub async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, NoAnswer> {
        let (reply, result) = oneshot::channel();
        let job: Job = Box::new(move || {
            if !reply.is_closed() {
                let _ = reply.send(job());
            }
        });
        self.jobs.send(job).await.map_err(|_| Stopped)?;
        result.await.map_err(|_| NoAnswer::Bug)
    }

    /// Waits until there is memory for another answer.
    pub async fn room(&self) -> Result<(), NoAnswer> {
        Ok(self.budget.room().await?)
    }

    /// Makes the bytes of an answer on the thread.
    pub async fn make<E: From<NoAnswer> + Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<Vec<u8>, E> + Send + 'static,
    ) -> Result<Answer, E> {
        Ok(self.budget.keep(self.run(job).await??))
    }
}

/// The calls of one kind.
#[derive(Debug)]
pub struct Lane<T = Answer> {
    waiting: AtomicUsize,
    turn: Mutex<Turn<T>>,
}

#[derive(Debug)]
struct Turn<T> {
    not_before: Option<Instant>,
    /// By question, the last answer and when making it began. Only for those who waited meanwhile.
    made: BTreeMap<Vec<u8>, (Instant, T)>,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        let turn = Mutex::new(Turn { not_before: None, made: BTreeMap::new() });
        Lane { waiting: AtomicUsize::new(0), turn }
    }
}

/// A call that waits in a lane.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<T: Clone> Lane<T> {
    /// The answer to a question (`key`), which is made with `make` unless that began for another caller after this one
    /// asked. An error is the caller's own: the next in the lane tries again.
    ///
    /// Dropping the future is safe.
    ///
    /// # Errors
    /// When its turn does not come in time, and those of `make`.
    pub async fn get<E: From<NoAnswer>>(
        &self,
        key: &[u8],
        make: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let waiting = Waiting(&self.waiting);
        let asked = Instant::now();
        let mut turn = timeout(PATIENCE, self.turn.lock()).await.map_err(|_| NoAnswer::Busy)?;
        let made = turn.made.get(key).filter(|(began, _)| *began >= asked).map(|(_, made)| made.clone());
        let answer = match made {
            Some(made) => made,
            None => {
                // Everyone behind this caller asked later: they need a newer one too.
                turn.made.retain(|_, (began, _)| *began >= asked);
                if let Some(not_before) = turn.not_before {
                    sleep_until(not_before).await;
                }
                let began = Instant::now();
                let made = make.await;
                turn.not_before = Some(Instant::now() + began.elapsed() * SHARE);
                let made = made?;
                if turn.made.len() >= KEPT {
                    turn.made.pop_first();
                }
                turn.made.insert(key.to_vec(), (began, made.clone()));
                made
            }
        };
        drop(waiting);
        if self.waiting.load(Ordering::Acquire) == 0 {
            // Those who come from now on want a newer one.
            turn.made.clear();
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests;
