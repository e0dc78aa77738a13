//! Edge. The simulated stats segment: a memory file laid out as VPP's, written with plain file writes.
//!
//! (`src/vlib/stats/shared.h`, `src/vlib/stats/stats.c`.) Readers map the file; a write to it is seen through the
//! mapping at once, so nothing here needs a mapping of its own.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::show::COUNTERS;

/// As large as VPP's by default. Only what is written takes memory.
const SIZE: u64 = 32 << 20;
/// Where the segment pretends to be in VPP's memory: pointers in it count from here.
const BASE: u64 = 0x7f5e_0000_0000;
/// The first byte behind the header page.
const DIRECTORY: u64 = 4096 + 16;
/// Where counter vectors begin.
const HEAP: u64 = 64 * 1024;
/// `sizeof (vlib_stats_entry_t)`.
const ENTRY: u64 = 144;
/// `STAT_SEGMENT_VERSION`.
const VERSION: u64 = 2;

/// Offsets in the header.
const EPOCH_AT: u64 = 16;
const IN_PROGRESS_AT: u64 = 24;

/// `stat_directory_type_t`.
const SCALAR: u32 = 1;
const SIMPLE: u32 = 2;
const COMBINED: u32 = 3;

/// The place of `/net/route/to` among [`SegmentFile::counters`]; before it are the plugin's four.
pub(super) const ROUTE_TO: usize = COUNTERS.len();

/// The threads of a VPP with one worker; packets are counted on the second.
const THREADS: usize = 2;
/// The thread that counts.
const WORKER: usize = 1;

/// A stats segment that can be written.
#[derive(Debug)]
pub(super) struct SegmentFile {
    file: File,
    counters: Vec<Counter>,
    next: u64,
    epoch: u64,
    heartbeat: u64,
}

/// One vector of counters: for each index as many numbers as its kind has.
#[derive(Debug)]
struct Counter {
    /// Where its directory entry is.
    entry: u64,
    /// Numbers at each index: 1, or 2 for packets and bytes.
    width: usize,
    /// Where each thread's vector is.
    vectors: [u64; THREADS],
    /// The worker's numbers.
    values: Vec<u64>,
    /// Indices there is room for.
    capacity: usize,
}

impl SegmentFile {
    /// A fresh segment of a VPP that started at this time, in seconds since 1970.
    pub(super) fn new(boot_time: u64) -> io::Result<SegmentFile> {
        let file = File::from(memfd_create(c"stat segment", MFdFlags::MFD_CLOEXEC)?);
        file.set_len(SIZE)?;
        let mut segment = SegmentFile { file, counters: Vec::new(), next: HEAP, epoch: 1, heartbeat: 1 };
        let scalars = [("/sys/heartbeat", 1), ("/sys/last_stats_clear", 0), ("/sys/boottime", boot_time)];
        for (entry, (name, value)) in (0..).zip(scalars) {
            segment.put_entry(entry, SCALAR, value, name)?;
        }
        let first = scalars.len() as u64;
        let names = COUNTERS.iter().map(|&name| (name, SIMPLE, 1)).chain([("/net/route/to", COMBINED, 2)]);
        for (entry, (name, kind, width)) in (first..).zip(names) {
            segment.put_entry(entry, kind, 0, name)?;
            segment.counters.push(Counter {
                entry: DIRECTORY + entry * ENTRY,
                width,
                vectors: [0; THREADS],
                values: Vec::new(),
                capacity: 0,
            });
        }
        segment.put_u64(DIRECTORY - 8, first + segment.counters.len() as u64)?;
        for (at, value) in
            [(0, VERSION), (8, BASE), (EPOCH_AT, 1), (IN_PROGRESS_AT, 0), (32, BASE + DIRECTORY)]
        {
            segment.put_u64(at, value)?;
        }
        Ok(segment)
    }

    /// The memory file, to be handed to readers.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// VPP still runs.
    pub(super) fn beat(&mut self) -> io::Result<()> {
        self.heartbeat += 1;
        self.put_u64(DIRECTORY + 8, self.heartbeat)
    }

    /// Makes the counter have this index, with 0 in it.
    pub(super) fn zero(&mut self, counter: usize, index: usize) -> io::Result<()> {
        let width = self.counters[counter].width;
        for part in 0..width {
            self.set(counter, index, part, 0)?;
        }
        Ok(())
    }

    /// Adds to a number of the counter.
    pub(super) fn add(&mut self, counter: usize, index: usize, part: usize, amount: u64) -> io::Result<()> {
        let Counter { width, values, .. } = &self.counters[counter];
        let value = values.get(index * width + part).copied().unwrap_or(0);
        self.set(counter, index, part, value.wrapping_add(amount))
    }

    fn set(&mut self, counter: usize, index: usize, part: usize, value: u64) -> io::Result<()> {
        self.grow(counter, index)?;
        let Counter { width, vectors, values, .. } = &mut self.counters[counter];
        let slot = index * *width + part;
        values[slot] = value;
        let at = vectors[WORKER] + 8 * slot as u64;
        self.put_u64(at, value)
    }

    /// Makes room for an index, as VPP does: under the lock, in a new place, and the epoch tells.
    fn grow(&mut self, counter: usize, index: usize) -> io::Result<()> {
        let Counter { width, values, capacity, .. } = &self.counters[counter];
        let (width, old_capacity) = (*width, *capacity);
        if index < values.len() / width {
            return Ok(());
        }
        self.put_u64(IN_PROGRESS_AT, 1)?;
        self.counters[counter].values.resize((index + 1) * width, 0);
        if index >= old_capacity {
            let capacity = (index + 1).next_power_of_two().max(16);
            self.counters[counter].capacity = capacity;
            let mut vectors = [0; THREADS];
            for vector in &mut vectors {
                *vector = self.allocate(8 * (capacity * width) as u64)?;
            }
            self.counters[counter].vectors = vectors;
            let outer = self.allocate(8 * THREADS as u64)?;
            self.put_u64(outer - 8, THREADS as u64)?;
            for (at, vector) in (outer..).step_by(8).zip(vectors) {
                self.put_u64(at, BASE + vector)?;
            }
            let bytes: Vec<u8> =
                self.counters[counter].values.iter().flat_map(|value| value.to_ne_bytes()).collect();
            self.file.write_all_at(&bytes, vectors[WORKER])?;
            self.put_u64(self.counters[counter].entry + 8, BASE + outer)?;
        }
        for vector in self.counters[counter].vectors {
            self.put_u64(vector - 8, index as u64 + 1)?;
        }
        self.epoch += 1;
        self.put_u64(EPOCH_AT, self.epoch)?;
        self.put_u64(IN_PROGRESS_AT, 0)
    }

    /// Room for a vector of so many bytes, with its header before it.
    fn allocate(&mut self, bytes: u64) -> io::Result<u64> {
        let at = self.next + 16;
        self.next = (at + bytes).next_multiple_of(16);
        if self.next > SIZE {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the simulated stats segment is full"));
        }
        Ok(at)
    }

    fn put_entry(&self, index: u64, kind: u32, value: u64, name: &str) -> io::Result<()> {
        let mut entry = [0; ENTRY as usize];
        entry[..4].copy_from_slice(&kind.to_ne_bytes());
        entry[8..16].copy_from_slice(&value.to_ne_bytes());
        entry[16..16 + name.len()].copy_from_slice(name.as_bytes());
        self.file.write_all_at(&entry, DIRECTORY + index * ENTRY)
    }

    fn put_u64(&self, at: u64, value: u64) -> io::Result<()> {
        self.file.write_all_at(&value.to_ne_bytes(), at)
    }
}
