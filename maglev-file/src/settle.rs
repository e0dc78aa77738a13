//! Edge. Reading a file that may be in the middle of being written.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::{open, read_from};

/// A file is complete when nothing has changed it for this long. `cp`, `scp`, `rsync --inplace` and editors write a file
/// of a few megabytes with pauses of a few milliseconds; the time stamps of a file have a resolution of up to 10 ms.
const QUIET: Duration = Duration::from_millis(100);

/// A file that still changes after so long is refused: whoever asked for the reload waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads a regular file of at most `limit` bytes that nobody is writing: it was the same file with the same size and
/// times before and after the read, and was last changed 100 ms ago or earlier. Otherwise it waits and reads again, for
/// up to 5 s. A file that was changed longer ago than that is read once, without waiting.
///
/// A writer that pauses for longer than 100 ms in the middle of a file is not detected. A file that is replaced by
/// `rename(2)` is always read whole.
///
/// # Errors
/// As [`read`](crate::read), and [`io::ErrorKind::ResourceBusy`] with a sentence when the file was being written all the
/// time.
pub fn read_settled(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut waited = Duration::ZERO;
    loop {
        let file = open(path)?;
        let before = Stamp::of(&file.metadata()?);
        let bytes = read_from(&file, limit);
        // By its name: another file may have taken its place.
        let after = std::fs::metadata(path).map(|metadata| Stamp::of(&metadata));
        if after.is_ok_and(|after| after == before) {
            let settles_in = before.settles_in(SystemTime::now());
            if settles_in.is_zero() {
                return bytes;
            }
        }
        if waited >= PATIENCE {
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                format!("it was being written for {PATIENCE:?}; write a new file and rename it into place"),
            ));
        }
        let pause = before.settles_in(SystemTime::now()).max(Duration::from_millis(10));
        #[expect(
            clippy::disallowed_methods,
            reason = "there is no event to wait for: quiet is the absence of one"
        )]
        thread::sleep(pause);
        waited += pause;
    }
}

/// What tells a file from the one that was there before it, and from itself before a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// How much longer the file has to stay as it is to count as complete. A time in the future, from a clock that was
    /// set or from a file server whose clock is ahead, says nothing: the file is then taken as it is.
    fn settles_in(&self, now: SystemTime) -> Duration {
        let (seconds, nanos) = self.modified.max(self.changed);
        let (Ok(seconds), Ok(nanos)) = (u64::try_from(seconds), u32::try_from(nanos)) else {
            return Duration::ZERO;
        };
        let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
        now.duration_since(changed).map_or(Duration::ZERO, |age| QUIET.saturating_sub(age))
    }
}
