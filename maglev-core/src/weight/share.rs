//! Pure. The shares of new flows that weights get in VPP's table: by arithmetic, without building the table.

use std::cmp::Reverse;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Weight;
use super::scale::Fit;

/// How many buckets of its new-flow table VPP gives to each server, in the order of `servers`, which are addresses with
/// weights as sent, no address twice.
///
/// VPP sorts all replicas by (replica, address) and lets them take one bucket each in turn until the table is full
/// (`lb_vip_update_new_flow_table` in `lb.c`). So with R replicas in a table of M each gets ⌊M/R⌋, and the first M mod R
/// of them one more. Where R exceeds M the last ones get none. Without replicas all buckets go to nobody.
pub fn buckets(table_length: u32, servers: &[(IpAddr, u8)]) -> Vec<u32> {
    let replicas: u64 = servers.iter().map(|&(_, weight)| u64::from(weight)).sum();
    if replicas == 0 {
        return vec![0; servers.len()];
    }
    // Both are at most `table_length`.
    let each = u32::try_from(u64::from(table_length) / replicas).unwrap_or(u32::MAX);
    let mut left = u64::from(table_length) % replicas;
    let mut buckets: Vec<u32> = servers.iter().map(|&(_, weight)| each * u32::from(weight)).collect();

    let mut order: Vec<usize> = (0..servers.len()).collect();
    order.sort_by_key(|&index| servers.get(index).map(|&(address, _)| sort_key(address)));
    let mut with_weight: Vec<(u8, usize)> =
        order.iter().filter_map(|&index| Some((servers.get(index)?.1, index))).collect();
    for replica in 0..u8::MAX {
        with_weight.retain(|&(weight, _)| weight > replica);
        for &(_, index) in &with_weight {
            if left == 0 {
                return buckets;
            }
            if let Some(count) = buckets.get_mut(index) {
                *count += 1;
            }
            left -= 1;
        }
    }
    buckets
}

/// VPP compares addresses as 16 bytes, an IPv4 address in the last four of them.
fn sort_key(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// A weight's share of new flows: what was wanted, and what the table gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The configured weight.
    pub weight: Weight,
    /// The sum of the configured weights of the servers that share the flows.
    pub weights: u64,
    /// The buckets it has.
    pub buckets: u32,
    /// The buckets there are.
    pub table_length: u32,
}

impl Share {
    /// The share wanted, from 0 to 1.
    pub fn wanted(self) -> f64 {
        if self.weights == 0 { 0.0 } else { f64::from(self.weight.get()) / self.weights as f64 }
    }

    /// The share given, from 0 to 1.
    pub fn given(self) -> f64 {
        if self.table_length == 0 { 0.0 } else { f64::from(self.buckets) / f64::from(self.table_length) }
    }

    /// How far the share given is off, in millionths of the one wanted; 0 where none is wanted.
    pub fn error_ppm(self) -> u64 {
        let wanted = u64::from(self.weight.get()).saturating_mul(u64::from(self.table_length));
        let given = u64::from(self.buckets).saturating_mul(self.weights);
        given.abs_diff(wanted).saturating_mul(1_000_000).checked_div(wanted).unwrap_or(0)
    }
}

/// The share of each server when these servers, with their configured weights, are the ones that take new flows. In the
/// order of `servers`, no address twice.
pub fn shares(fit: Fit, servers: &[(IpAddr, Weight)]) -> Vec<Share> {
    let sent: Vec<(IpAddr, u8)> =
        servers.iter().map(|&(address, weight)| (address, fit.scale.apply(weight))).collect();
    let weights = servers.iter().map(|(_, weight)| u64::from(weight.get())).sum();
    let table_length = fit.table_length;
    buckets(table_length, &sent)
        .into_iter()
        .zip(servers)
        .map(|(buckets, &(_, weight))| Share { weight, weights, buckets, table_length })
        .collect()
}

/// The share that is off the most, with its place in `shares`.
pub fn worst(shares: &[Share]) -> Option<(usize, Share)> {
    shares.iter().copied().enumerate().min_by_key(|&(index, share)| (Reverse(share.error_ppm()), index))
}

#[cfg(test)]
mod tests;
