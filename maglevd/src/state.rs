//! Edge. What outlives the process: operators' intent, and what the probes last said.
//!
//! Two files in the state directory, each replaced as a whole, so that at any moment there is one whole file:
//!
//! - `intent.json` ([`IntentFile`]): what operators want. Written and synced before anybody is told that it is done.
//! - `health.json` ([`HealthFile`]): the verdicts of the probes with their age. Written often and never synced: after a
//!   crash of the machine they are too old to be of use in any case.
//!
//! Both begin with a line that says what they are, in which version, and with which checksum ([`envelope`]). What cannot
//! be read is set aside under a name of its own and told loudly; it never stops the daemon.

mod directory;
mod disk;
pub mod envelope;
mod health;
mod intent;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::lock::Holder;
use crate::worker::WorkerError;

pub use self::directory::Directory;
#[cfg(test)]
pub(crate) use self::directory::LOCK;
use self::disk::Disk;
pub use self::disk::replace;
pub use self::envelope::Damage;
pub use self::health::HealthFile;
pub use self::intent::IntentFile;

/// How many damaged files of a kind are kept: enough for a person to see whether it happens again and again, and few
/// enough never to fill a disk.
const KEPT: usize = 5;

/// Why state cannot be kept or read.
#[derive(Debug, Error)]
pub enum StateError {
    /// The directory is not there and cannot be made.
    #[error("cannot make the state directory {path}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is there and cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another took the directory in the place of the one that was locked.
    #[error(
        "another maglevd ({holder}) uses the state directory {path}, which was removed or replaced: stop one of the two"
    )]
    Taken {
        /// The directory.
        path: PathBuf,
        /// The other.
        holder: Holder,
    },
    /// The thread that writes gave no result.
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

/// A file that could not be read, and is kept for a person to look at.
#[derive(Debug)]
pub struct SetAside {
    /// The file.
    pub file: PathBuf,
    /// Where it is now.
    pub kept_as: PathBuf,
    /// What is wrong with it.
    pub damage: Damage,
}

/// What a file says, or nothing where there is none. What is damaged is set aside, and says nothing either.
fn read<D: Disk, T: Default>(
    disk: &D,
    file: &str,
    parse: impl FnOnce(&[u8]) -> Result<T, Damage>,
) -> Result<(T, Option<SetAside>), StateError> {
    tidy(disk, file);
    let bytes = disk.read(file).map_err(|source| StateError::Read { path: disk.path(file), source })?;
    match bytes.map(|bytes| parse(&bytes)) {
        None => Ok((T::default(), None)),
        Some(Ok(said)) => Ok((said, None)),
        Some(Err(damage)) => Ok((T::default(), Some(set_aside(disk, file, damage)?))),
    }
}

/// Writes what a file is to say, see [`replace`].
fn write<D: Disk>(
    disk: &D,
    file: &str,
    encoded: serde_json::Result<Vec<u8>>,
    durable: bool,
) -> Result<(), StateError> {
    disk.verify()?;
    encoded
        .map_err(io::Error::from)
        .and_then(|bytes| replace(disk, file, &bytes, durable))
        .map_err(|source| StateError::Write { path: disk.path(file), source })
}

/// Moves a damaged file out of the way, under a number that no earlier one has. Of those that were moved before, the
/// oldest go where there are too many.
fn set_aside<D: Disk>(disk: &D, file: &str, damage: Damage) -> Result<SetAside, StateError> {
    let prefix = format!("{file}.damaged-");
    let number = |name: &str| name.strip_prefix(&prefix)?.parse::<u64>().ok();
    let failed = |name: &str, source| StateError::Write { path: disk.path(name), source };
    let names = disk.names().map_err(|source| failed(file, source))?;
    let mut earlier: Vec<u64> = names.iter().filter_map(|name| number(name)).collect();
    earlier.sort_unstable();
    let kept_as = format!("{prefix}{}", earlier.last().map_or(1, |last| last.saturating_add(1)));
    disk.rename(file, &kept_as)
        .and_then(|()| disk.sync_directory())
        .map_err(|source| failed(&kept_as, source))?;
    for old in earlier.iter().rev().skip(KEPT - 1) {
        let old = format!("{prefix}{old}");
        disk.remove(&old).map_err(|source| failed(&old, source))?;
    }
    Ok(SetAside { file: disk.path(file), kept_as: disk.path(&kept_as), damage })
}

/// Removes what a crash in the middle of a write has left beside a file. That it cannot be removed is no harm: the next
/// write begins with it.
fn tidy<D: Disk>(disk: &D, file: &str) {
    let _ = disk.remove(&disk::beside(file));
}

#[cfg(test)]
mod tests;
