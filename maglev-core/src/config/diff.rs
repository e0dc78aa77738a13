//! Pure. What a reload changes.

mod keys;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::keys::KeyChange;
use super::{Backend, Config, Frontend};
use crate::check::HealthCheck;
use crate::names::{BackendName, CheckName, FrontendName};

/// What differs between two configurations. What is the same is not mentioned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The section `healthchecker` differs. A new network namespace is also a new question to every backend.
    pub health: bool,
    /// The section `vpp` differs.
    pub vpp: bool,
    /// By check.
    pub checks: BTreeMap<CheckName, Change<CheckChange>>,
    /// By backend. A backend whose check is changed is changed.
    pub backends: BTreeMap<BackendName, Change<BackendChange>>,
    /// By frontend. A frontend is not changed by its backends alone.
    pub frontends: BTreeMap<FrontendName, Change<FrontendChange>>,
}

/// What became of one thing with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change<T> {
    /// It is new.
    Added,
    /// It is there before and after, and differs in this.
    Changed(T),
    /// It is gone.
    Removed,
}

/// What differs in a check. Something does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckChange {
    /// What is asked, or from where: its answers are no longer comparable with those before.
    pub question: bool,
    /// How often it is asked or how long is waited for the answer.
    pub pace: bool,
    /// How many answers make a verdict.
    pub thresholds: bool,
}

/// What differs in a backend. Something does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BackendChange {
    /// Its address: it is another server.
    pub address: bool,
    /// Its check has another name, or it has a check where it had none, or none where it had one.
    pub check: bool,
    /// What it is asked, or from where. A source address of the other family does not count. A backend that gains or
    /// loses its check is asked something else.
    pub question: bool,
    /// How often it is asked or how long is waited for the answer.
    pub pace: bool,
    /// How many answers make a verdict.
    pub thresholds: bool,
    /// Whether it may take traffic at all.
    pub enabled: bool,
}

/// What differs in a frontend. Something does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FrontendChange {
    /// The text for people.
    pub description: bool,
    /// The packets it takes: to the dataplane it is another VIP.
    pub vip: bool,
    /// The family of its backends, and with it how packets reach them.
    pub family: bool,
    /// The pools: their order, names, backends or weights.
    pub pools: bool,
    /// `src-ip-sticky`.
    pub src_ip_sticky: bool,
    /// `flush-on-down`.
    pub flush_on_down: bool,
    /// `new-flows-table-length`.
    pub table_length: bool,
    /// `weight-steps`.
    pub weight_steps: bool,
}

impl Diff {
    /// What it takes to get from `old` to `new`.
    pub fn between(old: &Config, new: &Config) -> Diff {
        let netns = old.health.netns != new.health.netns;
        Diff {
            health: old.health != new.health,
            vpp: old.vpp != new.vpp,
            checks: changes(&old.checks, &new.checks, |old, new| CheckChange::between(old, new)),
            backends: changes(&old.backends, &new.backends, |old, new| {
                BackendChange::between(old, new, netns)
            }),
            frontends: changes(&old.frontends, &new.frontends, FrontendChange::between),
        }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Diff::default()
    }
}

/// Compares two maps; `between` compares what both have, and gives its default for equal things.
fn changes<N, T, C>(
    old: &BTreeMap<N, T>,
    new: &BTreeMap<N, T>,
    between: impl Fn(&T, &T) -> C,
) -> BTreeMap<N, Change<C>>
where
    N: Ord + Clone,
    C: Default + PartialEq,
{
    let removed =
        old.keys().filter(|name| !new.contains_key(*name)).map(|name| (name.clone(), Change::Removed));
    let kept = new.iter().filter_map(|(name, after)| {
        let change = match old.get(name).map(|before| between(before, after)) {
            None => Change::Added,
            Some(change) if change == C::default() => return None,
            Some(change) => Change::Changed(change),
        };
        Some((name.clone(), change))
    });
    removed.chain(kept).collect()
}

impl CheckChange {
    fn between(old: &HealthCheck, new: &HealthCheck) -> CheckChange {
        CheckChange {
            question: !old.asks_the_same_as(new),
            pace: old.pace != new.pace,
            thresholds: old.thresholds != new.thresholds,
        }
    }
}

impl BackendChange {
    fn between(old: &Backend, new: &Backend, netns: bool) -> BackendChange {
        let (before, after) = (old.check.as_deref(), new.check.as_deref());
        let question = |backend: &Backend| {
            let check = backend.check.as_ref()?;
            Some((check.probe.clone(), check.source_for(new.address)))
        };
        let differs = |differs: fn(&HealthCheck, &HealthCheck) -> bool| match (before, after) {
            (Some(before), Some(after)) => differs(before, after),
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
        };
        BackendChange {
            address: old.address != new.address,
            check: before.map(|check| &check.name) != after.map(|check| &check.name),
            question: question(old) != question(new) || (netns && after.is_some()),
            pace: differs(|before, after| before.pace != after.pace),
            thresholds: differs(|before, after| before.thresholds != after.thresholds),
            enabled: old.enabled != new.enabled,
        }
    }
}

impl FrontendChange {
    fn between(old: &Frontend, new: &Frontend) -> FrontendChange {
        FrontendChange {
            description: old.description != new.description,
            vip: old.vip != new.vip,
            family: old.family != new.family,
            pools: old.pools != new.pools,
            src_ip_sticky: old.src_ip_sticky != new.src_ip_sticky,
            flush_on_down: old.flush_on_down != new.flush_on_down,
            table_length: old.table_length != new.table_length,
            weight_steps: old.weight_steps != new.weight_steps,
        }
    }
}

#[cfg(test)]
mod tests;
