//! Pure. The configuration, resolved: every reference followed, every default filled in, nothing left to check.
//!
//! A [`Config`] only exists when it is valid, so whoever holds one need not doubt it. [`parse`] makes one of a file in
//! four steps, each of which reports all it finds wrong and goes on:
//!
//! | step | in | from | to |
//! |---|---|---|---|
//! | tree | `tree.rs` | YAML text | nodes with positions; aliases and merge keys resolved |
//! | raw | `raw.rs`, `probe.rs`, `params.rs` | nodes | typed values with positions, within their ranges; references are names |
//! | resolve | `resolve.rs` | raw | the [`Config`], its rules checked |
//! | lint | `lint.rs` | raw and [`Config`] | warnings |
//!
//! Every key there is stands in `keys.rs`. [`Diff`] tells two configurations apart.

mod access;
mod address;
mod client;
mod diagnostic;
mod diff;
mod document;
mod duration;
mod keys;
mod lint;
mod options;
mod params;
mod parse;
mod probe;
mod raw;
mod report;
mod resolve;
mod section;
mod suggest;
mod syntax;
mod tree;
mod value;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::check::HealthCheck;
use crate::names::{BackendName, CheckName, FrontendName, PoolName};
use crate::net::{Encap, Family, Vip};
use crate::weight::scale::{Fit, PoolWeights, Scale};
use crate::weight::{Weight, WeightSteps, auto_length};

pub use self::access::{ParsedAccess, parse as parse_access};
pub use self::client::{ClientConfig, ClientServer, parse as parse_client};
pub use self::diagnostic::{Class, Diagnostic, Errors, FileReference, Position, Severity};
pub use self::diff::{BackendChange, Change, CheckChange, Diff, FrontendChange, KeyChange};
pub use self::duration::{InvalidDuration, format_duration, parse_duration};
pub use self::options::{Options, ProbeType};
pub use self::parse::{Parsed, file_errors, parse};

/// A whole valid configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Config {
    /// How health is watched.
    pub health: HealthSettings,
    /// How VPP is driven.
    pub vpp: VppSettings,
    /// The health checks, also those that no backend uses.
    pub checks: BTreeMap<CheckName, Arc<HealthCheck>>,
    /// The backends, also those that no frontend uses.
    pub backends: BTreeMap<BackendName, Backend>,
    /// The frontends.
    pub frontends: BTreeMap<FrontendName, Frontend>,
}

/// The section `healthchecker`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthSettings {
    /// How many transitions are kept for each backend. At least 1; default 5.
    pub transition_history: usize,
    /// The network namespace probes are sent from: a name under `/run/netns` or a path. Absent: the daemon's own.
    pub netns: Option<String>,
}

/// The section `vpp.lb`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VppSettings {
    /// Source of GRE over IPv4.
    pub source_v4: Option<Ipv4Addr>,
    /// Source of GRE over IPv6.
    pub source_v6: Option<Ipv6Addr>,
    /// Time between full drift checks. Default 30 s.
    pub sync_interval: Duration,
    /// Buckets of the established-flow table of each VPP worker, a power of two. Default 65536.
    pub sticky_buckets_per_core: u32,
    /// How long VPP remembers an idle flow, in whole seconds from 1 to 120. Default 40 s.
    pub flow_timeout: Duration,
    /// How long after start nothing is written to VPP. Default 5 s.
    pub startup_min_delay: Duration,
    /// How long after start everything is written whether known or not; never less than the minimum. Default 30 s.
    pub startup_max_delay: Duration,
    /// What happens to VIPs in VPP that are not in the configuration.
    pub ownership: Ownership,
    /// How configured weights become weights in VPP.
    pub weight_scaling: WeightScaling,
}

/// What happens to VIPs in VPP that we did not create.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ownership {
    /// They are reported and never touched.
    #[default]
    Managed,
    /// They are removed.
    Exclusive,
}

