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

use twox_hash::XxHash64;

use crate::table::entries::{Entry, Table};
use crate::table::fill::steps::PowerOfTwo;
use crate::table::fill::turns::RoundRobin;
use crate::table::fill::{Cursor, Scratch, fill};

mod impact;
#[cfg(test)]
mod proptests;
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
    /// The servers in the order VPP compares addresses: that, weight and index.
    order: Vec<(SortKey, u8, u32)>,
    /// For each replica in turn its server.
    replicas: Vec<u32>,
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
        self.order.clear();
        self.order
            .extend(servers.iter().zip(0..).map(|(&(address, weight), i)| (sort_key(address), weight, i)));
        self.order.sort_unstable_by_key(|&(key, _, server)| (key, server));
        self.scratch.cursors.clear();
        self.replicas.clear();
        // One round for each replica number; those without so many replicas drop out for good.
        let mut replica = 0;
        self.order.retain(|&(_, weight, _)| weight > 0);
        while !self.order.is_empty() {
            for &((octets, _), _, server) in &self.order {
                self.scratch.cursors.push(cursor(length, octets, replica));
                self.replicas.push(server);
            }
            replica += 1;
            self.order.retain(|&(_, weight, _)| u32::from(weight) > replica);
        }
        if self.replicas.is_empty() {
            entries.clear();
            entries.resize(length.0 as usize, E::NONE);
        } else {
            let turns = RoundRobin::new(self.replicas.len() as u32);
            fill(&mut self.scratch, PowerOfTwo(length.0), turns, Some(&self.replicas), entries);
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

/// The 16 bytes VPP compares, first byte most significant, and whether it is IPv6, to make the order total when an IPv6
/// address has the bytes of an IPv4 one.
type SortKey = (u128, bool);

/// An `ip46_address_t`: IPv4 sits in the last 4 of 16 bytes, the others are zero.
fn sort_key(address: IpAddr) -> SortKey {
    match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), false),
        IpAddr::V6(v6) => (u128::from(v6), true),
    }
}

/// Where a replica begins and how it goes on.
fn cursor(length: Length, octets: u128, replica: u32) -> Cursor {
    let mask = length.0 - 1;
    // VPP reads each half in the byte order of its machine; it is little-endian wherever VPP runs.
    let halves = octets.swap_bytes();
    let seed = clib_xxhash((halves as u64) ^ ((halves >> 64) as u64) ^ u64::from(replica));
    Cursor { at: (seed >> 32) as u32 & mask, skip: (seed as u32 | 1) & mask }
}

/// `clib_xxhash` of `src/vppinfra/xxhash.h`, which is XXH64 of the eight bytes under a seed VPP chose.
fn clib_xxhash(key: u64) -> u64 {
    XxHash64::oneshot(0x9e37_79b9_7f4a_7c13, &key.to_le_bytes())
}
