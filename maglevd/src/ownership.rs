//! Edge. Files that decide who may do what, and whom else the system lets change them.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nix::unistd::{getegid, geteuid};

/// Refuses a file that others than root and this user can write, after following symbolic links: who can write an access
/// file, a key or a file of tokens can do whatever these protect. Writing by the group is refused too, but for the group
/// of root and our own. One that belongs to another user is told of: in a container, files of the host often do.
///
/// # Errors
/// With a sentence that says what to do; also when the file cannot be looked at.
pub fn check(path: &Path) -> io::Result<()> {
    let file = std::fs::metadata(path)?;
    if let Some(problem) = problem(file.permissions().mode(), file.gid(), getegid().as_raw()) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    }
    if is_foreign(&file) && first_time(path) {
        tracing::warn!(
            path = %path.display(), uid = file.uid(),
            "this file belongs to a user that is neither root nor maglevd's, who can change it"
        );
    }
    Ok(())
}

/// Whether this is the first look at a file, of the few there are: they are read again every half minute.
fn first_time(path: &Path) -> bool {
    static TOLD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned())
}

fn is_foreign(file: &Metadata) -> bool {
    file.uid() != 0 && file.uid() != geteuid().as_raw()
}

fn problem(mode: u32, gid: u32, ours: u32) -> Option<&'static str> {
    if mode & 0o002 != 0 {
        Some("every user can write to it: chmod o-w it")
    } else if mode & 0o020 != 0 && gid != 0 && gid != ours {
        Some("its group can write to it: chmod g-w it")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
