//! Edge. What the probes last said, on disk.

use maglev_core::engine::Verdicts;

use crate::state::directory::Directory;
use crate::state::disk::Disk;
use crate::state::{SetAside, StateError, envelope, read, write};

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
        // It is not synced before it gets its name, so after a power cut some file systems leave an empty one: nothing is
        // damaged then, it is not there yet.
        let parse = |bytes: &[u8]| match bytes {
            [] => Ok(Verdicts::default()),
            bytes => envelope::decode(KIND, VERSION, bytes),
        };
        let (verdicts, aside) = read(&disk, FILE, parse)?;
        Ok((HealthFile(disk), verdicts, aside))
    }

    /// Keeps verdicts. They outlive the process, and maybe not a crash of the machine.
    ///
    /// # Errors
    /// When they cannot be written. What was kept before is still there then.
    pub fn keep(&self, verdicts: &Verdicts) -> Result<(), StateError> {
        write(&self.0, FILE, envelope::encode(KIND, VERSION, verdicts), false)
    }
}
