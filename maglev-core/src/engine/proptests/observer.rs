//! Somebody who only sees effects.

use std::collections::BTreeMap;

use crate::desired::{BackendState, FrontendState};
use crate::engine::{Effect, Engine, Event, KEPT_FOR};
use crate::health::ProbeId;
use crate::intent::Mode;
use crate::names::{BackendName, FrontendName, PoolName};
use crate::time::Time;
use crate::weight::Weight;

/// What somebody knows who got a snapshot at the start and then only the effects.
pub(super) struct Observer {
    pub(super) backends: BTreeMap<BackendName, BackendState>,
    pub(super) frontends: BTreeMap<FrontendName, (FrontendState, Option<PoolName>)>,
    pub(super) weights: BTreeMap<(FrontendName, PoolName, BackendName), Weight>,
    pub(super) probes: BTreeMap<ProbeId, BackendName>,
    last_id: Option<ProbeId>,
}

impl Observer {
    pub(super) fn snapshot(engine: &Engine) -> Self {
        let frontends = engine
            .frontends()
            .map(|f| (f.name().clone(), (f.decision().state, f.active_pool().cloned())))
            .collect();
        let weights = engine.frontends().flat_map(|f| {
            let members = f.config().members().zip(f.decision().pools.iter().flatten());
            members.map(|((pool, member), decision)| {
                ((f.name().clone(), pool.name.clone(), member.backend.clone()), decision.weight)
            })
        });
        Observer {
            backends: engine.backends().map(|b| (b.name().clone(), b.state())).collect(),
            frontends,
            weights: weights.filter(|(_, weight)| !weight.is_zero()).collect(),
            probes: BTreeMap::new(),
            last_id: None,
        }
    }

    pub(super) fn observe(&mut self, effect: &Effect, engine: &Engine, now: Time) {
        match effect {
            Effect::StartProbe(order) => {
                assert!(self.last_id < Some(order.id), "numbers are not used again");
                self.last_id = Some(order.id);
                let present = |(id, name): (&ProbeId, _)| engine.renamed_to(*id).unwrap_or(name);
                let mut probed = self.probes.iter().map(present);
                assert!(probed.all(|name| *name != order.backend), "a second probe in flight");
                self.probes.insert(order.id, order.backend.clone());
                let status = engine.backend(order.backend.as_str()).expect("a configured backend is probed");
                assert_eq!(status.mode(), Mode::Active);
                assert_eq!(status.config().address, order.address);
                assert_eq!(status.config().check.as_ref(), Some(&order.check));
            }
            Effect::CancelProbe(id) => {
                assert!(self.probes.remove(id).is_some(), "a probe that is not in flight is cancelled");
            }
            Effect::Event(event) => {
                assert_eq!(event.at(), now);
                self.event(event);
            }
            // Never connected to a dataplane.
            Effect::Observe | Effect::Apply(_) | Effect::Synced(_) => unreachable!("no dataplane"),
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::BackendAdded { backend, state, .. } => {
                assert_eq!(self.backends.insert(backend.clone(), *state), None);
            }
            Event::BackendChanged { backend, transition } => {
                assert_ne!(transition.from, transition.to);
                assert_eq!(self.backends.insert(backend.clone(), transition.to), Some(transition.from));
            }
            Event::BackendRemoved { backend, transition } => {
                assert_eq!(transition.to, BackendState::Removed);
                assert_eq!(self.backends.remove(backend), Some(transition.from));
            }
            Event::FrontendAdded { frontend, state, pool, .. } => {
                assert_eq!(self.frontends.insert(frontend.clone(), (*state, pool.clone())), None);
            }
            Event::FrontendChanged { frontend, from, to, from_pool, to_pool, .. } => {
                let (from, to) = ((*from, from_pool.clone()), (*to, to_pool.clone()));
                assert_ne!(from, to);
                assert_eq!(self.frontends.insert(frontend.clone(), to), Some(from));
            }
            Event::FrontendRemoved { frontend, state, .. } => {
                assert_eq!(self.frontends.remove(frontend).map(|(state, _)| state), Some(*state));
                self.weights.retain(|(of, _, _), _| of != frontend);
            }
            // The same weight may have been set again, with another end.
            Event::WeightSet { attribution, at, .. } => assert!(!attribution.has_ended(*at)),
            Event::WeightEnded { from, to, attribution, at, .. } => {
                assert_ne!(from, to);
                assert!(attribution.has_ended(*at));
            }
            Event::IntentChanged { backend, attribution, ended, at, .. } => {
                // What was kept for a backend that has left ends after a while.
                let kept = *ended && attribution.at + KEPT_FOR <= *at;
                assert!(self.backends.contains_key(backend) || *ended);
                assert!(attribution.has_ended(*at) == *ended || kept);
            }
            Event::WeightChanged { frontend, pool, backend, from, to, .. } => {
                assert_ne!(from, to);
                let key = (frontend.clone(), pool.clone(), backend.clone());
                let before = self.weights.insert(key.clone(), *to).unwrap_or(Weight::ZERO);
                assert_eq!(before, *from);
                if to.is_zero() {
                    self.weights.remove(&key);
                }
            }
        }
    }
}
