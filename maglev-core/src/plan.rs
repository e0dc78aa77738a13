//! Pure. What has to be written so that a dataplane has what it should.
//!
//! [`plan`] compares what is desired with what was observed and gives the operations in the order in which they are to be
//! sent. Nothing is left for their execution to decide, so what an operator is shown is what will run.
//!
//! # Order
//! VIPs are taken prefix by prefix in numeric order, IPv4 first. On each prefix VIPs are removed before others are added,
//! since VPP lets no two VIPs with different encapsulation share a prefix. Within a VIP that stays, additions and raises
//! come before reductions and removals: at no point between them is a VIP empty that had a server with weight before and
//! has one after. A raise may be refused, or acknowledged and not done. So a reduction or removal without which no server of
//! the VIP is known to have weight waits ([`Step::waits`]): the raises are sent first, and it follows from the next
//! observation. A VIP whose encapsulation, stickiness or (fixed) table length changes cannot stay; it is removed and
//! added again at once, and its operations say so.

mod because;
mod impact;
mod operation;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Serialize;

pub use self::because::{Because, Difference};
pub use self::impact::{Impact, impacts};
pub use self::operation::{Operation, OperationKind};
use crate::config::{Ownership, VppSettings};
use crate::desired::{DesiredServer, DesiredVip};
use crate::names::FrontendName;
use crate::net::Vip;
use crate::observed::{Conf, Encapsulation, Observed, VipState};

/// One operation of a plan, and why it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The frontend it is for; none for the parameters of the load balancer and for VIPs that no frontend has.
    pub frontend: Option<FrontendName>,
    /// What to write.
    pub operation: Operation,
    /// Why.
    pub because: Because,
    /// Whether it must not be sent before another observation: it takes weight from a VIP, and no other server of the VIP
    /// is known to have any. What gives another server weight is a step before it, or was written since the last
    /// observation, and may have been refused, or acknowledged and not done. The VIP would be empty then.
    pub waits: bool,
}

/// What is to be written, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The operations.
    pub steps: Vec<Step>,
}

/// What is known beside what is desired and observed. All of it is about VIPs and not about frontends, so that a frontend
/// with another name finds what it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// VIPs that a frontend has or had: ours to remove.
    pub ours: BTreeSet<Vip>,
    /// VIPs of length `auto` that are to be removed and added again, once, if they have another length than is wanted.
    pub recreate: BTreeSet<Vip>,
    /// Servers that had no weight at the last observation, and the weight that was written and acknowledged since.
    pub unconfirmed: BTreeMap<(Vip, IpAddr), u8>,
    /// Servers whose flows are to be evicted once, whatever their weight.
    pub flush: BTreeSet<(Vip, IpAddr)>,
    /// The servers of each VIP whose flows were to be evicted, and have been. A server that is not among them and is to
    /// be flushed now may still have flows, also at weight 0: it had been paused, or in a pool that takes over no more. Of
    /// a VIP that is not here nothing is known, and it is taken to have been left in order.
    pub evicted: BTreeMap<Vip, BTreeSet<IpAddr>>,
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
            plan.steps.push(Step { frontend: None, operation, because, waits: false });
        }
    }
    for (vip, desired) in &desired {
        let present = observed.vip(vip);
        let keep_length = !memory.recreate.contains(vip);
        let differences =
            present.map(|present| differences(desired, present, keep_length)).unwrap_or_default();
        let because = match present {
            None => Some(Because::VipMissing),
            Some(_) if differences.is_empty() => None,
            Some(_) => Some(Because::VipDiffers(differences)),
        };
        let stays = present.filter(|_| because.is_none());
        let frontend = || Some(desired.frontend.clone());
        let step = |operation, because| Step { frontend: frontend(), operation, because, waits: false };
        if let Some(because) = because {
            if present.is_some() {
                plan.steps.push(step(Operation::RemoveVip { vip: *vip }, because.clone()));
            }
            let add = Operation::AddVip {
                vip: *vip,
                encap: desired.encap,
                table_length: desired.fit.table_length,
                src_ip_sticky: desired.src_ip_sticky,
            };
            plan.steps.push(step(add, because));
        }
        let depends = stays.is_some_and(|present| depends_on_raises(desired, present, memory));
        for (operation, because) in server_operations(desired, stays, memory) {
            let waits = depends && stays.is_some_and(|present| takes_weight(&operation, present));
            plan.steps.push(Step { waits, ..step(operation, because) });
        }
    }
    // Stable, so what belongs to a VIP stays in its order. The parameters have no VIP and go first.
    plan.steps.sort_by_key(|step| {
        let vip = step.operation.vip();
        (vip.map(|vip| vip.prefix), !matches!(step.operation, Operation::RemoveVip { .. }), vip)
    });
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
    let step =
        Step { frontend: None, operation: Operation::SetConf(conf), because: Because::Conf, waits: false };
    (conf != *present && !nothing_desired).then_some(step)
}

