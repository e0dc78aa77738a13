//! Pure. The table VPP's `lb` plugin builds for a VIP, bit for bit.
//!
//! The rules come from `lb_vip_update_new_flow_table` in VPP's `src/plugins/lb/lb.c` (26.10). VPP departs from the paper:
//!
//! * the length is a power of two and `skip` is odd, so that a mask does the work of a division;
//! * a server of weight *w* takes part as *w* replicas, each with an order of its own;
//! * replicas take turns sorted by replica number first and address second, so that what is left over after even shares
//!   is spread over servers and not given to one server's replicas.
//!
//! From this follow two things an operator should know. Shares are only right while the weights sum to no more than the
//! length, because a replica past that gets nothing. And because replicas move independently, large weights move more
//! flows between servers that did not change than the same ratios in small weights do.

use std::net::IpAddr;

use crate::table::entries::{Entry, Table};
use crate::table::fill::steps::{PowerOfTwo, Short};
use crate::table::fill::{Scratch, fill_labelled, short};

use self::replicas::{Replicas, sort_key};

mod impact;
#[cfg(test)]
mod proptests;
mod replicas;
#[cfg(test)]
mod tests;

pub use impact::{Impact, Moment, impact};

/// How many slots VPP gives the table of a VIP: a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Length(u32);

/// A number of slots VPP cannot use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a power of two from 1 to {max}; take 1024, 4096, 16384 or 65536", max = Length::MAX.0)]
pub struct InvalidLength(pub u64);

impl Length {
    /// 2^24 slots. VPP would take more, but building so long a table already stops its main thread for a quarter of a second.
    pub const MAX: Length = Length(1 << 24);

    /// Accepts powers of two from 1 to [`Length::MAX`].
    pub const fn new(slots: u32) -> Result<Length, InvalidLength> {
        if slots.is_power_of_two() && slots <= Length::MAX.0 {
            Ok(Length(slots))
        } else {
            Err(InvalidLength(slots as u64))
        }
    }

    /// The number of slots.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Length {
    type Error = InvalidLength;

    fn try_from(slots: u32) -> Result<Self, InvalidLength> {
        Length::new(slots)
    }
}

/// Builds tables, keeping its memory between builds: a rebuild of the same size allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    scratch: Scratch,
    replicas: Replicas,
}

impl Builder {
    /// A builder without memory of earlier builds.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Fills `entries`, bucket by bucket, with indices into `servers`.
    ///
    /// If no server has a weight each entry is [`Entry::NONE`]. Whatever `entries` held is replaced; its memory is used
    /// again.
    ///
    /// # Errors
    ///
    /// When there are more servers than entries of this type can tell apart. `entries` is then as it was.
    pub fn build<E: Entry>(
        &mut self,
        length: Length,
        servers: &[(IpAddr, u8)],
        entries: &mut Vec<E>,
    ) -> Result<(), TooManyServers> {
        if servers.len() > E::MOST {
            return Err(TooManyServers(servers.len()));
        }
        let replicas = self.replicas.list(length, servers);
        let few = servers.len() <= <u16 as Entry>::MOST;
        match Short::new(length.0) {
            _ if replicas.is_empty() => {
                entries.clear();
                entries.resize(length.0 as usize, E::NONE);
            }
            Some(steps) if few && length.0 <= short::MOST => {
                short::fill(&mut self.scratch, steps, replicas, entries)
            }
            Some(steps) => fill_labelled(&mut self.scratch, steps, replicas, entries),
            None => fill_labelled(&mut self.scratch, PowerOfTwo(length.0), replicas, entries),
        }
        Ok(())
    }
}

/// More servers than the entries can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} servers do not fit into 16-bit entries; take u32 from 65536 up")]
pub struct TooManyServers(pub usize);

/// Builds the table of a VIP whose servers have these addresses and weights.
///
/// The order of `servers` does not matter; the table lists them sorted by address, those of weight 0 too. If no server has
/// a weight, nobody gets a slot and every lookup is `None`: VPP drops the flow and counts it under `no server configured`.
/// VPP refuses to add an address twice; here the second would be a server of its own.
pub fn build(length: Length, servers: &[(IpAddr, u8)]) -> Table<IpAddr> {
    let mut servers = servers.to_vec();
    servers.sort_by_key(|&(address, weight)| (sort_key(address), weight));
    let backends: Vec<IpAddr> = servers.iter().map(|&(address, _)| address).collect();
    let mut builder = Builder::new();
    let mut narrow = Vec::new();
    if builder.build::<u16>(length, &servers, &mut narrow).is_ok() {
        return Table::narrow(backends, narrow);
    }
    let mut wide = Vec::new();
    // Never refused: 2^32 servers would be 72 GiB. Were it so, the table would have no slots and serve nobody.
    let _ = builder.build::<u32>(length, &servers, &mut wide);
    Table::wide(backends, wide)
}

/// How many slots VPP gives each server, in the order of `servers`: what it reports as `num_buckets`.
///
/// The same as counting the built table, without building it. Turns are even: each of R replicas gets ⌊length / R⌋
/// slots, and the first (length mod R) in order of (replica, address) get one more.
pub fn buckets(length: Length, servers: &[(IpAddr, u8)]) -> Vec<u32> {
    let total: u32 = servers.iter().map(|&(_, weight)| u32::from(weight)).sum();
    if total == 0 {
        return vec![0; servers.len()];
    }
    let (each, extra) = (length.0 / total, length.0 % total);
    let mut order: Vec<usize> = (0..servers.len()).collect();
    order.sort_by_key(|&server| sort_key(servers[server].0));
    let mut buckets: Vec<u32> = servers.iter().map(|&(_, weight)| u32::from(weight) * each).collect();
    let in_turn = (0..u32::from(u8::MAX))
        .flat_map(|replica| order.iter().filter(move |&&server| u32::from(servers[server].1) > replica));
    for &server in in_turn.take(extra as usize) {
        buckets[server] += 1;
    }
    buckets
}
