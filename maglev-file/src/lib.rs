//! Edge. Bounded reads of files that operators replace while a program runs.
//!
//! `std::fs::read` waits for a writer when the path is a FIFO, fills the memory when it is `/dev/zero`, and returns a
//! prefix of a file that `cp` is still writing. [`read`] refuses the first two; [`read_settled`] also detects the third.
//!
//! Neither bounds the time that a file system takes to answer: a read from an NFS server that hangs cannot be
//! interrupted. A caller that must go on reads on a thread of its own and waits for it with a deadline.

mod settle;

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

pub use self::settle::read_settled;

/// Opens a regular file for reading, after following symbolic links.
///
/// # Errors
/// As [`File::open`], and [`io::ErrorKind::InvalidInput`] with a sentence when `path` leads to anything but a regular
/// file. Opening a FIFO does not wait for a writer.
pub fn open(path: &Path) -> io::Result<File> {
    // Without O_NONBLOCK, opening a FIFO waits until it has a writer. Reads of regular files ignore the flag.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let found = if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else {
        "a device"
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {found}, not a regular file")))
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open`], and [`io::ErrorKind::FileTooLarge`] with a sentence when the file is longer than `limit`.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_from(&open(path)?, limit)
}

/// Reads an open file from where it stands, at most `limit` bytes.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`] with a sentence when there are more than `limit` bytes.
pub fn read_from(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if length as u64 > limit {
        let sentence = format!("it is larger than {}", size(limit));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, sentence));
    }
    Ok(bytes)
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}

#[cfg(test)]
mod tests;
