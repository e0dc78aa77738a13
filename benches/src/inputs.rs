//! Pure. Inputs to rotate through, the same in every run.

use std::net::IpAddr;

use fastrand::Rng;
use maglev_core::table::reference::Permutation;

/// How many inputs keep a branch predictor from learning them by heart: at least 16, and for small tables so many that they have
/// a million slots together.
pub fn count(length: u32) -> usize {
    ((1 << 20) / length as usize).max(16)
}

/// Random permutations of a prime length.
pub fn permutations(length: u32, backends: usize) -> Vec<Vec<Permutation>> {
    let mut random = Rng::with_seed(u64::from(length) << 32 | backends as u64);
    let mut one = || Permutation { offset: random.u32(..length), skip: random.u32(1..length) };
    (0..count(length)).map(|_| (0..backends).map(|_| one()).collect()).collect()
}

/// Weights drawn evenly from 1 to 100.
pub fn uniform_weights(backends: usize) -> Vec<u32> {
    let mut random = Rng::with_seed(backends as u64);
    (0..backends).map(|_| random.u32(1..=100)).collect()
}

/// One backend in ten weighs 100, the others 1.
pub fn skewed_weights(backends: usize) -> Vec<u32> {
    (0..backends).map(|backend| if backend % 10 == 0 { 100 } else { 1 }).collect()
}

/// Servers at random IPv4 addresses.
pub fn servers(length: u32, servers: usize, weight: u8) -> Vec<Vec<(IpAddr, u8)>> {
    let mut random = Rng::with_seed(u64::from(length) << 32 | servers as u64);
    let mut one = || (IpAddr::from(random.u32(..).to_be_bytes()), weight);
    (0..count(length)).map(|_| (0..servers).map(|_| one()).collect()).collect()
}

/// Names as an operator gives them.
pub fn names(backends: usize) -> Vec<String> {
    (0..backends).map(|backend| format!("backend-{backend}")).collect()
}
