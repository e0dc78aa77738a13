//! Pure. The connection to VPP: not there, not answering, not usable.

use std::time::{Duration, SystemTime};

use crate::problems::{Problem, ProblemCode};
use crate::vpp::{Health, Status};

/// How long VPP may leave a request without an answer. A busy one answers within a second.
const ANSWER: Duration = Duration::from_secs(1);

/// What is known of VPP without asking it.
pub(in crate::problems) struct Vpp {
    /// The status of the connection and of the counters.
    pub(in crate::problems) health: Health,
    /// The start warm-up keeps something from being written.
    pub(in crate::problems) warming_up: bool,
    /// The present time.
    pub(in crate::problems) now: SystemTime,
}

/// The connection to VPP.
pub(in crate::problems) fn vpp(vpp: &Vpp, found: &mut Vec<Problem>) {
    let Health { status, since, unanswered, stats, dropping } = &vpp.health;
    match status {
        Status::Disconnected { problem } => {
            found.push(Problem::new(ProblemCode::VppDisconnected, problem).since(*since));
        }
        Status::Unsupported { problem, .. } => {
            found.push(Problem::new(ProblemCode::VppUnsupported, problem).since(*since));
        }
        Status::Connected(_) => {
            if vpp.warming_up {
                let because = "frontends with backends that have no verdict yet are not written";
                found.push(Problem::new(ProblemCode::VppWarmingUp, because).since(*since));
            }
        }
    }
    if let Some(waiting) = unanswered
        && *waiting >= ANSWER
    {
        let because = format!(
            "a request has had no answer for {}; nothing can be written meanwhile",
            humantime::format_duration(Duration::from_secs(waiting.as_secs()))
        );
        found.push(Problem::new(ProblemCode::VppHanging, because).since(vpp.now.checked_sub(*waiting)));
    }
    if let Some(stats) = stats {
        let because = format!("packet counters and the restart of VPP are not seen: {}", stats.failing.error);
        found.push(
            Problem::new(ProblemCode::StatsUnreadable, because)
                .named(stats.path.display().to_string())
                .since(stats.failing.since),
        );
    }
    for (vip, packets) in dropping {
        let because =
            format!("{packets} packets found no server between the last two readings of VPP's counters");
        found.push(Problem::new(ProblemCode::PacketsDropped, because).named(vip));
    }
}