/// The properties for which a VIP has to be removed and added again. A length that was chosen for it is one of them only
/// where it need not be kept.
fn differences(desired: &DesiredVip, present: &VipState, keep_length: bool) -> Vec<Difference> {
    let kept = keep_length && desired.keeps_length(present.table_length);
    [
        (present.encap != Encapsulation::Gre(desired.encap)).then_some(Difference::Encap),
        (present.src_ip_sticky != desired.src_ip_sticky).then_some(Difference::Stickiness),
        (present.table_length != desired.fit.table_length && !kept).then_some(Difference::TableLength),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether a VIP that has weight, and is to have weight, has none for certain on servers that are to keep it.
fn depends_on_raises(desired: &DesiredVip, present: &VipState, memory: &Memory) -> bool {
    let mut wanted = desired.servers.iter().filter(|(_, s)| desired.fit.scale.apply(s.weight) > 0).peekable();
    let has_weight = |address: &IpAddr| present.server(address).is_some_and(|server| server.weight > 0);
    let confirmed =
        |address: &IpAddr| has_weight(address) && !memory.unconfirmed.contains_key(&(desired.vip, *address));
    present.servers.iter().any(|server| server.weight > 0)
        && wanted.peek().is_some()
        && !wanted.any(|(address, _)| confirmed(address))
}

/// Whether an operation takes weight from a server of a VIP.
fn takes_weight(operation: &Operation, present: &VipState) -> bool {
    let has = |address| present.server(address).map_or(0, |server| server.weight);
    match operation {
        Operation::SetWeight { address, weight, .. } => *weight < has(address),
        Operation::RemoveServer { address, .. } => has(address) > 0,
        Operation::SetConf(_)
        | Operation::AddVip { .. }
        | Operation::RemoveVip { .. }
        | Operation::AddServer { .. } => false,
    }
}

/// What to do about the servers of a VIP: additions and raises, then reductions and removals, each by address.
fn server_operations(
    desired: &DesiredVip,
    present: Option<&VipState>,
    memory: &Memory,
) -> Vec<(Operation, Because)> {
    let vip = desired.vip;
    let evicted = memory.evicted.get(&vip);
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for (&address, server) in &desired.servers {
        let weight = desired.fit.scale.apply(server.weight);
        let DesiredServer { backend, because, flush, .. } = server.clone();
        let Some(present) = present.and_then(|present| present.server(&address)) else {
            let because = Because::ServerMissing { backend, because };
            first.push((Operation::AddServer { vip, address, weight }, because));
            continue;
        };
        let from = present.weight;
        let asked = memory.flush.contains(&(vip, address));
        let operation = Operation::SetWeight { vip, address, weight, flush: flush || asked };
        if weight != from {
            let list = if weight > from { &mut first } else { &mut then };
            list.push((operation, Because::Weight { backend, from, because }));
        } else if asked {
            then.push((operation, Because::Flush { backend }));
        } else if flush && evicted.is_some_and(|evicted| !evicted.contains(&address)) {
            then.push((operation, Because::Evict { backend, because }));
        }
    }
    let gone = present.iter().flat_map(|present| &present.servers);
    for server in gone.filter(|server| !desired.servers.contains_key(&server.address)) {
        let operation = Operation::RemoveServer { vip, address: server.address, flush: true };
        then.push((operation, Because::ServerDropped));
    }
    // Reductions and removals are one list by address.
    then.sort_by_key(|(operation, _)| operation.server());
    first.append(&mut then);
    first
}

#[cfg(test)]
pub(crate) mod model;
#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;
