//! Edge. VPP's stats segment: counters read straight out of its memory.
//!
//! VPP hands a file descriptor to whoever connects to its stats socket; mapped, it shows the counters as VPP writes them,
//! at no cost to VPP. Nothing in it is trusted: it is another process's memory, and changes while it is read.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

mod connect;
mod mapping;
pub mod memory;
pub mod segment;

pub use connect::StatsError;
pub use segment::{Combined, SegmentError};

use mapping::Mapping;
use segment::{Entry, Kind, Segment};

/// Attempts at a consistent read. VPP holds its lock for microseconds, to add or move a vector.
const ATTEMPTS: usize = 50;

/// Between attempts.
const PAUSE: Duration = Duration::from_millis(1);

/// How long the heartbeat may stand still before the segment is taken for that of a VPP that is gone. VPP beats every
/// 10 s (`statseg { update-interval }`).
const STALE: Duration = Duration::from_secs(25);

/// Names of the `lb` plugin's counters, in the order of [`VipPackets`]. (`lb_foreach_vip_counter` in `lb.h`.)
const VIP_COUNTERS: [&str; 4] =
    ["packet from existing sessions", "first session packet", "untracked packet", "no server configured"];

/// Packets of a VIP since it was added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VipPackets {
    /// Of flows already known.
    pub next: u64,
    /// First packets of flows.
    pub first: u64,
    /// Whose flow could not be remembered.
    pub untracked: u64,
    /// Dropped because no server had any weight.
    pub no_server: u64,
}

/// What was read, all of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// When VPP started, in seconds since 1970. It changes exactly when VPP restarts.
    pub boot_time: u64,
    /// For each VIP asked for; `None` if VPP does not count it.
    pub vips: Vec<Option<VipPackets>>,
    /// For each route asked for; `None` if VPP does not count it.
    pub routes: Vec<Option<Combined>>,
}

/// A reader of the stats segment.
///
/// It outlives VPP's restarts: when the segment no longer makes sense or its heart stops beating, the reader connects
/// again. Until then it reads what a dead VPP left behind; whoever also has a [`Client`](crate::Client) makes a new reader
/// when that one's connection ends, and knows at once.
#[derive(Debug)]
pub struct Stats {
    path: PathBuf,
    deadline: Duration,
    mapping: Mapping,
    beat: (u64, Instant),
}

impl Stats {
    /// Connects to VPP's stats socket and maps the segment. Must run in a tokio runtime.
    ///
    /// Dropping the future leaves nothing behind.
    ///
    /// # Errors
    /// [`StatsError`] if there is no VPP, or it takes longer than `deadline`.
    pub async fn connect(path: impl AsRef<Path>, deadline: Duration) -> Result<Stats, StatsError> {
        let path = path.as_ref().to_owned();
        let mapping = map(&path, deadline).await?;
        Ok(Stats { path, deadline, mapping, beat: (0, Instant::now()) })
    }

    /// Reads the counters of VIPs, by their index in VPP's pool, and of routes, by their stats index. Costs VPP nothing,
    /// and takes time in proportion to what is asked for.
    ///
    /// Dropping the future is harmless.
    ///
    /// # Errors
    /// [`StatsError`] if VPP is gone, its segment cannot be read, or it changes too fast to be.
    pub async fn read(&mut self, vips: &[u32], routes: &[u32]) -> Result<Counters, StatsError> {
        let mut counters = self.attempt(vips, routes).await;
        if counters.is_err() || self.beat.1.elapsed() > STALE {
            tracing::debug!(path = %self.path.display(), error = ?counters.as_ref().err(), "mapping the stats segment anew");
            self.mapping = map(&self.path, self.deadline).await?;
            self.beat = (0, Instant::now());
            counters = self.attempt(vips, routes).await;
        }
        counters
    }

    /// When VPP started, in seconds since 1970.
    ///
    /// # Errors
    /// As for [`Stats::read`].
    pub async fn boot_time(&mut self) -> Result<u64, StatsError> {
        self.read(&[], &[]).await.map(|counters| counters.boot_time)
    }

    async fn attempt(&mut self, vips: &[u32], routes: &[u32]) -> Result<Counters, StatsError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            self.mapping.check().map_err(|source| self.unreadable(source))?;
            match collect(&self.mapping, vips, routes) {
                Ok((heartbeat, counters)) => {
                    if heartbeat != self.beat.0 {
                        self.beat = (heartbeat, Instant::now());
                    }
                    return Ok(counters);
                }
                Err(SegmentError::Busy | SegmentError::Changed) if attempt < ATTEMPTS => sleep(PAUSE).await,
                Err(source) => return Err(self.unreadable(source)),
            }
        }
    }

    fn unreadable(&self, source: SegmentError) -> StatsError {
        StatsError::Segment { path: self.path.clone(), source }
    }
}

async fn map(path: &Path, deadline: Duration) -> Result<Mapping, StatsError> {
    let fd: OwnedFd = timeout(deadline, connect::receive(path))
        .await
        .map_err(|_| StatsError::Timeout { path: path.to_owned(), after: deadline })??;
    Mapping::new(fd.into()).map_err(|source| StatsError::Map { path: path.to_owned(), source })
}

/// Heartbeat and counters, read at one moment.
///
/// # Errors
/// [`SegmentError`]; after [`SegmentError::Busy`] and [`SegmentError::Changed`] another attempt may succeed.
pub fn collect(
    memory: &impl memory::Memory,
    vips: &[u32],
    routes: &[u32],
) -> Result<(u64, Counters), SegmentError> {
    let [next, first, untracked, no_server] = VIP_COUNTERS;
    let names = ["/sys/heartbeat", "/sys/boottime", "/net/route/to", next, first, untracked, no_server];
    Segment::new(memory).read(|view| {
        let [heartbeat, boot_time, route, next, first, untracked, no_server] = view.find(names)?;
        let scalar = |entry: Option<Entry>, name| match entry {
            Some(Entry { kind: Kind::Scalar, value }) => Ok(value),
            _ => Err(SegmentError::Missing(name)),
        };
        let simple = |entry: Option<Entry>, index| match entry {
            Some(Entry { kind: Kind::Simple, value }) => view.simple(value, index),
            _ => Ok(None),
        };
        let mut counters = Counters { boot_time: scalar(boot_time, "/sys/boottime")?, ..Counters::default() };
        for &index in vips {
            let numbers = [next, first, untracked, no_server].map(|entry| simple(entry, index));
            let [next, first, untracked, no_server] = numbers;
            let packets = match (next?, first?, untracked?, no_server?) {
                (Some(next), Some(first), Some(untracked), Some(no_server)) => {
                    Some(VipPackets { next, first, untracked, no_server })
                }
                _ => None,
            };
            counters.vips.push(packets);
        }
        for &index in routes {
            counters.routes.push(match route {
                Some(Entry { kind: Kind::Combined, value }) => view.combined(value, index)?,
                _ => None,
            });
        }
        Ok((scalar(heartbeat, "/sys/heartbeat")?, counters))
    })
}

#[cfg(test)]
mod tests;
