//! Pure. Which backend, frontend and pool of a new configuration is which of the old one.
//!
//! A name is not what makes a thing the same. A backend is its address and the question its check asks, a frontend is its
//! VIP, and a pool is its members. So what is known and wanted of a thing follows it to another name, where the match is
//! unique: exactly one of the old and one of the new are alike.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::check::{Fingerprint, HealthCheck, Thresholds};
use crate::config::{Backend, Frontend, Pool};
use crate::names::{BackendName, FrontendName, PoolName};
use crate::net::Vip;

/// What makes a backend the same under another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Its address.
    pub(super) address: IpAddr,
    /// A hash of what its check asks; absent where it has no check, or that is not known.
    question: Option<Fingerprint>,
}

impl Identity {
    pub(super) fn of(backend: &Backend) -> Self {
        // How many answers make a verdict is not part of the question.
        let question = |check: &HealthCheck| {
            let thresholds = Thresholds { rise: 1, fall: 1 };
            Fingerprint::of(backend.address, None, &HealthCheck { thresholds, ..check.clone() })
        };
        Identity { address: backend.address, question: backend.check.as_deref().map(question) }
    }
}

/// For each new backend the old one that it is. New ones that are none of the old are absent.
///
/// In this order: the same name and address; alike in address and question; alike in address; and what is left by name,
/// where the address changed.
pub(super) fn backends(
    old: &BTreeMap<BackendName, Identity>,
    new: &BTreeMap<BackendName, Identity>,
) -> BTreeMap<BackendName, BackendName> {
    let mut same = Matches::new(old, new);
    same.keep(|name, was, is| was.get(name).is_some_and(|was| was.address == is.address));
    same.pair(|identity| (identity.address, identity.question));
    same.pair(|identity| identity.address);
    same.keep(|_, _, _| true);
    same.origins
}

/// For each new frontend the old one that it is: by VIP, and what is left by name.
pub(super) fn frontends<'a>(
    old: impl Iterator<Item = &'a Frontend>,
    new: impl Iterator<Item = &'a Frontend>,
) -> BTreeMap<FrontendName, FrontendName> {
    let vip = |frontend: &Frontend| (frontend.name.clone(), frontend.vip);
    let (old, new): (BTreeMap<_, Vip>, BTreeMap<_, Vip>) = (old.map(vip).collect(), new.map(vip).collect());
    let mut same = Matches::new(&old, &new);
    same.keep(|name, was, is| was.get(name) == Some(is));
    same.pair(|vip| *vip);
    same.keep(|_, _, _| true);
    same.origins
}

/// For each new pool of a frontend the old one that it is: by name where they have a member in common, by exactly the same
/// members, by name, and where one of each is left and they have a member in common. `renamed` has the new name of each
/// old backend that is still there.
pub(super) fn pools(
    old: &[Pool],
    new: &[Pool],
    renamed: &BTreeMap<BackendName, BackendName>,
) -> BTreeMap<PoolName, PoolName> {
    type Members = BTreeSet<BackendName>;
    let new_name = |backend: &BackendName| renamed.get(backend).cloned();
    let was = |pool: &Pool| {
        (pool.name.clone(), pool.members.iter().filter_map(|member| new_name(&member.backend)).collect())
    };
    let is =
        |pool: &Pool| (pool.name.clone(), pool.members.iter().map(|member| member.backend.clone()).collect());
    let old: BTreeMap<PoolName, Members> = old.iter().map(was).collect();
    let new: BTreeMap<PoolName, Members> = new.iter().map(is).collect();
    let mut same = Matches::new(&old, &new);
    same.keep(|name, was, is| was.get(name).is_some_and(|was| !was.is_disjoint(is)));
    same.pair(Clone::clone);
    same.keep(|_, _, _| true);
    if let ([(was, members)], [(is, now)]) = (&same.old()[..], &same.new_ones()[..])
        && !members.is_disjoint(now)
    {
        let (was, is) = ((*was).clone(), (*is).clone());
        same.origins.insert(is, was);
    }
    same.origins
}

/// Finds for each new thing the old one that it is, with one rule after the other.
struct Matches<'a, N, T> {
    old: &'a BTreeMap<N, T>,
    new: &'a BTreeMap<N, T>,
    origins: BTreeMap<N, N>,
}

impl<'a, N: Clone + Ord, T> Matches<'a, N, T> {
    const fn new(old: &'a BTreeMap<N, T>, new: &'a BTreeMap<N, T>) -> Self {
        Matches { old, new, origins: BTreeMap::new() }
    }

    /// The old things that have no match yet.
    fn old(&self) -> Vec<(&'a N, &'a T)> {
        let used: BTreeSet<&N> = self.origins.values().collect();
        self.old.iter().filter(|(name, _)| !used.contains(name)).collect()
    }

    /// The new things that have no match yet.
    fn new_ones(&self) -> Vec<(&'a N, &'a T)> {
        self.new.iter().filter(|(name, _)| !self.origins.contains_key(*name)).collect()
    }

    /// Matches those of one name for which `is_same` holds.
    fn keep(&mut self, is_same: impl Fn(&N, &BTreeMap<N, T>, &T) -> bool) {
        let old: BTreeSet<&N> = self.old().into_iter().map(|(name, _)| name).collect();
        for (name, is) in self.new_ones() {
            if old.contains(name) && is_same(name, self.old, is) {
                self.origins.insert(name.clone(), name.clone());
            }
        }
    }

    /// Matches those that have a key in common with exactly one other.
    fn pair<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        let group = |things: Vec<(&'a N, &'a T)>| {
            let mut groups: BTreeMap<K, Vec<&'a N>> = BTreeMap::new();
            for (name, thing) in things {
                groups.entry(key(thing)).or_default().push(name);
            }
            groups
        };
        let mut old = group(self.old());
        for (key, is) in group(self.new_ones()) {
            if let ([is], Some([was])) = (&is[..], old.remove(&key).as_deref()) {
                self.origins.insert((*is).clone(), (*was).clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
