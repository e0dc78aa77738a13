//! Pure. The frontends of another configuration, and the weights that operators set in them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::backends::Renamed;
use super::kept::KeptWeight;
use super::{ReloadDanger, ReloadNote, ReloadReport, lineage};
use crate::config::{Frontend, Pool};
use crate::engine::frontend::Overrides;
use crate::engine::hold::Before;
use crate::engine::{Engine, Event, FrontendStatus, Intents};
use crate::intent::WeightOverride;
use crate::names::{BackendName, FrontendName, PoolName};
use crate::time::Time;

/// An operator's weight for a member that is not in the new configuration.
struct Left {
    pool: PoolName,
    backend: BackendName,
    weight: WeightOverride,
    /// Whether the backend is in the frontend all the same, with another weight.
    stays: bool,
}

impl Engine {
    /// Takes the frontends of the configuration.
    pub(super) fn install_frontends(
        &mut self,
        intents: &mut Intents,
        renamed: &Renamed,
        report: &mut ReloadReport,
        now: Time,
    ) {
        let config = Arc::clone(&self.config);
        let addresses = Arc::clone(&self.config);
        let address = |name: &BackendName| addresses.backends.get(name).map(|backend| backend.address);
        let old_addresses: BTreeMap<BackendName, IpAddr> =
            renamed.iter().filter_map(|(old, new)| Some((old.clone(), address(new)?))).collect();
        let before = std::mem::take(&mut self.frontends);
        let origins =
            lineage::frontends(before.values().map(|status| status.config()), config.frontends.values());
        let staying: BTreeSet<&FrontendName> = origins.values().collect();
        let names = origins.iter().map(|(new, old)| (old.clone(), new.clone())).collect();
        self.dataplane.forget(before.keys().filter(|name| !staying.contains(name)));
        self.dataplane.rename(&names);
        let gone: Vec<_> = before.values().filter(|status| !staying.contains(status.name())).collect();
        let of = before.len();
        report.removed_frontends(gone.len(), of);
        for status in gone {
            let (frontend, state) = (status.name().clone(), status.decision().state);
            self.emit(Event::FrontendRemoved { frontend, state, at: now });
            let left = carry(status.overrides().clone(), &status.config().pools, None, renamed).1;
            self.keep_weights(status.config(), left, &old_addresses, report, now);
        }
        for (name, frontend) in &config.frontends {
            let origin = origins.get(name).and_then(|origin| before.get(origin));
            let (mut overrides, mut left) = (Overrides::new(), Vec::new());
            if let Some(status) = origin {
                let pools = &status.config().pools;
                (overrides, left) = carry(status.overrides().clone(), pools, Some(frontend), renamed);
            } else {
                let saved = saved_weights(intents, frontend);
                if !saved.is_empty() {
                    (overrides, left) = carry(saved, &frontend.pools, Some(frontend), renamed);
                }
            }
            self.restore_weights(frontend, &mut overrides, address, report);
            let events = match origin {
                Some(status) if status.name() == name => {
                    let mut status = Arc::clone(status);
                    let events = Arc::make_mut(&mut status).reconfigure(
                        frontend.clone(),
                        overrides,
                        now,
                        &self.backends,
                    );
                    self.frontends.insert(name.clone(), status);
                    events
                }
                Some(status) => {
                    let (from, to) = (status.name().clone(), name.clone());
                    let state = status.decision().state;
                    self.emit(Event::FrontendRemoved { frontend: from.clone(), state, at: now });
                    report.notes.push(ReloadNote::FrontendRenamed { from, to });
                    let new = FrontendStatus::new(frontend.clone(), overrides, now, &self.backends);
                    let new = new.continues(status);
                    let events = new.introduce(now);
                    self.frontends.insert(name.clone(), Arc::new(new));
                    events
                }
                None => {
                    let new = FrontendStatus::new(frontend.clone(), overrides, now, &self.backends);
                    let events = new.introduce(now);
                    self.frontends.insert(name.clone(), Arc::new(new));
                    events
                }
            };
            self.effects.extend(events.into_iter().map(crate::engine::Effect::Event));
            let of = origin.map_or(frontend, |status| status.config());
            self.keep_weights(of, left, &old_addresses, report, now);
        }
        self.keep_saved_weights(intents, now);
    }

