//! Edge. One thread that lives in another network namespace and opens sockets there.
//!
//! A network namespace belongs to a thread, and a socket keeps for life the one it was opened in. So one thread enters
//! the namespace and opens sockets on request, and everything else happens on the caller's runtime, whose threads stay
//! where they are.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, setns};
use tokio::sync::{mpsc, oneshot};

use crate::sockets::{OpenError, Opened, Request, open};

#[cfg(test)]
mod tests;

/// Where `ip netns` keeps names.
const NAMES: &str = "/run/netns";

/// Requests that may wait for the thread. Each takes it some microseconds; who finds the queue full waits.
const QUEUE: usize = 64;

/// A network namespace other than our own.
///
/// The thread starts with the first request and ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Namespace {
    path: PathBuf,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
}

#[derive(Debug)]
struct Job {
    request: Request,
    reply: oneshot::Sender<Result<Opened, OpenError>>,
}

impl Namespace {
    /// The namespace `name`: a name under `/run/netns`, or a path if there is a slash in it.
    pub(crate) fn new(name: &str) -> Self {
        let path = if name.contains('/') { PathBuf::from(name) } else { Path::new(NAMES).join(name) };
        Namespace { path, jobs: Mutex::new(None) }
    }

    /// Opens a socket in the namespace.
    pub(crate) async fn open(&self, request: Request) -> Result<Opened, OpenError> {
        let (reply, answer) = oneshot::channel();
        let gone = || OpenError::Thread {
            path: self.path.clone(),
            source: io::Error::other("it ended, which it never should"),
        };
        self.jobs()?.send(Job { request, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// The queue of the thread, which is started if there is none.
    fn jobs(&self) -> Result<mpsc::Sender<Job>, OpenError> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jobs) = jobs.as_ref().filter(|jobs| !jobs.is_closed()) {
            return Ok(jobs.clone());
        }
        let (sender, receiver) = mpsc::channel(QUEUE);
        let path = self.path.clone();
        std::thread::Builder::new()
            .name("maglev-netns".to_owned())
            .spawn(move || serve(&path, receiver))
            .map_err(|source| OpenError::Thread { path: self.path.clone(), source })?;
        *jobs = Some(sender.clone());
        Ok(sender)
    }
}

/// The thread: enters the namespace and opens a socket for each job, until nobody is left to ask.
fn serve(path: &Path, mut jobs: mpsc::Receiver<Job>) {
    let mut inside = None;
    while let Some(Job { request, reply }) = jobs.blocking_recv() {
        if reply.is_closed() {
            continue;
        }
        // The asker may be gone by now; then the socket is closed here.
        let _ = reply.send(enter(path, &mut inside).and_then(|()| open(request)));
    }
}

/// What tells one namespace from the next of the same name. The number is not used again while our thread is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl From<Metadata> for Identity {
    fn from(metadata: Metadata) -> Self {
        Identity { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Moves the calling thread into the namespace at `path`, unless it is there already. `inside` is the one it is in.
///
/// `ip netns del` and `ip netns add` make another namespace of the same name, so this looks each time; it is one
/// `stat` of a file in memory.
fn enter(path: &Path, inside: &mut Option<Identity>) -> Result<(), OpenError> {
    let missing = |source| OpenError::Namespace { path: path.to_owned(), source };
    let there = Identity::from(std::fs::metadata(path).map_err(missing)?);
    if *inside == Some(there) {
        return Ok(());
    }
    // Non-blocking, so that a path to a FIFO by mistake is an error and not a thread that hangs.
    let file: File =
        OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path).map_err(missing)?;
    let opened = Identity::from(file.metadata().map_err(missing)?);
    setns(&file, CloneFlags::CLONE_NEWNET).map_err(|errno| match errno {
        Errno::EINVAL => OpenError::NoNamespace { path: path.to_owned() },
        _ => OpenError::Enter { path: path.to_owned(), source: errno.into() },
    })?;
    *inside = Some(opened);
    Ok(())
}
