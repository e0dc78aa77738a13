//! Pure. Health checks whose probes cannot be made on this machine.

use std::collections::BTreeSet;

use crate::problems::{Problem, ProblemCode};
use crate::rehearsal::Blocked;

/// Names that one sentence lists.
const LISTED: usize = 10;

/// What the rehearsal of the probes found.
pub(in crate::problems) fn probes(blocked: &[Blocked], found: &mut Vec<Problem>) {
    for Blocked { capability, sentence, checks, backends, remedy, since } in blocked {
        let because = format!("{sentence}; backends {} keep the state they have", listed(backends));
        let problem = match capability {
            Some(capability) => Problem::new(ProblemCode::CapabilityMissing, because)
                .described_as(format!("{capability} missing")),
            None => Problem::new(ProblemCode::ProbesBlocked, because),
        };
        let problem = match remedy {
            Some(remedy) => problem.with_remedy(*remedy),
            None => problem,
        };
        found.push(problem.named(format!("healthcheck {}", listed(checks))).since(*since));
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    let mut list: Vec<_> = names.iter().take(LISTED).cloned().collect();
    if names.len() > LISTED {
        list.push(format!("and {} more", names.len() - LISTED));
    }
    list.join(", ")
}
