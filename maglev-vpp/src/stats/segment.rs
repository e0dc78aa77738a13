//! Pure. The layout of the stats segment, and how to read it without a lock.
//!
//! (`src/vlib/stats/shared.h`, `src/vpp-api/client/stat_client.c`.) A header: version, base, epoch, in-progress flag,
//! directory. Pointers are addresses in VPP; less the base, they are offsets. A vector has its length in the 8 bytes
//! before its first element. The directory is a vector of 144-byte entries: type, value or pointer, name.
//!
//! Whenever VPP adds or moves something it raises the flag, and raises the epoch before it lowers the flag. So what was
//! read while the flag was down and the epoch stayed the same is sound. What was read otherwise may be anything: no
//! pointer is followed out of the segment and no length is believed, and then all of it is thrown away.

use std::sync::atomic::{Ordering, fence};

use super::memory::Memory;

/// `STAT_SEGMENT_VERSION`: the layout described here.
const VERSION: u64 = 2;

/// Offsets in the header.
const VERSION_AT: u64 = 0;
const BASE_AT: u64 = 8;
const EPOCH_AT: u64 = 16;
const IN_PROGRESS_AT: u64 = 24;
const DIRECTORY_AT: u64 = 32;

/// `sizeof (vlib_stats_entry_t)`.
const ENTRY_LEN: u64 = 144;
/// Where in an entry its value is.
const VALUE_AT: u64 = 8;
/// Where in an entry its name is.
const NAME_AT: u64 = 16;
/// `VLIB_STATS_MAX_NAME_SZ`, in words.
const NAME_WORDS: usize = 16;

/// More threads than a VPP runs; a longer list is no list of threads.
const MAX_THREADS: u64 = 4096;

/// The segment, or this attempt to read it, is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// It is laid out otherwise.
    #[error("the stats segment has version {0}, and this program reads version {VERSION}")]
    Version(u64),
    /// VPP is changing it right now.
    #[error("VPP kept changing the stats segment")]
    Busy,
    /// VPP changed it meanwhile.
    #[error("the stats segment changed whenever it was read")]
    Changed,
    /// Something in it points out of it, or is longer than it.
    #[error("the stats segment points outside of itself, at offset {0:#x}")]
    Outside(u64),
    /// A name is not in it that always is.
    #[error("the stats segment has no {0}")]
    Missing(&'static str),
    /// Its file became shorter than it was.
    #[error("the stats segment shrank from {mapped} to {now} bytes")]
    Shrunk {
        /// Bytes mapped.
        mapped: u64,
        /// Bytes now.
        now: u64,
    },
}

/// What a directory entry is. (`stat_directory_type_t`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One number, in the entry itself.
    Scalar,
    /// Numbers by thread and index.
    Simple,
    /// Packets and bytes by thread and index.
    Combined,
    /// One of the kinds not read here: names, symlinks, histograms, ring buffers, or something newer.
    Other(u32),
}

/// A directory entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// The number, or the address of the vector.
    pub value: u64,
}

/// Packets and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Combined {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A stats segment in some memory.
#[derive(Debug)]
pub struct Segment<'a, M: ?Sized>(&'a M);

impl<'a, M: Memory> Segment<'a, M> {
    /// The segment in this memory, of which nothing is assumed.
    pub fn new(memory: &'a M) -> Segment<'a, M> {
        Segment(memory)
    }

    /// Runs `read` once, and returns what it returns if the segment did not change meanwhile.
    ///
    /// # Errors
    /// [`SegmentError::Busy`] or [`SegmentError::Changed`] if it did; otherwise what `read` says.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&View<'a, M>) -> Result<T, SegmentError>,
    ) -> Result<T, SegmentError> {
        let version = self.word(VERSION_AT)?;
        if version != VERSION {
            return Err(SegmentError::Version(version));
        }
        if self.word(IN_PROGRESS_AT)? != 0 {
            return Err(SegmentError::Busy);
        }
        let epoch = self.word(EPOCH_AT)?;
        // What follows must not be read before the flag was.
        fence(Ordering::Acquire);
        let result = self.view().and_then(|view| read(&view));
        // What came before must not be read after the flag is.
        fence(Ordering::Acquire);
        if self.word(IN_PROGRESS_AT)? != 0 || self.word(EPOCH_AT)? != epoch {
            return Err(SegmentError::Changed);
        }
        result
    }

    fn word(&self, at: u64) -> Result<u64, SegmentError> {
        self.0.u64(at).ok_or(SegmentError::Outside(at))
    }

    fn view(&self) -> Result<View<'a, M>, SegmentError> {
        let mut view = View { memory: self.0, base: self.word(BASE_AT)?, directory: Vector::EMPTY };
        view.directory = view.vector(self.word(DIRECTORY_AT)?, ENTRY_LEN)?;
        Ok(view)
    }
}

