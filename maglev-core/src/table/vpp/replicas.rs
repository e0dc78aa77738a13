//! Pure. Who takes turns in VPP's table, in which order, and where each begins.
//!
//! In a short table this is as much work as filling it, so the common case, every server an IPv4 address, is made cheap:
//! address and place are one number, and sorting numbers takes a third of the time.

use std::net::IpAddr;

use crate::table::fill::{Cursor, Labelled};

use super::Length;

#[cfg(test)]
mod tests;

/// The 16 bytes VPP compares, first byte most significant, and whether it is IPv6, to make the order total when an IPv6
/// address has the bytes of an IPv4 one.
pub(super) type SortKey = (u128, bool);

/// An `ip46_address_t`: IPv4 sits in the last 4 of 16 bytes, the others are zero.
pub(super) fn sort_key(address: IpAddr) -> SortKey {
    match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), false),
        IpAddr::V6(v6) => (u128::from(v6), true),
    }
}

/// Those who take turns.
#[derive(Clone, Debug, Default)]
pub(super) struct Replicas {
    /// The servers, here if all are at IPv4 addresses,
    narrow: Vec<Narrow>,
    /// and otherwise here.
    wide: Vec<Wide>,
    replicas: Vec<Labelled>,
}

/// A server. They are ordered by address, those of one address by their place.
trait Server: Copy + Ord {
    /// What is hashed, for replica 0.
    fn word(self) -> u64;
    fn weight(self) -> u8;
    fn place(self) -> u32;
}

/// One at an IPv4 address: the address, the place in [`PLACE`] bits, the weight.
type Narrow = u64;

/// Bits for the place of a [`Narrow`] server.
const PLACE: u32 = 24;

impl Server for Narrow {
    #[inline(always)]
    fn word(self) -> u64 {
        word(u128::from(self >> 32))
    }

    #[inline(always)]
    fn weight(self) -> u8 {
        self as u8
    }

    #[inline(always)]
    fn place(self) -> u32 {
        self as u32 >> 8
    }
}

/// One at any address.
type Wide = (SortKey, u32, u8);

impl Server for Wide {
    fn word(self) -> u64 {
        word(self.0.0)
    }

    fn weight(self) -> u8 {
        self.2
    }

    fn place(self) -> u32 {
        self.1
    }
}

impl Replicas {
    /// All replicas in the order of turns, each labelled with the place of its server.
    pub(super) fn list(&mut self, length: Length, servers: &[(IpAddr, u8)]) -> &mut [Labelled] {
        let placed = servers.iter().zip(0_u32..);
        if servers.len() <= 1 << PLACE && servers.iter().all(|(address, _)| address.is_ipv4()) {
            self.narrow.clear();
            self.narrow.extend(placed.map(|(&(address, weight), place)| {
                (sort_key(address).0 as u64) << 32 | u64::from(place << 8) | u64::from(weight)
            }));
            turns(length, &mut self.narrow, &mut self.replicas);
        } else {
            self.wide.clear();
            self.wide.extend(placed.map(|(&(address, weight), place)| (sort_key(address), place, weight)));
            turns(length, &mut self.wide, &mut self.replicas);
        }
        &mut self.replicas
    }
}

/// One round of turns for each replica number; servers without so many replicas drop out for good, those of weight 0 before
/// the first.
fn turns<S: Server>(length: Length, servers: &mut Vec<S>, replicas: &mut Vec<Labelled>) {
    servers.sort_unstable();
    replicas.clear();
    let rounds = servers.iter().map(|server| server.weight()).max().unwrap_or(0);
    for replica in 0..rounds {
        servers.retain(|server| server.weight() > replica);
        replicas.extend(servers.iter().map(|server| Labelled {
            cursor: cursor(length, server.word(), replica),
            label: server.place(),
        }));
    }
}

/// What VPP hashes of an address. It reads each half in the byte order of its machine, and that is little-endian wherever VPP
/// runs.
pub(super) fn word(octets: u128) -> u64 {
    let halves = octets.swap_bytes();
    (halves as u64) ^ ((halves >> 64) as u64)
}

/// Where a replica begins and how it goes on.
pub(super) fn cursor(length: Length, word: u64, replica: u8) -> Cursor {
    let mask = length.get() - 1;
    let seed = clib_xxhash(word ^ u64::from(replica));
    Cursor { at: (seed >> 32) as u32 & mask, skip: (seed as u32 | 1) & mask }
}

/// `clib_xxhash` of `src/vppinfra/xxhash.h`, which is XXH64 of the eight bytes under a seed VPP chose.
///
/// Written out because XXH64 of eight bytes is five multiplications, while a hasher for any number of bytes first has to find
/// out how many there are: a third of the time.
pub(super) fn clib_xxhash(key: u64) -> u64 {
    const SEED: u64 = 0x9e37_79b9_7f4a_7c13;
    const PRIME_1: u64 = 0x9e37_79b1_85eb_ca87;
    const PRIME_2: u64 = 0xc2b2_ae3d_27d4_eb4f;
    const PRIME_3: u64 = 0x1656_67b1_9e37_79f9;
    const PRIME_4: u64 = 0x85eb_ca77_c2b2_ae63;
    const PRIME_5: u64 = 0x27d4_eb2f_1656_67c5;
    let mixed = key.wrapping_mul(PRIME_2).rotate_left(31).wrapping_mul(PRIME_1);
    let hash = (SEED.wrapping_add(PRIME_5).wrapping_add(8) ^ mixed).rotate_left(27);
    let hash = hash.wrapping_mul(PRIME_1).wrapping_add(PRIME_4);
    let hash = (hash ^ hash >> 33).wrapping_mul(PRIME_2);
    let hash = (hash ^ hash >> 29).wrapping_mul(PRIME_3);
    hash ^ hash >> 32
}
