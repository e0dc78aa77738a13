//! Pure. How others build a table, written to be measured: plain, with reused memory, and giving the right result.

use std::net::IpAddr;

use maglev_core::table::reference::Permutation;

#[cfg(test)]
mod tests;

/// Nobody's slot.
const FREE: u32 = u32::MAX;

/// Pseudocode 1 of the Maglev paper, permutations computed on the fly: one multiplication and one remainder a probe.
#[derive(Debug, Default)]
pub struct Naive {
    next: Vec<u32>,
    saved: Vec<u32>,
    entries: Vec<u32>,
}

impl Naive {
    /// Builds a table.
    pub fn build(&mut self, length: u32, backends: &[Permutation]) -> &[u32] {
        self.entries.clear();
        self.entries.resize(length as usize, FREE);
        self.next.clear();
        self.next.resize(backends.len(), 0);
        let mut filled = 0;
        loop {
            for (backend, permutation) in backends.iter().enumerate() {
                self.take(length, backend, permutation);
                filled += 1;
                if filled == length {
                    return &self.entries;
                }
            }
        }
    }

    /// Builds a table by weight, with Katran's schedule: who has saved up the largest weight pays it for a turn.
    pub fn build_weighted(&mut self, length: u32, backends: &[Permutation], weights: &[u32]) -> &[u32] {
        self.entries.clear();
        self.entries.resize(length as usize, FREE);
        self.next.clear();
        self.next.resize(backends.len(), 0);
        self.saved.clear();
        self.saved.resize(backends.len(), 0);
        let heaviest = weights.iter().copied().max().unwrap_or(0);
        let mut filled = 0;
        loop {
            for (backend, permutation) in backends.iter().enumerate() {
                self.saved[backend] += weights[backend];
                if self.saved[backend] < heaviest {
                    continue;
                }
                self.saved[backend] -= heaviest;
                self.take(length, backend, permutation);
                filled += 1;
                if filled == length {
                    return &self.entries;
                }
            }
        }
    }

    #[inline(always)]
    fn take(&mut self, length: u32, backend: usize, permutation: &Permutation) {
        let slot = |turn: u32| {
            let way = u64::from(permutation.offset) + u64::from(turn) * u64::from(permutation.skip);
            (way % u64::from(length)) as usize
        };
        let next = &mut self.next[backend];
        let mut c = slot(*next);
        while self.entries[c] != FREE {
            *next += 1;
            c = slot(*next);
        }
        self.entries[c] = backend as u32;
        *next += 1;
    }
}

/// The way of Linux's `ip_vs_mh`: where each backend stands is kept, a step is an addition and a conditional subtraction, and a
/// bitmap says what is taken.
#[derive(Debug, Default)]
pub struct IpVsMh {
    at: Vec<u32>,
    taken: Vec<u64>,
    entries: Vec<u32>,
}

impl IpVsMh {
    /// Builds a table.
    pub fn build(&mut self, length: u32, backends: &[Permutation]) -> &[u32] {
        self.entries.clear();
        self.entries.resize(length as usize, FREE);
        self.taken.clear();
        self.taken.resize(length.div_ceil(64) as usize, 0);
        self.at.clear();
        self.at.extend(backends.iter().map(|permutation| permutation.offset));
        let mut filled = 0;
        loop {
            for ((backend, permutation), at) in (0..).zip(backends).zip(&mut self.at) {
                let mut c = *at;
                while self.taken[(c / 64) as usize] >> (c % 64) & 1 != 0 {
                    c += permutation.skip;
                    if c >= length {
                        c -= length;
                    }
                }
                *at = c;
                self.taken[(c / 64) as usize] |= 1 << (c % 64);
                self.entries[c as usize] = backend;
                filled += 1;
                if filled == length {
                    return &self.entries;
                }
            }
        }
    }
}

/// The way of VPP's `lb` plugin, from servers to buckets: replicas, sort, hash, fill. 0 is a free bucket, as there.
#[derive(Debug, Default)]
pub struct Vpp {
    replicas: Vec<Replica>,
    entries: Vec<u32>,
}

#[derive(Debug)]
struct Replica {
    server: u32,
    replica: u32,
    last: u32,
    skip: u32,
}

impl Vpp {
    /// Builds a table; `length` is a power of two. Entries are the servers' places counted from 1.
    pub fn build(&mut self, length: u32, servers: &[(IpAddr, u8)]) -> &[u32] {
        let mask = length - 1;
        let octets: Vec<[u8; 16]> = servers.iter().map(|&(address, _)| octets(address)).collect();
        self.replicas.clear();
        for (&(_, weight), server) in servers.iter().zip(0..) {
            let replicas =
                (0..u32::from(weight)).map(|replica| Replica { server, replica, last: 0, skip: 0 });
            self.replicas.extend(replicas);
        }
        self.replicas.sort_by(|a, b| {
            a.replica.cmp(&b.replica).then_with(|| octets[a.server as usize].cmp(&octets[b.server as usize]))
        });
        for replica in &mut self.replicas {
            let halves = u128::from_le_bytes(octets[replica.server as usize]);
            let seed = xxhash((halves as u64) ^ ((halves >> 64) as u64) ^ u64::from(replica.replica));
            replica.skip = (seed as u32 | 1) & mask;
            replica.last = (seed >> 32) as u32 & mask;
        }
        self.entries.clear();
        self.entries.resize(length as usize, 0);
        let mut done = 0;
        loop {
            for replica in &mut self.replicas {
                loop {
                    let last = replica.last;
                    replica.last = (replica.last + replica.skip) & mask;
                    if self.entries[last as usize] == 0 {
                        self.entries[last as usize] = replica.server + 1;
                        break;
                    }
                }
                done += 1;
                if done == length {
                    return &self.entries;
                }
            }
        }
    }
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)).to_be_bytes(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn xxhash(key: u64) -> u64 {
    const PRIME_1: u64 = 11_400_714_785_074_694_791;
    const PRIME_2: u64 = 14_029_467_366_897_019_727;
    const PRIME_3: u64 = 1_609_587_929_392_839_161;
    const PRIME_4: u64 = 9_650_029_242_287_828_579;
    const PRIME_5: u64 = 2_870_177_450_012_600_261;
    let k1 = key.wrapping_mul(PRIME_2).rotate_left(31).wrapping_mul(PRIME_1);
    let mut hash = 0x9e37_79b9_7f4a_7c13_u64.wrapping_add(PRIME_5).wrapping_add(8) ^ k1;
    hash = hash.rotate_left(27).wrapping_mul(PRIME_1).wrapping_add(PRIME_4);
    hash = (hash ^ (hash >> 33)).wrapping_mul(PRIME_2);
    hash = (hash ^ (hash >> 29)).wrapping_mul(PRIME_3);
    hash ^ (hash >> 32)
}

/// How many entries differ, and from whom to whom, counted the plain way: a map from pairs to counts.
pub fn difference(before: &[u32], after: &[u32]) -> std::collections::HashMap<(u32, u32), u32> {
    let mut moves = std::collections::HashMap::new();
    for (&from, &to) in before.iter().zip(after) {
        if from != to {
            *moves.entry((from, to)).or_insert(0) += 1;
        }
    }
    moves
}
