//! Pure. Everything the engine knows of one frontend.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::config::{Frontend, Member, WeightScaling};
use crate::desired::{self, BackendState, DesiredVip, FrontendDecision, Reason};
use crate::engine::fitted::Fitted;
use crate::engine::{BackendStatus, CommandError, Event};
use crate::intent::{Attribution, WeightOverride};
use crate::names::{BackendName, FrontendName, PoolName};
use crate::time::Time;
use crate::weight::Weight;
use crate::weight::scale::{Fit, PoolWeights};

/// Operators' weights: pool, backend.
pub(super) type Overrides = BTreeMap<PoolName, BTreeMap<BackendName, WeightOverride>>;

/// Every backend, by name.
type Backends = BTreeMap<BackendName, Arc<BackendStatus>>;

/// A frontend as it is now.
#[derive(Clone, Debug)]
pub struct FrontendStatus {
    config: Frontend,
    overrides: Overrides,
    decision: FrontendDecision,
    fitted: Fitted,
    since: Time,
}

impl FrontendStatus {
    pub(super) fn new(config: Frontend, overrides: Overrides, now: Time, backends: &Backends) -> Self {
        let overrides = settle(overrides, &config);
        let decision = decide(&config, &overrides, backends);
        let fitted = Fitted::new(&config, in_force(&config, &overrides));
        FrontendStatus { config, overrides, decision, fitted, since: now }
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

    /// Whether a server has effective weight.
    pub const fn is_served(&self) -> bool {
        self.decision.active.is_some()
    }

    /// Whether a server would have effective weight if backends had these states, and members these weights where they
    /// are given.
    pub(super) fn would_be_served(
        &self,
        state: impl Fn(&Member) -> BackendState,
        set: impl Fn(usize, &Member) -> Option<Weight>,
    ) -> bool {
        let weight = |pool: usize, member: &Member| {
            set(pool, member).unwrap_or_else(|| weight(&self.config, &self.overrides, pool, member))
        };
        desired::decide(&self.config, state, weight).active.is_some()
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

    /// What a dataplane should have for it.
    pub(super) fn desired(
        &self,
        scaling: WeightScaling,
        address: impl Fn(&BackendName) -> Option<IpAddr>,
    ) -> DesiredVip {
        DesiredVip::new(&self.config, &self.decision, self.fit(scaling), address)
    }

    /// The scale of its weights, and the length its table should have.
    pub fn fit(&self, scaling: WeightScaling) -> Fit {
        self.fitted.get(&self.config, scaling)
    }

    /// Sets an operator's weight. Tells that, or nothing if it is so already.
    pub(super) fn set_weight(
        &mut self,
        pool: &str,
        backend: &str,
        weight: Weight,
        attribution: Attribution,
        now: Time,
    ) -> Result<Option<Event>, CommandError> {
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
        if attribution.until.is_some() && weight == member.weight {
            let (frontend, backend) = (frontend(), member.backend.clone());
            return Err(CommandError::ConfiguredWeight { frontend, backend, weight });
        }
        let own = self.override_of(&pool.name, &member.backend);
        let present = own.map_or(member.weight, |own| own.weight);
        let until = own.and_then(|own| own.attribution.until);
        if present == weight && until == attribution.until {
            return Ok(None);
        }
        let event = Event::WeightSet {
            frontend: self.config.name.clone(),
            pool: pool.name.clone(),
            backend: member.backend.clone(),
            from: present,
            to: weight,
            attribution: attribution.clone(),
            at: now,
        };
        self.overrides
            .entry(pool.name.clone())
            .or_default()
            .insert(member.backend.clone(), WeightOverride { weight, attribution });
        self.overrides = settle(std::mem::take(&mut self.overrides), &self.config);
        Ok(Some(event))
    }

    /// When the first of the operators' weights ends by itself.
    pub(super) fn until(&self) -> Option<Time> {
        self.overrides.values().flat_map(BTreeMap::values).filter_map(|own| own.attribution.until).min()
    }

    /// Ends the operators' weights whose time is over, and tells which.
    pub(super) fn expire(&mut self, now: Time) -> Vec<Event> {
        let mut events = Vec::new();
        for (pool, member) in self.config.members() {
            let Some(weights) = self.overrides.get_mut(&pool.name) else { continue };
            let over = weights.get(&member.backend).is_some_and(|own| own.attribution.has_ended(now));
            if let Some(own) = over.then(|| weights.remove(&member.backend)).flatten() {
                events.push(Event::WeightEnded {
                    frontend: self.config.name.clone(),
                    pool: pool.name.clone(),
                    backend: member.backend.clone(),
                    from: own.weight,
                    to: member.weight,
                    attribution: own.attribution,
                    at: now,
                });
            }
        }
        self.overrides.retain(|_, weights| !weights.is_empty());
        events
    }

    /// Tells that it is there, and with what weights.
    pub(super) fn introduce(&self, now: Time) -> Vec<Event> {
        let mut events = vec![Event::FrontendAdded {
            frontend: self.config.name.clone(),
            state: self.decision.state,
            pool: self.active_pool().cloned(),
            at: now,
        }];
        events.extend(self.weight_changes(Weights::new(), now));
        events
    }

    /// Takes another configuration with these of the operators' weights, decides again, and tells what that changes.
    pub(super) fn reconfigure(
        &mut self,
        config: Frontend,
        overrides: Overrides,
        now: Time,
        backends: &Backends,
    ) -> Vec<Event> {
        self.overrides = settle(overrides, &config);
        let old_config = std::mem::replace(&mut self.config, config);
        let old = self.redecide(now, backends);
        self.changes(&old_config, &old, now)
    }

    /// The same frontend under another name: if it has the state it had, it has it since then.
    pub(super) fn continues(mut self, before: &FrontendStatus) -> Self {
        if self.decision.state == before.decision.state {
            self.since = before.since;
        }
        self
    }

    /// Decides again, and tells what that changes.
    pub(super) fn decide(&mut self, now: Time, backends: &Backends) -> Vec<Event> {
        let old = self.redecide(now, backends);
        self.changes(&self.config, &old, now)
    }

    /// Decides again. Returns what was decided before.
    fn redecide(&mut self, now: Time, backends: &Backends) -> FrontendDecision {
        self.fitted.update(&self.config, in_force(&self.config, &self.overrides));
        let decision = decide(&self.config, &self.overrides, backends);
        if decision.state != self.decision.state {
            self.since = now;
        }
        std::mem::replace(&mut self.decision, decision)
    }

    /// What is different from what was decided before, first for the whole, then for each member.
    fn changes(&self, old_config: &Frontend, old: &FrontendDecision, now: Time) -> Vec<Event> {
        let (from_pool, to_pool) = (old.active_pool(old_config), self.active_pool());
        let mut events = Vec::new();
        if old.state != self.decision.state || from_pool != to_pool {
            events.push(Event::FrontendChanged {
                frontend: self.config.name.clone(),
                from: old.state,
                to: self.decision.state,
                from_pool: from_pool.cloned(),
                to_pool: to_pool.cloned(),
                at: now,
            });
        }
        events.extend(self.weight_changes(weights(old_config, old), now));
        events
    }

    /// What is different from the weights before. A member that was not there before had no weight, and one that is
    /// not there any more has none.
    fn weight_changes<'a>(&'a self, mut before: Weights<'a>, now: Time) -> Vec<Event> {
        let change = |pool: &PoolName, backend: &BackendName, from, to, because| Event::WeightChanged {
            frontend: self.config.name.clone(),
            pool: pool.clone(),
            backend: backend.clone(),
            from,
            to,
            because,
            at: now,
        };
        let mut events = Vec::new();
        for ((pool, member), decision) in self.config.members().zip(self.decision.pools.iter().flatten()) {
            let from = before.remove(&(&pool.name, &member.backend)).unwrap_or(Weight::ZERO);
            if from != decision.weight {
                let because = decision.because.clone();
                events.push(change(&pool.name, &member.backend, from, decision.weight, because));
            }
        }
        for ((pool, backend), from) in before.into_iter().filter(|(_, from)| !from.is_zero()) {
            events.push(change(pool, backend, from, Weight::ZERO, Reason::Removed));
        }
        events
    }
}

/// Effective weights: pool and backend.
type Weights<'a> = BTreeMap<(&'a PoolName, &'a BackendName), Weight>;

fn weights<'a>(config: &'a Frontend, decision: &FrontendDecision) -> Weights<'a> {
    let members = config.members().map(|(pool, member)| (&pool.name, &member.backend));
    members.zip(decision.pools.iter().flatten().map(|decision| decision.weight)).collect()
}

fn decide(config: &Frontend, overrides: &Overrides, backends: &Backends) -> FrontendDecision {
    desired::decide_awaiting(
        config,
        |member: &Member| {
            backends.get(&member.backend).map_or(BackendState::Removed, |backend| backend.state())
        },
        |pool, member| weight(config, overrides, pool, member),
        |member| backends.get(&member.backend).is_some_and(|backend| backend.is_awaited()),
    )
}

/// The weight a member has while its pool takes the traffic: the operator's, else the configured one.
fn weight(config: &Frontend, overrides: &Overrides, pool: usize, member: &Member) -> Weight {
    let own = config.pools.get(pool).and_then(|pool| overrides.get(&pool.name)?.get(&member.backend));
    own.map_or(member.weight, |own| own.weight)
}

/// The weights members have while their pools take the traffic.
fn in_force(config: &Frontend, overrides: &Overrides) -> PoolWeights {
    let pools = config.pools.iter().enumerate();
    PoolWeights::new(
        pools.map(|(index, pool)| {
            pool.members.iter().map(move |member| weight(config, overrides, index, member))
        }),
    )
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