    /// Weights of members that are back.
    fn restore_weights(
        &mut self,
        frontend: &Frontend,
        overrides: &mut Overrides,
        address: impl Fn(&BackendName) -> Option<IpAddr>,
        report: &mut ReloadReport,
    ) {
        for kept in self.kept.take_weights(frontend, address) {
            let KeptWeight { pool, backend, weight, .. } = kept;
            let own = overrides.entry(pool.clone()).or_default();
            if own.contains_key(&backend) {
                continue;
            }
            own.insert(backend.clone(), weight.clone());
            report.notes.push(ReloadNote::WeightRestored {
                frontend: frontend.name.clone(),
                pool,
                backend,
                weight: weight.weight,
                attribution: weight.attribution,
            });
        }
    }

    fn keep_weights(
        &mut self,
        frontend: &Frontend,
        left: Vec<Left>,
        addresses: &BTreeMap<BackendName, IpAddr>,
        report: &mut ReloadReport,
        now: Time,
    ) {
        for Left { pool, backend, weight, stays } in left {
            let (name, attribution) = (frontend.name.clone(), weight.attribution.clone());
            let (own, member) = (weight.weight, backend.clone());
            if stays {
                report.dangers.push(ReloadDanger::LosesWeight {
                    frontend: name,
                    pool: pool.clone(),
                    backend: member,
                    weight: own,
                    attribution,
                });
            } else {
                report.notes.push(ReloadNote::WeightKept {
                    frontend: name,
                    pool: pool.clone(),
                    backend: member,
                    weight: own,
                    attribution,
                });
            }
            self.kept.keep_weight(KeptWeight {
                frontend: frontend.name.clone(),
                vip: Some(frontend.vip),
                pool,
                address: addresses.get(&backend).copied(),
                backend,
                weight,
                left_at: now,
            });
        }
    }

    /// Keeps what was written down for frontends that are not in the configuration at the start.
    fn keep_saved_weights(&mut self, intents: &mut Intents, now: Time) {
        for (frontend, pools) in std::mem::take(&mut intents.weights) {
            let vip = intents.vips.get(&frontend).copied();
            for (pool, members) in pools {
                for (backend, weight) in members {
                    self.kept.keep_weight(KeptWeight {
                        frontend: frontend.clone(),
                        vip,
                        pool: pool.clone(),
                        backend,
                        address: None,
                        weight,
                        left_at: now,
                    });
                }
            }
        }
    }

    /// Takes note of the frontends with an effective server before, and with none now that could become one.
    pub(super) fn guard(&self, served: &Before, report: &mut ReloadReport) {
        let emptied = self.frontends.values().filter(|frontend| served.contains_key(&frontend.config().vip));
        let emptied = emptied.filter(|frontend| !frontend.is_served() && !self.may_be_served(frontend));
        let emptied: Vec<FrontendName> = emptied.map(|frontend| frontend.name().clone()).collect();
        if !emptied.is_empty() {
            report.dangers.push(ReloadDanger::EmptiesFrontends(emptied));
        }
    }
}

/// What was written down for a frontend, by its VIP, or by its name where the VIP is not known or nobody else's.
fn saved_weights(intents: &mut Intents, frontend: &Frontend) -> Overrides {
    let same = intents.vips.get(&frontend.name) == Some(&frontend.vip);
    let by_vip = intents.vips.iter().find(|(_, vip)| !same && **vip == frontend.vip);
    let name = by_vip.map_or_else(|| frontend.name.clone(), |(name, _)| name.clone());
    intents.vips.remove(&name);
    intents.weights.remove(&name).unwrap_or_default()
}

/// Takes operators' weights from pools of before to those of `new` (absent: there are none any more). Returns those that
/// have a place, and the others.
fn carry(
    overrides: Overrides,
    old: &[Pool],
    new: Option<&Frontend>,
    renamed: &Renamed,
) -> (Overrides, Vec<Left>) {
    let pools = new.map(|new| &new.pools[..]).unwrap_or_default();
    let origins = lineage::pools(old, pools, renamed);
    let (mut carried, mut left) = (Overrides::new(), Vec::new());
    for (pool, members) in overrides {
        let target = origins.iter().find(|(_, origin)| **origin == pool).map(|(new, _)| new);
        let target = target.and_then(|name| pools.iter().find(|pool| pool.name == *name));
        for (backend, weight) in members {
            // At the start, only backends with intent are known to be renamed.
            let name = renamed.get(&backend).unwrap_or(&backend);
            let member = target.filter(|pool| pool.members.iter().any(|member| member.backend == *name));
            if let Some(pool) = member {
                carried.entry(pool.name.clone()).or_default().insert(name.clone(), weight);
                continue;
            }
            let mut elsewhere = pools.iter().flat_map(|pool| &pool.members).filter(|m| m.backend == *name);
            let stays = elsewhere.any(|member| member.weight != weight.weight);
            left.push(Left { pool: pool.clone(), backend, weight, stays });
        }
    }
    (carried, left)
}