/// How configured weights become weights in VPP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightScaling {
    /// The smallest whole numbers with the same ratios, which is what keeps flows in place.
    #[default]
    Ratio,
    /// As written.
    Raw,
}

/// One server address that is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backend {
    /// Its name, which is also its key.
    pub name: BackendName,
    /// Its address: where probes and packets go.
    pub address: IpAddr,
    /// How it is watched; a backend without a check is always up.
    pub check: Option<Arc<HealthCheck>>,
    /// Whether it may take traffic at all. An operator can override it at run time.
    pub enabled: bool,
}

/// One VIP and the pools behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frontend {
    /// Its name, which is also its key.
    pub name: FrontendName,
    /// For people.
    pub description: String,
    /// What packets it takes.
    pub vip: Vip,
    /// The family of all its backends.
    pub family: Family,
    /// In order of preference: the first with a backend that is up and has weight takes the traffic. Never empty.
    pub pools: Vec<Pool>,
    /// Send all flows of a source address to one server.
    pub src_ip_sticky: bool,
    /// Evict the established flows of a backend that goes down. Default true.
    pub flush_on_down: bool,
    /// The length of VPP's new-flow table.
    pub table_length: TableLength,
    /// Room for overrides; absent: as few steps as the configured weights need.
    pub weight_steps: Option<WeightSteps>,
}

impl Frontend {
    /// How VPP carries packets to the servers of this frontend.
    pub fn encap(&self) -> Encap {
        Encap::for_family(self.family)
    }

    /// Every (pool, member), in the order of the configuration.
    pub fn members(&self) -> impl Iterator<Item = (&Pool, &Member)> {
        self.pools.iter().flat_map(|pool| pool.members.iter().map(move |member| (pool, member)))
    }

    /// The configured weights, pool by pool.
    pub fn weights(&self) -> PoolWeights {
        PoolWeights::new(self.pools.iter().map(|pool| pool.members.iter().map(|member| member.weight)))
    }

    /// How many backends it has. One that is in several pools counts once.
    pub fn member_count(&self) -> usize {
        self.members().map(|(_, member)| &member.backend).collect::<BTreeSet<_>>().len()
    }

    /// The length its new-flow table should have, whatever the length of the VIP that is there.
    pub fn wanted_length(&self) -> u32 {
        match self.table_length {
            TableLength::Auto => auto_length(self.member_count(), self.weight_steps),
            TableLength::Fixed(length) => length,
        }
    }

    /// Whether a VIP whose table has the length `present` keeps it, although a fresh one would have another: the length is
    /// `auto`, and a VIP is not removed and added again for that without a request.
    pub fn keeps_length(&self, present: u32) -> bool {
        self.table_length == TableLength::Auto && present != self.wanted_length()
    }

    /// The scale of its weights and the length of its table, when overrides make these weights `in_force`.
    pub fn fit(&self, scaling: WeightScaling, in_force: &PoolWeights) -> Fit {
        let table_length = self.wanted_length();
        let scale = match scaling {
            WeightScaling::Raw => Scale::RAW,
            WeightScaling::Ratio => Scale::of(&self.weights(), in_force, self.weight_steps, table_length),
        };
        Fit { scale, table_length }
    }
}

/// Backends that share the traffic of a frontend while their pool is the active one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pool {
    /// Its name, unique in the frontend.
    pub name: PoolName,
    /// Its backends in the order of the configuration, no backend twice. Never empty.
    pub members: Vec<Member>,
}

/// A backend in a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The backend.
    pub backend: BackendName,
    /// Its share in relation to the others of the pool. Default 100.
    pub weight: Weight,
}

/// The length of a VIP's new-flow table in VPP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TableLength {
    /// Chosen from the number of backends and their steps. A VIP that has another length keeps it.
    #[default]
    Auto,
    /// Fixed: a power of two up to 65536.
    Fixed(u32),
}
