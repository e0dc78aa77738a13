//! Pure. What differs between two configurations, key by key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::Serialize;

use super::Change;
use crate::config::document::{self, Node};
use crate::config::{Config, Diff};

/// A key whose value differs. The values are written as the file writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyChange {
    /// The key, as `maglev.vpp.lb.sync-interval`. For a check, backend or frontend that is added or removed, the key of
    /// the whole.
    pub key: String,
    /// The value before; absent where the key was absent and has no default.
    pub before: Option<String>,
    /// The value after; absent where the key is absent and has no default.
    pub after: Option<String>,
    /// What a reload does about a key of `healthchecker` or `vpp.lb`, in a sentence. Absent for other keys.
    pub effect: Option<&'static str>,
}

impl Diff {
    /// Every key that differs, in the order of the file as [`Config::to_yaml`] writes it.
    pub fn keys(&self, old: &Config, new: &Config) -> Vec<KeyChange> {
        let mut found = Vec::new();
        for (path, section, effect) in [
            (
                "maglev.healthchecker",
                [old, new].map(|config| document::health(&config.health)),
                health_effect as Effect,
            ),
            ("maglev.vpp.lb", [old, new].map(|config| document::lb(&config.vpp)), lb_effect),
        ] {
            let before = found.len();
            compare(path, &section[0], &section[1], &mut found);
            for change in &mut found[before..] {
                change.effect = change.key.rsplit('.').next().and_then(effect);
            }
        }
        named(
            "maglev.healthchecks",
            &self.checks,
            [&old.checks, &new.checks],
            |check| document::check(check),
            &mut found,
        );
        named(
            "maglev.backends",
            &self.backends,
            [&old.backends, &new.backends],
            document::backend,
            &mut found,
        );
        named(
            "maglev.frontends",
            &self.frontends,
            [&old.frontends, &new.frontends],
            document::frontend,
            &mut found,
        );
        found
    }
}

type Effect = fn(&str) -> Option<&'static str>;

fn health_effect(key: &str) -> Option<&'static str> {
    match key {
        "transition-history" => Some("transitions beyond the new number are dropped"),
        "netns" => {
            Some("every backend is probed from the new namespace and keeps its state until the first result")
        }
        _ => None,
    }
}

/// Where the established-flow tables are said to be replaced: `lb_get_sticky_table` in VPP's `plugins/lb/node.c`.
fn lb_effect(key: &str) -> Option<&'static str> {
    match key {
        "ipv4-src-address" | "ipv6-src-address" => {
            Some("VPP's settings are written: packets to servers leave from the new address")
        }
        "sync-interval" => Some("nothing is written to VPP"),
        "sticky-buckets-per-core" => Some(
            "VPP's settings are written: each worker replaces its table of established flows, which are assigned again",
        ),
        "flow-timeout" => Some("VPP's settings are written"),
        "startup-min-delay" | "startup-max-delay" => Some("takes effect at the next start of maglevd"),
        "ownership" => Some("decides whether VIPs in VPP that are not configured are removed"),
        "weight-scaling" => Some("the weights of every frontend are worked out again and written to VPP"),
        _ => None,
    }
}

fn named<N: Ord + Display, T, C>(
    path: &str,
    changes: &BTreeMap<N, Change<C>>,
    [old, new]: [&BTreeMap<N, T>; 2],
    node: impl Fn(&T) -> Node,
    found: &mut Vec<KeyChange>,
) {
    for (name, change) in changes {
        let key = format!("{path}.{name}");
        let [before, after] = [old, new].map(|things| things.get(name).map(&node));
        match (change, before, after) {
            (Change::Changed(_), Some(before), Some(after)) => compare(&key, &before, &after, found),
            (Change::Added | Change::Removed | Change::Changed(_), before, after) => {
                let [before, after] = [before, after].map(|node| node.map(|node| node.to_line()));
                found.push(KeyChange { key, before, after, effect: None });
            }
        }
    }
}

/// The scalars that differ below `path`, those of `after` in its order, then those that are gone.
fn compare(path: &str, before: &Node, after: &Node, found: &mut Vec<KeyChange>) {
    let (before, after) = (before.scalars(path), after.scalars(path));
    let old: BTreeMap<&str, &str> =
        before.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let there: BTreeSet<&str> = after.iter().map(|(key, _)| key.as_str()).collect();
    for (key, value) in &after {
        let was = old.get(key.as_str()).copied();
        if was != Some(value) {
            let (before, after) = (was.map(str::to_owned), Some(value.clone()));
            found.push(KeyChange { key: key.clone(), before, after, effect: None });
        }
    }
    for (key, value) in before.iter().filter(|(key, _)| !there.contains(key.as_str())) {
        found.push(KeyChange { key: key.clone(), before: Some(value.clone()), after: None, effect: None });
    }
}
