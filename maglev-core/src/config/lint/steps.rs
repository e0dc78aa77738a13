//! Pure. `weight-steps` that has no effect, or that the table is too short for.

use super::LONGEST_TABLE;
use crate::config::report::{Place, Report};
use crate::config::{Frontend, WeightScaling};
use crate::weight::{Weight, WeightSteps};

/// How many buckets each step of each backend should have: with fewer, shares are off by more than 1 %, and a server that
/// goes takes more flows of others along.
const BUCKETS_PER_STEP: u64 = 100;

pub(super) fn lint(
    place: &Place,
    steps: WeightSteps,
    frontend: &Frontend,
    scaling: WeightScaling,
    report: &mut Report,
) {
    if scaling == WeightScaling::Raw {
        let message = "this has no effect on weights, which `weight-scaling: raw` sends as they are written";
        report.warning(place, message, "remove it, or write `weight-scaling: ratio` under `vpp.lb`");
        return;
    }
    let largest = frontend.members().map(|(_, member)| member.weight).max().unwrap_or(Weight::ZERO);
    // Half a step more than one step: what is below is sent as 1.
    if !largest.is_zero() && u32::from(largest.get()) * u32::from(steps.get()) < 150 {
        let message = format!("this leaves no room below the largest weight, {largest}, which is one step");
        report.warning(place, message, "write weights of up to 100, or more steps");
        return;
    }
    let members = u64::try_from(frontend.member_count()).unwrap_or(u64::MAX);
    let wanted = members.saturating_mul(u64::from(steps.get())).saturating_mul(BUCKETS_PER_STEP);
    let length = frontend.wanted_length();
    if wanted > u64::from(length) {
        let longer = wanted.checked_next_power_of_two().filter(|&longer| longer <= LONGEST_TABLE.into());
        let fewer = match u64::from(length) / members.saturating_mul(BUCKETS_PER_STEP).max(1) {
            0 | 1 => "remove it".to_owned(),
            fewer => format!("write `weight-steps: {fewer}`"),
        };
        let hint = match longer {
            Some(longer) => format!("write `new-flows-table-length: {longer}`, or {fewer}"),
            None => fewer,
        };
        let message = format!(
            "{steps} steps for each of {members} backends leave fewer than {BUCKETS_PER_STEP} of the table's {length} \
             buckets for a step, so that shares are off and a server that goes moves many flows of others"
        );
        report.warning(place, message, hint);
    }
}
