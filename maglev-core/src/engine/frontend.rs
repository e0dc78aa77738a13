//! Pure. Everything the engine knows of one frontend.

use std::collections::BTreeMap;

use crate::config::{Frontend, Member};
use crate::desired::{self, BackendState, Decision, FrontendDecision, Reason};
use crate::engine::{BackendStatus, CommandError, Event};
use crate::intent::{Attribution, WeightOverride};
use crate::names::{BackendName, FrontendName, PoolName};
use crate::time::Time;
use crate::weight::Weight;

/// Operators' weights: pool, backend.
type Overrides = BTreeMap<PoolName, BTreeMap<BackendName, WeightOverride>>;

/// A frontend as it is now.
#[derive(Clone, Debug)]
pub struct FrontendStatus {
    config: Frontend,
    overrides: Overrides,
    decision: FrontendDecision,
    since: Time,
}

impl FrontendStatus {
    pub(super) fn new(
        config: Frontend,
        overrides: Overrides,
        now: Time,
        backends: &BTreeMap<BackendName, BackendStatus>,
    ) -> Self {
        let overrides = settle(overrides, &config);
        let decision = decide(&config, &overrides, backends);
        FrontendStatus { config, overrides, decision, since: now }
    }

    /// Its name.
    pub const fn name(&self) -> &FrontendName {
        &self.config.name
    }

    /// Its configuration.
    pub const fn config(&self) -> &Frontend {
        &self.config
    }

    /// What is decided for it.
    pub const fn decision(&self) -> &FrontendDecision {
        &self.decision
    }

    /// The pool that takes its traffic.
    pub fn active_pool(&self) -> Option<&PoolName> {
        self.decision.active_pool(&self.config)
    }

    /// Since when it has its state.
    pub const fn since(&self) -> Time {
        self.since
    }

    /// The operators' weights: pool, backend.
    pub const fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// The operator's weight for a member, if there is one.
    pub fn override_of(&self, pool: &PoolName, backend: &BackendName) -> Option<&WeightOverride> {
        self.overrides.get(pool)?.get(backend)
    }

    pub(super) fn set_weight(
        &mut self,
        pool: &str,
        backend: &str,
        weight: Weight,
        attribution: Attribution,
    ) -> Result<bool, CommandError> {
        let frontend = || self.config.name.clone();
        let Some(pool) = self.config.pools.iter().find(|p| p.name.as_str() == pool) else {
            return Err(CommandError::NoPool { frontend: frontend(), pool: pool.to_owned() });
        };
        let Some(member) = pool.members.iter().find(|m| m.backend.as_str() == backend) else {
            return Err(CommandError::NotInPool {
                frontend: frontend(),
                pool: pool.name.clone(),
                backend: backend.to_owned(),
            });
        };
        let present = self.override_of(&pool.name, &member.backend).map_or(member.weight, |o| o.weight);
        if present == weight {
            return Ok(false);
        }
        self.overrides
            .entry(pool.name.clone())
            .or_default()
            .insert(member.backend.clone(), WeightOverride { weight, attribution });
        self.overrides = settle(std::mem::take(&mut self.overrides), &self.config);
        Ok(true)
    }

    pub(super) fn reconfigure(&mut self, config: Frontend) {
        self.overrides = settle(std::mem::take(&mut self.overrides), &config);
        self.decision = carry_over(&self.decision, &self.config, &config);
        self.config = config;
    }

    /// Decides again, and tells what that changes.
    pub(super) fn decide(
        &mut self,
        now: Time,
        backends: &BTreeMap<BackendName, BackendStatus>,
    ) -> Vec<Event> {
        let old = std::mem::replace(&mut self.decision, decide(&self.config, &self.overrides, backends));
        let decisions = old.pools.iter().flatten().zip(self.decision.pools.iter().flatten());
        let mut events: Vec<Event> = self
            .config
            .members()
            .zip(decisions)
            .filter(|(_, (old, new))| old.weight != new.weight)
            .map(|((pool, member), (old, new))| Event::WeightChanged {
                frontend: self.config.name.clone(),
                pool: pool.name.clone(),
                backend: member.backend.clone(),
                from: old.weight,
                to: new.weight,
                because: new.because.clone(),
                at: now,
            })
            .collect();
        if old.state != self.decision.state {
            self.since = now;
        }
        let (from_pool, to_pool) = (old.active_pool(&self.config).cloned(), self.active_pool().cloned());
        if old.state != self.decision.state || from_pool != to_pool {
            events.push(Event::FrontendChanged {
                frontend: self.config.name.clone(),
                from: old.state,
                to: self.decision.state,
                from_pool,
                to_pool,
                at: now,
            });
        }
        events
    }
}

fn decide(
    config: &Frontend,
    overrides: &Overrides,
    backends: &BTreeMap<BackendName, BackendStatus>,
) -> FrontendDecision {
    desired::decide(
        config,
        |member: &Member| backends.get(&member.backend).map_or(BackendState::Removed, BackendStatus::state),
        |pool, member| {
            config
                .pools
                .get(pool)
                .and_then(|pool| overrides.get(&pool.name)?.get(&member.backend))
                .map_or(member.weight, |o| o.weight)
        },
    )
}

/// What was decided for one configuration, in the shape of the next, so that the next decision can be compared with it:
/// members are matched by pool and name, and those that are new had no weight.
fn carry_over(decision: &FrontendDecision, from: &Frontend, to: &Frontend) -> FrontendDecision {
    let old: BTreeMap<_, _> = from
        .members()
        .zip(decision.pools.iter().flatten())
        .map(|((pool, member), decision)| ((&pool.name, &member.backend), decision))
        .collect();
    let nothing = || Decision { weight: Weight::ZERO, because: Reason::Unknown, flush: false };
    let active = decision.active_pool(from);
    FrontendDecision {
        state: decision.state,
        active: to.pools.iter().position(|pool| Some(&pool.name) == active),
        pools: to
            .pools
            .iter()
            .map(|pool| {
                let carried = |member: &Member| old.get(&(&pool.name, &member.backend)).copied().cloned();
                pool.members.iter().map(|member| carried(member).unwrap_or_else(nothing)).collect()
            })
            .collect(),
    }
}

/// Drops overrides that say what the configuration says, and those of members it does not have.
fn settle(mut overrides: Overrides, config: &Frontend) -> Overrides {
    overrides.retain(|pool, weights| {
        let Some(pool) = config.pools.iter().find(|p| p.name == *pool) else { return false };
        weights.retain(|backend, o| {
            pool.members.iter().any(|member| member.backend == *backend && member.weight != o.weight)
        });
        !weights.is_empty()
    });
    overrides
}
