//! Pure. What has to be written so that a dataplane has what it should.
//!
//! [`plan`] compares what is desired with what was observed and gives the operations in the order in which they are to be
//! sent. Nothing is left for their execution to decide, so what an operator is shown is what will run.
//!
//! # Order
//! VIPs are taken prefix by prefix in numeric order, IPv4 first. On each prefix VIPs are removed before others are added,
//! since VPP lets no two VIPs with different encapsulation share a prefix. Within a VIP that stays, additions and raises
//! come before reductions and removals: at no point between them is a VIP empty that had a server with weight before and
//! has one after. A VIP whose encapsulation, stickiness or (fixed) table length changes cannot stay; it is removed and
//! added again at once, and its operations say so.

mod fit;
mod operation;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

pub use self::operation::{Operation, OperationKind};
use crate::config::{Ownership, TableLength, VppSettings};
use crate::desired::{DesiredServer, DesiredVip, Reason};
use crate::names::{BackendName, FrontendName};
use crate::net::Vip;
use crate::observed::{Conf, Encapsulation, Observed, VipState};
use crate::weight::scale::{Fit, Scale};

/// One operation of a plan, and why it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The frontend it is for; none for the parameters of the load balancer and for VIPs that no frontend has.
    pub frontend: Option<FrontendName>,
    /// What to write.
    pub operation: Operation,
    /// Why.
    pub because: Because,
}

/// Why something is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// The parameters of the load balancer differ from the configuration.
    Conf,
    /// The VIP is missing.
    VipMissing,
    /// Properties of the VIP differ that can only be set when it is made.
    VipDiffers(Vec<Difference>),
    /// No frontend has the VIP any more.
    VipDropped,
    /// No frontend has the VIP, and the configuration says that all VIPs are ours.
    VipForeign,
    /// The server is missing.
    ServerMissing {
        /// The backend.
        backend: BackendName,
        /// Why it has its weight.
        because: Reason,
    },
    /// The VIP has no such server any more.
    ServerDropped,
    /// The server's weight differs.
    Weight {
        /// The backend.
        backend: BackendName,
        /// The weight it had.
        from: u8,
        /// Why it has its weight.
        because: Reason,
    },
    /// An operator asked to evict the server's flows.
    Flush {
        /// The backend.
        backend: BackendName,
    },
}

/// A property of a VIP that cannot be changed in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// How packets reach its servers.
    Encap,
    /// Whether flows stick to their source address.
    Stickiness,
    /// The length of the table of new flows.
    TableLength,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Difference::Encap => "encapsulation",
            Difference::Stickiness => "stickiness",
            Difference::TableLength => "table length",
        })
    }
}

/// What is to be written, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The operations.
    pub steps: Vec<Step>,
    /// How weights are scaled for each frontend that was planned for.
    pub fits: BTreeMap<FrontendName, Fit>,
}

/// What is known beside what is desired and observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// VIPs that a frontend has or had: ours to remove.
    pub ours: BTreeSet<Vip>,
    /// The scale of each frontend's weights, which is kept as long as it can express them.
    pub scales: BTreeMap<FrontendName, Scale>,
    /// Servers whose flows are to be evicted once, whatever their weight.
    pub flush: BTreeSet<(FrontendName, IpAddr)>,
}

/// What to plan for.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Everything: also the load balancer's parameters, and VIPs that are not desired.
    All {
        /// The parameters, and what to do about VIPs that no frontend has.
        settings: &'a VppSettings,
        /// VIPs that are not given and belong to a frontend all the same: they are left alone.
        reserved: &'a BTreeSet<Vip>,
    },
    /// Only the VIPs that are given as desired.
    Given,
}

