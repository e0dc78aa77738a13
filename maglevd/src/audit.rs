//! Edge. The audit log: a line for every change that was asked for, on disk before the answer is given.
//!
//! A change is not refused because it cannot be written down: whoever drains a server on a host with a full disk needs
//! that more than the line. The failure is in the log and in a metric instead.

mod record;
mod tail;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use nix::libc;

pub use self::record::{Note, Record};
pub use self::tail::{Tail, Wanted};
use crate::failing::Failing;
use crate::throttle::Throttle;
use crate::worker::Worker;

/// For one line. A disk that takes longer has failed, and whoever waits for a drain has waited enough.
const WRITE: Duration = Duration::from_secs(5);

/// For a look at the tail.
const READ: Duration = Duration::from_secs(10);

/// Lines that may wait for the disk. Further ones fail at once, and are counted.
const QUEUE: usize = 256;

/// Looks at the tail that may wait for their turn.
const READERS: usize = 16;

/// The audit log, or none. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Audit(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: Arc<Mutex<Open>>,
    writer: Worker,
    reader: Worker,
    counts: Counts,
    /// The failure that lasts since the last line that was written.
    failing: Mutex<Option<Failing>>,
    /// For what is refused to those who may change nothing, so that they cannot fill the disk.
    refusals: Throttle,
    complaints: Throttle,
}

#[derive(Debug, Default)]
struct Open {
    /// Absent when it could not be opened. It is tried again with each line.
    file: Option<File>,
    /// The last line has no end.
    torn: bool,
}

#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    failed: AtomicU64,
    left_out: AtomicU64,
    damaged: AtomicU64,
}

/// What the audit log has seen since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditStatus {
    /// The file.
    pub path: PathBuf,
    /// Lines written.
    pub written: u64,
    /// Lines that could not be written.
    pub failed: u64,
    /// Refusals that were left out, since there were too many.
    pub left_out: u64,
    /// Lines that could not be read when somebody looked.
    pub damaged: u64,
    /// Why the file cannot be written, and since when; absent while it can.
    pub failing: Option<Failing>,
}

impl Audit {
    /// Opens the log, or makes it. What cannot be opened is complained about, and tried again with each line.
    ///
    /// # Errors
    /// When the system has no thread left for it.
    pub async fn open(path: PathBuf) -> io::Result<Self> {
        let audit = Audit(Some(Arc::new(Inner {
            path,
            file: Arc::default(),
            writer: Worker::start("audit", QUEUE)?,
            reader: Worker::start("audit-reader", READERS)?,
            counts: Counts::default(),
            failing: Mutex::default(),
            refusals: Throttle::new(100, Duration::from_secs(1)),
            complaints: Throttle::new(5, Duration::from_secs(60)),
        })));
        audit.reopen().await;
        Ok(audit)
    }

    /// Opens the file of that name again, which another program has put in the place of the old one.
    pub async fn reopen(&self) {
        let Some(inner) = &self.0 else { return };
        let path = inner.path.clone();
        let result = inner.with_file(move |open| {
            // A file that cannot be opened leaves none: the old one has another name by now.
            *open = Open::default();
            open.open(&path)
        });
        inner.complain(result.await);
    }

    /// Writes a line. Failures are logged and counted.
    ///
    /// When the future is dropped, the line may or may not be written.
    pub async fn write(&self, record: Record) {
        let Some(inner) = &self.0 else { return };
        let mut record = record;
        if record.is_limited() {
            match inner.refusals.pass(Instant::now()) {
                Some(left_out) => record.left_out = left_out,
                None => {
                    inner.counts.left_out.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
        }
        let (path, line) = (inner.path.clone(), record.line());
        let result = inner.with_file(move |open| open.write(&path, &line)).await;
        let count = if result.is_ok() { &inner.counts.written } else { &inner.counts.failed };
        count.fetch_add(1, Ordering::Relaxed);
        inner.complain(result);
    }

    /// The last records that are wanted, oldest first; none where there is no log.
    pub async fn tail(&self, wanted: Wanted) -> io::Result<Option<Tail>> {
        let Some(inner) = &self.0 else { return Ok(None) };
        let path = inner.path.clone();
        let read = inner.reader.read(READ, move || match File::open(&path) {
            Ok(file) => tail::tail(file, &wanted),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Tail::default()),
            Err(error) => Err(error),
        });
        let tail = read.await??;
        if tail.damaged > 0 {
            inner.counts.damaged.fetch_add(tail.damaged, Ordering::Relaxed);
            tracing::warn!(
                file = %inner.path.display(), lines = tail.damaged,
                "lines of the audit log are damaged and are left out"
            );
        }
        Ok(Some(tail))
    }

    /// What it has seen; none where there is no log.
    pub fn status(&self) -> Option<AuditStatus> {
        let inner = self.0.as_ref()?;
        let counts = &inner.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Some(AuditStatus {
            path: inner.path.clone(),
            failing: inner.failing.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            written: read(&counts.written),
            failed: read(&counts.failed),
            left_out: read(&counts.left_out),
            damaged: read(&counts.damaged),
        })
    }
}

impl Inner {
    /// Does something with the file on its thread, with a deadline. What is late is done all the same.
    async fn with_file(
        &self,
        act: impl FnOnce(&mut Open) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let file = Arc::clone(&self.file);
        let act = move || act(&mut file.lock().unwrap_or_else(PoisonError::into_inner));
        self.writer.run(WRITE, act).await?
    }

    fn complain(&self, result: io::Result<()>) {
        {
            let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
            *failing = match &result {
                Ok(()) => None,
                Err(error) => Some(Failing::again(failing.take(), &error.to_string(), SystemTime::now())),
            };
        }
        if let Err(error) = result
            && let Some(left_out) = self.complaints.pass(Instant::now())
        {
            tracing::error!(
                file = %self.path.display(), %error, left_out,
                "the audit log cannot be written; changes are made all the same, and are missing from it"
            );
        }
    }
}

impl Open {
    fn open(&mut self, path: &Path) -> io::Result<()> {
        // Removed, as with its directory. One that was renamed is written to until a reload, as log rotation has it.
        if self.file.as_ref().is_some_and(is_removed) {
            *self = Open::default();
        }
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            options.read(true).append(true).create(true).mode(0o600);
            // A FIFO by mistake is an error and not a thread that hangs.
            let mut file = options.custom_flags(libc::O_NONBLOCK).open(path)?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
            }
            // What a crash or a full disk cut off stays a line of its own.
            self.torn = file.seek(SeekFrom::End(-1)).is_ok() && {
                let mut last = [0];
                file.read_exact(&mut last)?;
                last != *b"\n"
            };
            self.file = Some(file);
        }
        Ok(())
    }

    /// One write for one line, so that a line is there whole or is the last.
    fn write(&mut self, path: &Path, line: &[u8]) -> io::Result<()> {
        self.open(path)?;
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut whole = Vec::with_capacity(line.len() + 1);
        if self.torn {
            whole.push(b'\n');
        }
        whole.extend_from_slice(line);
        let written = file.write(&whole)?;
        self.torn = written < whole.len();
        if self.torn { Err(io::Error::new(io::ErrorKind::WriteZero, "the disk is full")) } else { Ok(()) }
    }
}

/// Whether the file has no name any more.
fn is_removed(file: &File) -> bool {
    file.metadata().is_ok_and(|file| file.nlink() == 0)
}

#[cfg(test)]
mod tests;
