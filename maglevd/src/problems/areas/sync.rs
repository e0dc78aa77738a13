//! Pure. What VPP refused, and what it has that it should not have.

use std::collections::BTreeMap;
use std::time::Duration;

use maglev_core::engine::{BackendStatus, Engine, FrontendStatus};
use maglev_core::observed::Observed;
use maglev_core::time::Time;

use crate::clock::Reading;
use crate::problems::{Problem, ProblemCode};

/// A share that is off by more than this is uneven, as the alert has it.
const UNEVEN: f64 = 0.05;

/// What goes beyond so many sync intervals and this is stale, as the alert has it.
const STALE: (u32, Duration) = (4, Duration::from_secs(60));

/// Differences from what VPP should have, as last observed. `connected` is the time since which VPP is connected.
pub(in crate::problems) fn sync(
    engine: &Engine,
    connected: Option<Time>,
    reading: Reading,
    found: &mut Vec<Problem>,
) {
    for frontend in engine.frontends() {
        let status = engine.sync_status(frontend.name().as_str());
        let last = status.and_then(|status| status.last_success);
        if let Some(error) = status.and_then(|status| status.error.as_ref()) {
            found.push(
                Problem::new(ProblemCode::SyncRefused, error.as_str())
                    .named(frontend.name().as_str())
                    .since(last.map(|last| reading.wall(last))),
            );
        } else if let Some(connected) = connected
            && !engine.is_warming_up()
        {
            stale(engine, frontend, last.map_or(connected, |last| last.max(connected)), reading, found);
        }
        if let Some(believed) = engine.believed() {
            uneven(engine, frontend, believed, found);
        }
    }
    for kept in engine.kept_lengths() {
        let because = format!(
            "its table has {} entries, and one that is made now would have {}: other instances may have another table",
            kept.present, kept.wanted
        );
        let remedy = ProblemCode::TableLengthKept.remedy().replace("NAME", kept.frontend.as_str());
        found.push(
            Problem::new(ProblemCode::TableLengthKept, because)
                .named(kept.frontend.as_str())
                .with_remedy(remedy),
        );
    }
    for vip in engine.foreign_vips() {
        let because = "no frontend has it, and maglevd did not create it: it is left alone";
        found.push(Problem::new(ProblemCode::ForeignVip, because).named(vip));
    }
}

fn stale(engine: &Engine, frontend: &FrontendStatus, last: Time, reading: Reading, found: &mut Vec<Problem>) {
    let (intervals, more) = STALE;
    let limit = engine.config().vpp.sync_interval.saturating_mul(intervals).saturating_add(more);
    if reading.now().since(last) > limit {
        let because = format!(
            "VPP has not been compared with it, or not brought into agreement, for more than {limit:?}"
        );
        found.push(
            Problem::new(ProblemCode::SyncStale, because)
                .named(frontend.name().as_str())
                .since(reading.wall(last)),
        );
    }
}

/// A frontend whose servers do not get the shares their weights ask for.
fn uneven(engine: &Engine, frontend: &FrontendStatus, believed: &Observed, found: &mut Vec<Problem>) {
    let Some(state) = believed.vip(&frontend.config().vip) else { return };
    let decisions = frontend.decision().pools.iter().flatten();
    let mut wanted = BTreeMap::<&str, u32>::new();
    for ((_, member), decision) in frontend.config().members().zip(decisions) {
        *wanted.entry(member.backend.as_str()).or_default() += u32::from(decision.weight.get());
    }
    let total: u32 = wanted.values().sum();
    if total == 0 || state.table_length == 0 {
        return;
    }
    let address = |name| engine.backend(name).map(BackendStatus::config).map(|config| config.address);
    let off = wanted.into_iter().filter_map(|(name, weight)| {
        let server = state.server(&address(name)?)?;
        let asked = f64::from(weight) / f64::from(total);
        let given = f64::from(server.buckets) / f64::from(state.table_length);
        Some((name, asked, given))
    });
    let worst = off.max_by(|one, other| (one.1 - one.2).abs().total_cmp(&(other.1 - other.2).abs()));
    if let Some((name, asked, given)) = worst
        && (asked - given).abs() > UNEVEN
    {
        let because = format!(
            "its table of {} gives backend {name} {:.1} % of new flows, and its weight asks for {:.1} %",
            state.table_length,
            given * 100.0,
            asked * 100.0
        );
        found.push(Problem::new(ProblemCode::ShareUneven, because).named(frontend.name().as_str()));
    }
}
