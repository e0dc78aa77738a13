//! Edge. What operators want, on disk.

use maglev_core::engine::Intents;
use serde::Deserialize;

use crate::state::directory::Directory;
use crate::state::disk::Disk;
use crate::state::envelope::{self, Damage};
use crate::state::{SetAside, StateError, read, write};

/// The file in the state directory.
pub(super) const FILE: &str = "intent.json";

/// What its first line calls it.
const KIND: &str = "intent";

/// The version of the format. A file of another version is set aside, not guessed at; but for the first, which had
/// neither the line nor the checksum and is read, and written anew.
const VERSION: u32 = 2;

/// The whole of a file of the first version.
#[derive(Deserialize)]
struct First {
    version: u32,
    intents: Option<Intents>,
}

/// Where operators' intent is kept.
#[derive(Clone, Debug)]
pub struct IntentFile<D = Directory>(D);

impl<D: Disk> IntentFile<D> {
    /// Reads what is kept in a directory. What is damaged is set aside, and nothing is wanted then.
    ///
    /// # Errors
    /// When the file is there and cannot be read or moved: then it must not be written over either.
    pub fn open(disk: D) -> Result<(Self, Intents, Option<SetAside>), StateError> {
        let (intents, aside) = read(&disk, FILE, parse)?;
        Ok((IntentFile(disk), intents, aside))
    }

    /// Keeps intent. When this returns it is on disk and survives a crash of the machine.
    ///
    /// # Errors
    /// When it cannot be written. What was kept before is still there then, or already what was to be kept.
    pub fn keep(&self, intents: &Intents) -> Result<(), StateError> {
        write(&self.0, FILE, envelope::encode(KIND, VERSION, intents), true)
    }
}

impl IntentFile {
    /// Makes sure that the directory is still the one at its path. See [`generation`](Self::generation).
    ///
    /// # Errors
    /// When it is not, and cannot be made or locked again.
    pub fn verify(&self) -> Result<(), StateError> {
        self.0.verify()
    }

    /// How often another directory took the place of the first. What was kept before is not in the new one.
    pub fn generation(&self) -> u64 {
        self.0.generation()
    }
}

/// What a file says.
pub(super) fn parse(bytes: &[u8]) -> Result<Intents, Damage> {
    match envelope::decode(KIND, VERSION, bytes) {
        Err(Damage::Foreign) => match serde_json::from_slice(bytes) {
            Ok(First { version: 1, intents: Some(intents) }) => Ok(intents),
            Ok(First { version: found, .. }) if found > 1 => {
                Err(Damage::OtherVersion { found, known: VERSION })
            }
            Ok(_) => Err(Damage::Foreign),
            // Cut off in the middle, or with names no backend has.
            Err(error) if bytes.starts_with(b"{") => Err(Damage::Content(error)),
            Err(_) => Err(Damage::Foreign),
        },
        read => read,
    }
}