/// A vector that lies in the segment from its first byte to its last.
#[derive(Clone, Copy, Debug)]
struct Vector {
    at: u64,
    len: u64,
}

impl Vector {
    const EMPTY: Vector = Vector { at: 0, len: 0 };
}

/// A segment while it is read. What comes out of it counts only if [`Segment::read`] returns it.
#[derive(Debug)]
pub struct View<'a, M: ?Sized> {
    memory: &'a M,
    base: u64,
    directory: Vector,
}

impl<M: Memory> View<'_, M> {
    /// Looks names up, all in one pass over the directory.
    ///
    /// # Errors
    /// [`SegmentError::Outside`] if the directory is not all there.
    pub fn find<const N: usize>(&self, names: [&str; N]) -> Result<[Option<Entry>; N], SegmentError> {
        let wanted = names.map(name_words);
        let mut found = [None; N];
        for index in 0..self.directory.len {
            let at = self.directory.at + index * ENTRY_LEN;
            let first = self.word(at + NAME_AT)?;
            for (wanted, found) in wanted.iter().zip(&mut found) {
                if wanted[0] == first && self.is_named(at, wanted)? {
                    *found = Some(self.entry(at)?);
                }
            }
        }
        Ok(found)
    }

    fn is_named(&self, entry: u64, name: &[u64; NAME_WORDS]) -> Result<bool, SegmentError> {
        for (at, &word) in (entry + NAME_AT..).step_by(8).zip(name) {
            if self.word(at)? != word {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn entry(&self, at: u64) -> Result<Entry, SegmentError> {
        let kind = match self.half_word(at)? {
            1 => Kind::Scalar,
            2 => Kind::Simple,
            3 => Kind::Combined,
            other => Kind::Other(other),
        };
        Ok(Entry { kind, value: self.word(at + VALUE_AT)? })
    }

    /// The number at an index of a simple counter, summed over all threads; `None` if no thread has that index.
    ///
    /// # Errors
    /// [`SegmentError::Outside`] if the counter is not all there.
    pub fn simple(&self, counter: u64, index: u32) -> Result<Option<u64>, SegmentError> {
        self.sum::<1>(counter, index).map(|sum| sum.map(|[number]| number))
    }

    /// Packets and bytes at an index of a combined counter, summed over all threads; `None` if no thread has it.
    ///
    /// # Errors
    /// [`SegmentError::Outside`] if the counter is not all there.
    pub fn combined(&self, counter: u64, index: u32) -> Result<Option<Combined>, SegmentError> {
        self.sum::<2>(counter, index).map(|sum| sum.map(|[packets, bytes]| Combined { packets, bytes }))
    }

    fn sum<const N: usize>(&self, counter: u64, index: u32) -> Result<Option<[u64; N]>, SegmentError> {
        let threads = self.vector(counter, 8)?;
        if threads.len > MAX_THREADS {
            return Err(SegmentError::Outside(threads.at));
        }
        let width = 8 * N as u64;
        let mut sum = None;
        for thread in 0..threads.len {
            let numbers = self.vector(self.word(threads.at + 8 * thread)?, width)?;
            if u64::from(index) >= numbers.len {
                continue;
            }
            let mut at = numbers.at + u64::from(index) * width;
            for number in sum.get_or_insert([0u64; N]) {
                *number = number.wrapping_add(self.word(at)?);
                at += 8;
            }
        }
        Ok(sum)
    }

    /// The vector at an address in VPP; the null pointer is an empty one.
    fn vector(&self, address: u64, element: u64) -> Result<Vector, SegmentError> {
        if address == 0 {
            return Ok(Vector::EMPTY);
        }
        let outside = SegmentError::Outside(address.wrapping_sub(self.base));
        let at = address.checked_sub(self.base).ok_or(outside)?;
        let len = u64::from(self.half_word(at.checked_sub(8).ok_or(outside)?)?);
        let end = len.checked_mul(element).and_then(|bytes| at.checked_add(bytes)).ok_or(outside)?;
        if end > self.memory.len() { Err(outside) } else { Ok(Vector { at, len }) }
    }

    fn word(&self, at: u64) -> Result<u64, SegmentError> {
        self.memory.u64(at).ok_or(SegmentError::Outside(at))
    }

    fn half_word(&self, at: u64) -> Result<u32, SegmentError> {
        self.memory.u32(at).ok_or(SegmentError::Outside(at))
    }
}

/// A name as it stands in an entry, padded with NULs.
fn name_words(name: &str) -> [u64; NAME_WORDS] {
    let mut words = [0; NAME_WORDS];
    for (word, bytes) in words.iter_mut().zip(name.as_bytes().chunks(8)) {
        let mut padded = [0; 8];
        padded[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_ne_bytes(padded);
    }
    words
}

#[cfg(test)]
mod tests;
