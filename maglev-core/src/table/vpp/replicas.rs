//! Pure. Who takes turns in VPP's table, in which order, and where each begins.
//!
//! In a short table this is as much work as filling it, so the common case, every server an IPv4 address, is made cheap:
//! address and place are one number, and sorting numbers takes a third of the time.

use std::net::IpAddr;

use crate::table::fill::Cursor;

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

/// The memory of [`Replicas::list`].
#[derive(Clone, Debug, Default)]
pub(super) struct Replicas {
    /// The addresses and places of servers that are all IPv4: one number each.
    narrow: Vec<u64>,
    /// The same of others.
    wide: Vec<(SortKey, u32)>,
    sorted: Vec<Server>,
    /// For each replica in turn its server.
    servers: Vec<u32>,
}

/// A server with a weight.
#[derive(Clone, Copy, Debug)]
struct Server {
    /// What is hashed, for replica 0.
    word: u64,
    weight: u8,
    index: u32,
}

impl Replicas {
    /// Puts a cursor for each replica into `cursors` in the order of turns, and returns for each the index of its server.
    pub(super) fn list(
        &mut self,
        length: Length,
        servers: &[(IpAddr, u8)],
        cursors: &mut Vec<Cursor>,
    ) -> &[u32] {
        self.sort(servers);
        cursors.clear();
        self.servers.clear();
        // One round for each replica number; those without so many replicas drop out for good.
        let rounds = self.sorted.iter().map(|server| server.weight).max().unwrap_or(0);
        for replica in 0..rounds {
            if replica > 0 {
                self.sorted.retain(|server| server.weight > replica);
            }
            cursors.extend(self.sorted.iter().map(|server| cursor(length, server.word, replica)));
            self.servers.extend(self.sorted.iter().map(|server| server.index));
        }
        &self.servers
    }

    /// Sorts the servers that have a weight by address, those of one address by their place.
    fn sort(&mut self, servers: &[(IpAddr, u8)]) {
        self.narrow.clear();
        self.wide.clear();
        self.sorted.clear();
        for (&(address, weight), index) in servers.iter().zip(0_u64..) {
            match address {
                _ if weight == 0 => {}
                IpAddr::V4(v4) => self.narrow.push(u64::from(u32::from(v4)) << 32 | index),
                IpAddr::V6(_) => return self.sort_wide(servers),
            }
        }
        self.narrow.sort_unstable();
        self.sorted.extend(self.narrow.iter().map(|&key| {
            let index = key as u32;
            Server { word: word(u128::from(key >> 32)), weight: servers[index as usize].1, index }
        }));
    }

    /// The same for addresses of any family.
    fn sort_wide(&mut self, servers: &[(IpAddr, u8)]) {
        let weighted = servers.iter().zip(0..).filter(|&(&(_, weight), _)| weight > 0);
        self.wide.extend(weighted.map(|(&(address, _), index)| (sort_key(address), index)));
        self.wide.sort_unstable();
        self.sorted.extend(self.wide.iter().map(|&((octets, _), index)| Server {
            word: word(octets),
            weight: servers[index as usize].1,
            index,
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
