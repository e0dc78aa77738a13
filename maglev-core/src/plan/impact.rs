//! Pure. What carrying out a plan does to new flows.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::names::FrontendName;
use crate::net::Vip;
use crate::observed::{Observed, VipState};
use crate::plan::{Operation, Plan};
use crate::table::Difference;
use crate::table::vpp::{self, Length, Moment};

/// What carrying out a plan does to the new flows of one VIP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Impact {
    /// The frontend; none for a VIP that no frontend has.
    pub frontend: Option<FrontendName>,
    /// The VIP.
    pub vip: Vip,
    /// Whether the VIP is made anew, so that for a moment it is not there and all established flows are lost.
    pub recreated: bool,
    /// Shares before and after, and who loses what to whom. A VIP that is not there has all slots with nobody.
    pub difference: Difference<IpAddr>,
    /// The worst state on the way from the one to the other, where that is worse than the end. Not told for a VIP that is
    /// added, removed or made anew.
    pub worst: Option<Moment>,
}

/// What a plan does to the new flows of each VIP it writes to, in the order of the VIPs. `observed` is what it was made
/// for.
///
/// It builds VPP's table once for each operation that changes a server, so give it time: a microsecond for every 200
/// entries of a table.
pub fn impacts(plan: &Plan, observed: &Observed) -> Vec<Impact> {
    let mut steps: BTreeMap<Vip, (Option<FrontendName>, Vec<&Operation>)> = BTreeMap::new();
    for step in &plan.steps {
        if let Some(vip) = step.operation.vip() {
            let (frontend, operations) = steps.entry(vip).or_default();
            frontend.clone_from(&step.frontend);
            operations.push(&step.operation);
        }
    }
    let impact =
        |(vip, (frontend, operations)): (Vip, (_, Vec<_>))| impact(vip, frontend, &operations, observed);
    steps.into_iter().filter_map(impact).collect()
}

/// `None` where a table has a length VPP would refuse.
fn impact(
    vip: Vip,
    frontend: Option<FrontendName>,
    operations: &[&Operation],
    observed: &Observed,
) -> Option<Impact> {
    let before = observed.vip(&vip);
    // Only this VIP matters from here on.
    let vips = before.cloned().into_iter().collect();
    let mut world = Observed { conf: observed.conf, vips, foreign: Vec::new() };
    let mut between = Vec::with_capacity(operations.len());
    for operation in operations {
        world.apply(operation);
        between.push(world.vip(&vip).map(servers).unwrap_or_default());
    }
    // The state after the last operation is the end, not on the way to it.
    between.pop();
    let after = world.vip(&vip);

    let remade =
        operations.iter().any(|o| matches!(o, Operation::AddVip { .. } | Operation::RemoveVip { .. }));
    let length = |state: Option<&VipState>| Length::new(state?.table_length).ok();
    let (from, to) = (length(before.or(after))?, length(after.or(before))?);
    let (start, end) = (before.map(servers).unwrap_or_default(), after.map(servers).unwrap_or_default());
    let (difference, worst) = if remade {
        (Difference::between(&vpp::build(from, &start), &vpp::build(to, &end)).ok()?, None)
    } else {
        let impact = vpp::impact(from, &start, &between, &end);
        (impact.difference, impact.worst)
    };
    let recreated = remade && before.is_some() && after.is_some();
    Some(Impact { frontend, vip, recreated, difference, worst })
}

fn servers(state: &VipState) -> Vec<(IpAddr, u8)> {
    state.servers.iter().map(|server| (server.address, server.weight)).collect()
}

#[cfg(test)]
mod tests;