/// Plans what makes `observed` what is `desired`, no two of which have the same VIP.
pub fn plan<'a>(
    desired: impl IntoIterator<Item = &'a DesiredVip>,
    observed: &Observed,
    memory: &Memory,
    scope: Scope<'_>,
) -> Plan {
    let desired: BTreeMap<Vip, &DesiredVip> = desired.into_iter().map(|vip| (vip.vip, vip)).collect();
    let mut plan = Plan::default();
    // By prefix: what goes, then what comes.
    let mut removals: BTreeMap<_, Vec<Step>> = BTreeMap::new();
    let mut rest: BTreeMap<_, Vec<Step>> = BTreeMap::new();

    if let Scope::All { settings, reserved } = scope {
        plan.steps.extend(conf_step(settings, &observed.conf, desired.is_empty()));
        let wanted = |vip| desired.contains_key(vip) || reserved.contains(vip);
        for state in observed.vips.iter().filter(|state| !wanted(&state.vip)) {
            let because = match settings.ownership {
                _ if memory.ours.contains(&state.vip) => Because::VipDropped,
                Ownership::Exclusive => Because::VipForeign,
                Ownership::Managed => continue,
            };
            let operation = Operation::RemoveVip { vip: state.vip };
            removals.entry(state.vip.prefix).or_default().push(Step { frontend: None, operation, because });
        }
    }
    for (vip, desired) in &desired {
        let present = observed.vip(vip);
        let differences = present.map(|present| differences(desired, present)).unwrap_or_default();
        let because = match present {
            None => Some(Because::VipMissing),
            Some(_) if differences.is_empty() => None,
            Some(_) => Some(Because::VipDiffers(differences)),
        };
        let stays = present.filter(|_| because.is_none());
        let fit = fit::fit(desired, present, stays, memory.scales.get(&desired.frontend).copied());
        plan.fits.insert(desired.frontend.clone(), fit);

        let step = |operation, because| Step { frontend: Some(desired.frontend.clone()), operation, because };
        let steps = rest.entry(vip.prefix).or_default();
        if let Some(because) = because {
            if present.is_some() {
                let removal = step(Operation::RemoveVip { vip: *vip }, because.clone());
                removals.entry(vip.prefix).or_default().push(removal);
            }
            let add = Operation::AddVip {
                vip: *vip,
                encap: desired.encap,
                table_length: fit.table_length,
                src_ip_sticky: desired.src_ip_sticky,
            };
            steps.push(step(add, because));
        }
        let flush = |address: &IpAddr| memory.flush.contains(&(desired.frontend.clone(), *address));
        steps.extend(
            server_operations(desired, stays, fit, flush)
                .into_iter()
                .map(|(operation, because)| step(operation, because)),
        );
    }
    let prefixes: BTreeSet<_> = removals.keys().chain(rest.keys()).copied().collect();
    for prefix in prefixes {
        plan.steps.extend(removals.remove(&prefix).unwrap_or_default());
        plan.steps.extend(rest.remove(&prefix).unwrap_or_default());
    }
    plan
}

/// The parameters of the load balancer, if they differ. A source that the configuration does not have stays as it is.
fn conf_step(settings: &VppSettings, present: &Conf, nothing_desired: bool) -> Option<Step> {
    let conf = Conf {
        ipv4_source: settings.source_v4.or(present.ipv4_source),
        ipv6_source: settings.source_v6.or(present.ipv6_source),
        sticky_buckets_per_core: settings.sticky_buckets_per_core,
        flow_timeout: settings.flow_timeout,
    };
    let step = Step { frontend: None, operation: Operation::SetConf(conf), because: Because::Conf };
    (conf != *present && !nothing_desired).then_some(step)
}

fn differences(desired: &DesiredVip, present: &VipState) -> Vec<Difference> {
    let table_length = match desired.table_length {
        TableLength::Auto => present.table_length,
        TableLength::Fixed(length) => length,
    };
    [
        (present.encap != Encapsulation::Gre(desired.encap)).then_some(Difference::Encap),
        (present.src_ip_sticky != desired.src_ip_sticky).then_some(Difference::Stickiness),
        (present.table_length != table_length).then_some(Difference::TableLength),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What to do about the servers of a VIP: additions and raises, then reductions and removals, each by address.
fn server_operations(
    desired: &DesiredVip,
    present: Option<&VipState>,
    fit: Fit,
    flush_now: impl Fn(&IpAddr) -> bool,
) -> Vec<(Operation, Because)> {
    let vip = desired.vip;
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for (&address, server) in &desired.servers {
        let weight = fit.scale.apply(server.weight);
        let DesiredServer { backend, because, flush, .. } = server;
        let Some(present) = present.and_then(|present| present.server(&address)) else {
            let because = Because::ServerMissing { backend: backend.clone(), because: because.clone() };
            first.push((Operation::AddServer { vip, address, weight }, because));
            continue;
        };
        let from = present.weight;
        let flush_now = flush_now(&address);
        if weight != from {
            let because = Because::Weight { backend: backend.clone(), from, because: because.clone() };
            let operation = Operation::SetWeight { vip, address, weight, flush: *flush || flush_now };
            let list = if weight > from { &mut first } else { &mut then };
            list.push((operation, because));
        } else if flush_now {
            let because = Because::Flush { backend: backend.clone() };
            then.push((Operation::SetWeight { vip, address, weight, flush: true }, because));
        }
    }
    let gone = present.iter().flat_map(|present| &present.servers);
    for server in gone.filter(|server| !desired.servers.contains_key(&server.address)) {
        let operation = Operation::RemoveServer { vip, address: server.address, flush: true };
        then.push((operation, Because::ServerDropped));
    }
    // Reductions and removals are one list by address.
    then.sort_by_key(|(operation, _)| address_of(operation));
    first.append(&mut then);
    first
}

const fn address_of(operation: &Operation) -> Option<IpAddr> {
    match operation {
        Operation::AddServer { address, .. }
        | Operation::RemoveServer { address, .. }
        | Operation::SetWeight { address, .. } => Some(*address),
        Operation::SetConf(_) | Operation::AddVip { .. } | Operation::RemoveVip { .. } => None,
    }
}

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;
