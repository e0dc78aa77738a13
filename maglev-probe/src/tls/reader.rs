//! Edge. Threads that read files of authorities.
//!
//! One is there from the start, since `spawn_blocking` of tokio panics where no further thread can be had (`pids.max`,
//! `RLIMIT_NPROC`). While a file system holds it up, others are started for other files, as far as the system allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::oneshot;

#[cfg(test)]
mod tests;

/// Reads that may wait for the standing thread where no other can be had. Each is of another file.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce() + Send>;

/// Reads files off the threads that probe.
#[derive(Debug)]
pub(super) struct Reader {
    /// The standing thread; absent where not even one could be had.
    standing: Option<SyncSender<Job>>,
    busy: Arc<AtomicBool>,
}

impl Reader {
    pub(super) fn start() -> Self {
        let (jobs, queue) = sync_channel::<Job>(QUEUE);
        let busy = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&busy);
        let serve = move || {
            while let Ok(job) = queue.recv() {
                job();
                done.store(false, Ordering::Release);
            }
        };
        let thread = std::thread::Builder::new().name("authorities".to_owned()).spawn(serve);
        Reader { standing: thread.is_ok().then_some(jobs), busy }
    }

    /// The result of `read`, or nothing where it could not be done.
    ///
    /// When the future is dropped, `read` runs to its end all the same.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever asked may have gone away meanwhile.
            let _ = reply.send(read());
        });
        self.send(job)?;
        answer.await.ok()
    }

    fn send(&self, job: Job) -> Option<()> {
        let standing = self.standing.as_ref();
        if let Some(standing) = standing
            && !self.busy.swap(true, Ordering::Acquire)
        {
            return standing.try_send(job).ok();
        }
        // A spawn that fails drops what it was given, so the job is put where it can be taken back from.
        let shared = Arc::new(std::sync::Mutex::new(Some(job)));
        let take = |shared: &std::sync::Mutex<Option<Job>>| {
            shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
        };
        let ours = Arc::clone(&shared);
        let run = move || {
            if let Some(job) = take(&ours) {
                job();
            }
        };
        match std::thread::Builder::new().name("authorities".to_owned()).spawn(run) {
            Ok(_) => Some(()),
            Err(_) => standing?.try_send(take(&shared)?).ok(),
        }
    }
}
