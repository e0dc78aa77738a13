//! Edge. The state directory itself: held open, locked, and noticed when another takes its place.
//!
//! Everything is done relative to the open directory, never by its path: a directory that is renamed or removed while
//! maglevd runs cannot lead its writes elsewhere, and no symbolic link in it is followed. The lock is one on the file
//! `maglevd.lock` in it, which the kernel releases when the process ends, however it ends.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::StateError;
use super::disk::Disk;
use crate::lock::{Holder, lock};

/// The file that is locked.
pub(crate) const LOCK: &str = "maglevd.lock";

/// The largest file that is read: ten times what a hundred thousand backends take. A larger one is not ours.
const LARGEST: u64 = 256 << 20;

/// An open directory. Cheap to clone; all clones are the same directory.
#[derive(Clone, Debug)]
pub struct Directory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    held: Mutex<Held>,
    generation: AtomicU64,
}

#[derive(Debug)]
struct Held {
    directory: Arc<OwnedFd>,
    /// Whether this process is to be the only one in it.
    locking: bool,
    /// The lock was lost, and another process has it.
    lost: bool,
    /// Absent where the file system has no locks.
    lock: Option<File>,
}

impl Directory {
    /// Opens a directory, and makes it if need be.
    ///
    /// # Errors
    /// [`StateError::Directory`].
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let directory = Arc::new(make(path)?);
        let held = Mutex::new(Held { directory, locking: false, lost: false, lock: None });
        Ok(Directory(Arc::new(Inner { path: path.to_owned(), held, generation: AtomicU64::new(0) })))
    }

    /// Keeps other processes from locking it, until the last clone is dropped. A file system without locks is used without.
    ///
    /// # Errors
    /// When another process has it.
    pub fn lock(&self) -> Result<(), Holder> {
        let mut held = self.held();
        held.lock = lock_in(&held.directory)?;
        held.locking = true;
        Ok(())
    }

    /// How often another directory took its place: files that were written before are not in the new one.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Relaxed)
    }

    /// Whether others than the owner and root can write in it.
    pub fn is_writable_by_others(&self) -> bool {
        let directory = self.held().directory.try_clone().map(File::from);
        directory.and_then(|directory| directory.metadata()).is_ok_and(|directory| {
            let mode = directory.permissions().mode();
            mode & 0o002 != 0 && mode & 0o1000 == 0
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fd(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.held().directory)
    }
}

impl Held {
    /// Whether the path still leads to the directory that is open, and the name in it to the file that is locked.
    fn is_at(&self, path: &Path) -> bool {
        let there = std::fs::metadata(path).ok().map(|there| (there.dev(), there.ino()));
        let ours = fstat(&*self.directory).ok().as_ref().map(identity);
        let lock = self.lock.as_ref().is_none_or(|lock| {
            let named = fstatat(&*self.directory, LOCK, AtFlags::AT_SYMLINK_NOFOLLOW).ok();
            named.as_ref().map(identity) == fstat(lock).ok().as_ref().map(identity)
        });
        there == ours && lock && !self.lost
    }
}

fn identity(file: &FileStat) -> (u64, u64) {
    (file.st_dev, file.st_ino)
}

/// Opens a directory, and makes it if need be.
fn make(path: &Path) -> Result<OwnedFd, StateError> {
    let failed = |source| StateError::Directory { path: path.to_owned(), source };
    std::fs::create_dir_all(path).map_err(failed)?;
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    open(path, flags, Mode::empty()).map_err(|errno| failed(errno.into()))
}

/// Locks the file for it in a directory, and writes our pid into it. Nothing where there can be no lock.
fn lock_in(directory: &OwnedFd) -> Result<Option<File>, Holder> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let Ok(file) = openat(directory, LOCK, flags, Mode::from_bits_truncate(0o600)) else { return Ok(None) };
    lock(file.into())
}

impl Disk for Directory {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path.join(name)
    }

    /// A directory that was removed is made again, and another in its place is used, once it is locked.
    fn verify(&self) -> Result<(), StateError> {
        let path = &self.0.path;
        if self.held().is_at(path) {
            return Ok(());
        }
        let directory = make(path)?;
        let mut held = self.held();
        // Released first: it may be the same directory, from which only the file was removed.
        (held.lock, held.lost) = (None, true);
        if held.locking {
            let taken = |holder| StateError::Taken { path: path.clone(), holder };
            held.lock = lock_in(&directory).map_err(taken)?;
        }
        (held.directory, held.lost) = (Arc::new(directory), false);
        drop(held);
        self.0.generation.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            path = %path.display(),
            "the state directory, or the lock in it, was removed or replaced; all state is written into it again"
        );
        Ok(())
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = match openat(&*self.fd(), name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::ENOENT) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            let words = format!("it has {} bytes", metadata.len());
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, words));
        }
        Ok(Some(bytes))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let directory = self.fd();
        // Always a file of our own: what has the name may be a link that somebody put there.
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        // Who did what and why is for the owner alone.
        let create = || openat(&*directory, name, flags, Mode::from_bits_truncate(0o600));
        let file = create().or_else(|errno| match errno {
            Errno::EEXIST => {
                unlinkat(&*directory, name, UnlinkatFlags::NoRemoveDir)?;
                create()
            }
            errno => Err(errno),
        });
        File::from(file?).write_all(bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        File::from(openat(&*self.fd(), name, flags, Mode::empty())?).sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let directory = self.fd();
        Ok(renameat(&*directory, from, &*directory, to)?)
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(nix::unistd::fsync(&*self.fd())?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&*self.fd(), name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut entries = Dir::openat(&*self.fd(), ".", flags, Mode::empty())?;
        // A name that is not Unicode is none of ours.
        let name = |entry: nix::dir::Entry| entry.file_name().to_str().ok().map(str::to_owned);
        let names = entries.iter().filter_map(|entry| name(entry.ok()?));
        Ok(names.filter(|name| name != "." && name != "..").collect())
    }
}

#[cfg(test)]
mod tests;
