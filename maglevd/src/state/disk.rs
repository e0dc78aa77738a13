//! Edge. The few things that are done to files of the state directory.
//!
//! They are a trait so that a test can stop between any two of them, as a crash does, and see what is left.

use std::io;
use std::path::PathBuf;

use super::StateError;

/// What is done to files by name in one directory.
pub trait Disk {
    /// The path of a file, to be shown.
    fn path(&self, name: &str) -> PathBuf;
    /// Makes sure that the directory is still the one at its path. What follows is done in the one there is now.
    fn verify(&self) -> Result<(), StateError> {
        Ok(())
    }
    /// Everything in it; `None` where there is no such file.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// Makes it hold just this. It may be lost in a crash of the machine, or be there in part.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Returns once what it holds survives a crash of the machine.
    fn sync(&self, name: &str) -> io::Result<()>;
    /// Gives a file another name, in place of whatever has it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Returns once the names of all files survive a crash of the machine.
    fn sync_directory(&self) -> io::Result<()>;
    /// Removes a file. That there is none is not an error.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// The name of every file.
    fn names(&self) -> io::Result<Vec<String>>;
}

/// Where the next version of a file is written.
pub(super) fn beside(name: &str) -> String {
    format!("{name}.new")
}

/// Puts a whole file in the place of another: whoever looks sees the one or the other, whatever happens meanwhile. With
/// `durable` the new one survives a crash of the machine once this returns.
pub fn replace<D: Disk>(disk: &D, name: &str, bytes: &[u8], durable: bool) -> io::Result<()> {
    let new = beside(name);
    disk.write(&new, bytes)?;
    if durable {
        // Before it has the name: else a crash could leave the name on a file that is empty.
        disk.sync(&new)?;
    }
    disk.rename(&new, name)?;
    if durable {
        // The name itself is only on disk once the directory is.
        disk.sync_directory()?;
    }
    Ok(())
}
