//! Edge. VPP's memory, mapped read-only.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};

use super::memory::Memory;
use super::segment::SegmentError;

/// The stats segment of a VPP that may be writing it, or may be gone.
#[derive(Debug)]
pub(super) struct Mapping {
    file: File,
    map: MmapRaw,
}

impl Mapping {
    /// Maps all of the file.
    pub(super) fn new(file: File) -> io::Result<Mapping> {
        // Raw: no reference to these bytes may ever exist, since another process writes them.
        let map = MmapOptions::new().map_raw_read_only(&file)?;
        Ok(Mapping { file, map })
    }

    /// Checks that the file still has all the bytes mapped: touching one that is gone is fatal (SIGBUS).
    ///
    /// VPP never shortens it. This keeps what is not VPP from killing us by doing so, short of doing it between this
    /// check and the reads after it; whoever owns VPP's socket can be trusted that far.
    pub(super) fn check(&self) -> Result<(), SegmentError> {
        let mapped = self.map.len() as u64;
        match self.file.metadata().map(|metadata| metadata.len()) {
            Ok(now) if now < mapped => Err(SegmentError::Shrunk { mapped, now }),
            _ => Ok(()),
        }
    }
}

impl Memory for Mapping {
    fn len(&self) -> u64 {
        self.map.len() as u64
    }

    #[expect(
        unsafe_code,
        reason = "memory that another process writes can only be read through a raw pointer"
    )]
    fn u64(&self, at: u64) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        if !at.is_multiple_of(8) || at.checked_add(8)? > self.map.len() {
            return None;
        }
        // SAFETY: `at + 8` is within the mapping (checked above), which lives as long as `self`, so the pointer is in
        // bounds. Mappings begin on a page and `at` is a multiple of 8, so it is aligned for `AtomicU64`. Other
        // processes write these bytes, so only an atomic access is free of data races; nothing in this process writes
        // them or holds a reference to them as anything but an atomic. The pages are read-only, which a relaxed load of
        // this size is allowed to be (std::sync::atomic, "Atomic accesses to read-only memory").
        let word = unsafe { &*self.map.as_ptr().add(at).cast::<AtomicU64>() };
        Some(word.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests;
