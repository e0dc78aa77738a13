//! Pure. The shares of new flows that weights get in VPP's table: by arithmetic, without building the table.

use std::cmp::Reverse;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Weight;
use super::scale::Fit;
use crate::table::vpp::{self, Length};

/// How many buckets of its new-flow table VPP gives to each server: [`vpp::buckets`] for a length that may have been read
/// from somewhere. A table of a length that VPP would refuse has no buckets to give.
pub fn buckets(table_length: u32, servers: &[(IpAddr, u8)]) -> Vec<u32> {
    Length::new(table_length).map_or_else(|_| vec![0; servers.len()], |length| vpp::buckets(length, servers))
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
