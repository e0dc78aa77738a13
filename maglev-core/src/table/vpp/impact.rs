//! Pure. What a change of servers or weights does to the new flows of a VIP, before VPP is told of it.

use std::net::IpAddr;

use serde::Serialize;

use crate::table::difference::Difference;
use crate::table::entries::{Entries, Table};

use super::{Length, build};

#[cfg(test)]
mod tests;

/// What a change does to the new flows of a VIP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Impact {
    /// From how it is to how it will be: shares before and after, who loses what to whom.
    pub difference: Difference<IpAddr>,
    /// The worst moment on the way, if a state on the way is worse than the end.
    pub worst: Option<Moment>,
}

/// The state between two operations, in slots.
///
/// The worst is the one with most slots unserved, and of several the one with most astray.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Moment {
    /// Slots that are nobody's then, but were or will be somebody's: their flows are dropped.
    pub unserved: u32,
    /// Slots of a server that neither had them before nor will have them after: their flows are moved twice.
    pub astray: u32,
    /// After how many operations, counted from 1.
    pub after: usize,
}

/// Works out what it does to a VIP's new flows when servers and weights go from `before` through the states `between` to
/// `after`.
///
/// Each state is the whole list of (address, weight) of the VIP, in any order. VPP builds a table after every operation, so
/// the states between are those after all operations but the last; leave them out to learn only about the end.
///
/// Takes the time of building one table a state.
pub fn impact(
    length: Length,
    before: &[(IpAddr, u8)],
    between: &[Vec<(IpAddr, u8)>],
    after: &[(IpAddr, u8)],
) -> Impact {
    let (start, end) = (build(length, before), build(length, after));
    let moments = between.iter().zip(1..).map(|(state, after)| {
        let (unserved, astray) = judge(&start, &build(length, state), &end);
        Moment { unserved, astray, after }
    });
    // The first of equals, so that the answer does not depend on how long a bad state lasts.
    let worst = moments.reduce(|worst, next| {
        if (next.unserved, next.astray) > (worst.unserved, worst.astray) { next } else { worst }
    });
    Impact {
        difference: Difference::of_same_length(&start, &end),
        worst: worst.filter(|worst| worst.unserved > 0 || worst.astray > 0),
    }
}

/// How many slots are nobody's without need, and how many astray.
fn judge(start: &Table<IpAddr>, now: &Table<IpAddr>, end: &Table<IpAddr>) -> (u32, u32) {
    let servers = |table: &Table<IpAddr>| -> Vec<Option<IpAddr>> {
        let entries: Entries<'_> = table.entries();
        entries.iter().map(|entry| table.backends().get(entry).copied()).collect()
    };
    let (mut unserved, mut astray) = (0, 0);
    for ((start, now), end) in servers(start).into_iter().zip(servers(now)).zip(servers(end)) {
        match now {
            None => unserved += u32::from(start.is_some() || end.is_some()),
            Some(_) => astray += u32::from(now != start && now != end),
        }
    }
    (unserved, astray)
}
