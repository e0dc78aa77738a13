//! Edge. Only one maglevd for a state directory, and only one for a VPP.
//!
//! Two in one state directory forget each other's operators, and two that drive one VPP undo each other's writes. So each
//! takes a lock before it does anything else. No lock can be taken by a user who could not do the harm itself: that of a
//! state directory is on a file in it that only its owner can open ([`Directory::lock`]), that of a VPP is a connection to
//! its API (`vpp/claim.rs`). Both end with the process, however it ends.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::PathBuf;

use thiserror::Error;

use crate::settings::Settings;
use crate::state::{Directory, StateError};

/// The exit code where another maglevd is in the way, as `sysexits.h` has it: it may work later.
pub const EXIT: u8 = 75;

/// The process that has a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(pub(crate) Option<u32>);

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(pid) => write!(f, "pid {pid}"),
            // In another container its number means nothing here.
            None => f.write_str("its pid cannot be seen from here"),
        }
    }
}

/// Another maglevd is in the way. Nothing was begun.
#[derive(Debug, Error)]
pub enum Taken {
    /// It keeps its state in the same directory.
    #[error(
        "another maglevd ({holder}) runs with the state directory {path}: stop it first, or give this one another \
         --state-dir"
    )]
    State {
        /// The directory.
        path: PathBuf,
        /// The other.
        holder: Holder,
    },
    /// It drives the same VPP.
    #[error(
        "another maglevd ({holder}) drives the VPP at {path}: stop it first, or give this one another --vpp-api-addr, or \
         an empty one to do without VPP"
    )]
    Vpp {
        /// VPP's API socket.
        path: PathBuf,
        /// The other.
        holder: Holder,
    },
}

/// The state directory of these settings, locked; none where none is asked for. A directory that cannot be opened is
/// reported when it is to be used.
///
/// # Errors
/// When another maglevd has it.
pub fn state_directory(settings: &Settings) -> Result<Option<Result<Directory, StateError>>, Taken> {
    let Some(path) = &settings.state_dir else { return Ok(None) };
    let directory = match Directory::open(path) {
        Ok(directory) => directory,
        Err(error) => return Ok(Some(Err(error))),
    };
    directory.lock().map_err(|holder| Taken::State { path: path.clone(), holder })?;
    Ok(Some(Ok(directory)))
}

/// Takes the lock on a file, and writes our pid into it. Nothing where there can be no lock.
pub(crate) fn lock(mut file: File) -> Result<Option<File>, Holder> {
    match file.try_lock() {
        Ok(()) => {
            // It is for people, and for the message of the next; the lock holds without it.
            let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = Read::take(&file, 16).read_to_string(&mut text);
            Err(Holder(read.ok().and_then(|_| text.trim().parse().ok())))
        }
        // A file system without locks.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
