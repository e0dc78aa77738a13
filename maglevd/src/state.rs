//! Edge. Operators' intent on disk, so that it outlives the process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use maglev_core::engine::Intents;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The file in the state directory.
const FILE: &str = "intent.json";

/// The version of the format. A file of another version is set aside, not guessed at.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    intents: Intents,
}

/// Where operators' intent is kept.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// What is on disk, so that nothing is written twice.
    kept: Intents,
}

/// Why intent cannot be kept or read.
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
}

impl StateDir {
    /// Opens a state directory, makes it if need be, and reads what is kept there. A damaged file is set aside with a
    /// loud word, and nothing is wanted then.
    ///
    /// A directory that can only be read, as on a full disk, is opened all the same: what is kept there still counts.
    /// [`check`](Self::check) tells whether it can be written.
    pub fn open(path: &Path) -> Result<(Self, Intents), StateError> {
        fs::create_dir_all(path).map_err(|source| StateError::Directory { path: path.to_owned(), source })?;
        let mut state = StateDir { path: path.to_owned(), kept: Intents::default() };
        let file = state.file();
        match fs::read(&file) {
            Ok(bytes) => match parse(&bytes) {
                Ok(intents) => state.kept = intents,
                Err(reason) => state.set_aside(&reason)?,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(StateError::Read { path: file, source }),
        }
        let kept = state.kept.clone();
        Ok((state, kept))
    }

    /// Writes what is kept once more. What cannot be written is better known at the start than when an operator needs
    /// it.
    pub fn check(&self) -> Result<(), StateError> {
        self.write(&self.kept)
    }

    /// Keeps intent. When this returns it is on disk and survives a crash of the machine.
    pub fn keep(&mut self, intents: &Intents) -> Result<(), StateError> {
        if self.kept != *intents {
            self.write(intents)?;
            self.kept = intents.clone();
        }
        Ok(())
    }

    fn file(&self) -> PathBuf {
        self.path.join(FILE)
    }

    /// Writes beside the file and renames, so that at any moment there is one whole file.
    fn write(&self, intents: &Intents) -> Result<(), StateError> {
        let file = self.file();
        let beside = self.path.join(format!("{FILE}.new"));
        let write = || -> io::Result<()> {
            let bytes = serde_json::to_vec_pretty(&Document { version: VERSION, intents: intents.clone() })?;
            let mut new =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            new.write_all(&bytes)?;
            new.sync_all()?;
            fs::rename(&beside, &file)?;
            // The rename itself is only on disk once the directory is.
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|source| StateError::Write { path: file.clone(), source })
    }

    fn set_aside(&self, reason: &str) -> Result<(), StateError> {
        let file = self.file();
        let aside = self.path.join(format!("{FILE}.damaged"));
        fs::rename(&file, &aside).map_err(|source| StateError::Write { path: aside.clone(), source })?;
        tracing::error!(
            file = %file.display(), kept_as = %aside.display(), reason,
            "operators' intent cannot be read and is forgotten"
        );
        Ok(())
    }
}

fn parse(bytes: &[u8]) -> Result<Intents, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if document.version == VERSION {
        Ok(document.intents)
    } else {
        Err(format!("it has version {}, and this maglevd knows version {VERSION}", document.version))
    }
}

#[cfg(test)]
mod tests;
