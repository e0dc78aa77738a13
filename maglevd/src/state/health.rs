//! Edge. What the probes last said, on disk.

use maglev_core::engine::Verdicts;

use crate::state::disk::{Directory, Disk, replace};
use crate::state::{SetAside, StateError, envelope, set_aside, tidy};

/// The file in the state directory.
pub(super) const FILE: &str = "health.json";

/// What its first line calls it.
const KIND: &str = "health";

/// The version of the format.
const VERSION: u32 = 1;

/// Where the verdicts of the probes are kept.
#[derive(Clone, Debug)]
pub struct HealthFile<D = Directory>(D);

impl<D: Disk> HealthFile<D> {
    /// Reads what is kept in a directory. What is damaged is set aside, and nothing is known then.
    ///
    /// # Errors
    /// When the file is there and cannot be read or moved.
    pub fn open(disk: D) -> Result<(Self, Verdicts, Option<SetAside>), StateError> {
        tidy(&disk, FILE);
        let read = disk.read(FILE).map_err(|source| StateError::Read { path: disk.path(FILE), source })?;
        // It is not synced before it gets its name, so after a power cut some file systems leave an empty one: nothing is
        // damaged then, it is not there yet.
        let read = read.filter(|bytes| !bytes.is_empty());
        let (verdicts, aside) = match read.map(|bytes| envelope::decode(KIND, VERSION, &bytes)) {
            None => (Verdicts::default(), None),
            Some(Ok(verdicts)) => (verdicts, None),
            Some(Err(damage)) => (Verdicts::default(), Some(set_aside(&disk, FILE, damage)?)),
        };
        Ok((HealthFile(disk), verdicts, aside))
    }

    /// Keeps verdicts. They outlive the process, and maybe not a crash of the machine.
    ///
    /// # Errors
    /// When they cannot be written. What was kept before is still there then.
    pub fn keep(&self, verdicts: &Verdicts) -> Result<(), StateError> {
        let written = envelope::encode(KIND, VERSION, verdicts).map_err(std::io::Error::from);
        written
            .and_then(|bytes| replace(&self.0, FILE, &bytes, false))
            .map_err(|source| StateError::Write { path: self.0.path(FILE), source })
    }
}
