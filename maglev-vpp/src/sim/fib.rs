//! Pure. Just enough of a routing table: which prefixes have a route, and where its packets are counted.

use std::collections::BTreeMap;

use super::ip46::Prefix46;
use super::pool::Pool;

/// Load-balance objects a VPP has before anybody configures anything: the first route of ours is number 8.
const BUILT_IN: usize = 8;

/// Routes, each with the number of its load-balance object, which is also its place among the counters.
#[derive(Clone, Debug)]
pub(super) struct Fib {
    routes: BTreeMap<Prefix46, Route>,
    numbers: Pool<()>,
}

#[derive(Clone, Copy, Debug)]
struct Route {
    number: u32,
    users: usize,
}

impl Default for Fib {
    fn default() -> Fib {
        let mut numbers = Pool::default();
        for _ in 0..BUILT_IN {
            numbers.insert(());
        }
        Fib { routes: BTreeMap::new(), numbers }
    }
}

impl Fib {
    /// Adds a route, or another user of one that is there.
    pub(super) fn add(&mut self, prefix: Prefix46) -> u32 {
        let numbers = &mut self.numbers;
        let route = self.routes.entry(prefix).or_insert_with(|| {
            let number = u32::try_from(numbers.insert(())).unwrap_or(u32::MAX);
            Route { number, users: 0 }
        });
        route.users += 1;
        route.number
    }

    /// Takes one user off a route; the last one takes it away.
    pub(super) fn remove(&mut self, prefix: Prefix46) {
        let Some(route) = self.routes.get_mut(&prefix) else { return };
        route.users -= 1;
        if route.users == 0 {
            self.numbers.remove(route.number as usize);
            self.routes.remove(&prefix);
        }
    }

    /// The route of exactly this prefix, or without `exact` the longest that covers its first address.
    pub(super) fn lookup(&self, prefix: Prefix46, exact: bool) -> Option<(Prefix46, u32)> {
        if exact {
            return self.routes.get(&prefix).map(|route| (prefix, route.number));
        }
        let shorter = (0..=prefix.length).rev().map(|length| {
            let mut shorter = prefix.wire();
            shorter.length = if prefix.is_ipv4() { length.saturating_sub(96) } else { length };
            Prefix46::from(shorter)
        });
        shorter.into_iter().find_map(|prefix| self.routes.get(&prefix).map(|route| (prefix, route.number)))
    }
}
