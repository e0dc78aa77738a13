//! Edge. The few things that are done to files of the state directory.
//!
//! They are a trait so that a test can stop between any two of them, as a crash does, and see what is left.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The largest file that is read: ten times what a hundred thousand backends take. A larger one is not ours.
const LARGEST: u64 = 256 << 20;

/// What is done to files by name in one directory.
pub trait Disk {
    /// The path of a file, to be shown.
    fn path(&self, name: &str) -> PathBuf;
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

/// A directory of the file system.
#[derive(Clone, Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// The directory at a path.
    pub fn new(path: &Path) -> Self {
        Directory(path.to_owned())
    }
}

impl Disk for Directory {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(name);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() > LARGEST => {
                Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has {} bytes", metadata.len())))
            }
            Ok(_) => fs::read(&path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        // Who did what and why is nobody else's business.
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(self.path(name))?.write_all(bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.path(name))?.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        // A name that is not Unicode is none of ours.
        let names = fs::read_dir(&self.0)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.collect())
    }
}
