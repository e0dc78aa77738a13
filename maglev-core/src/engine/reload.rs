//! Pure. Taking a configuration: at the start, and again at each reload.
//!
//! What did not change is not disturbed: a backend whose address and check are the same goes on with its counter, its
//! history and its schedule. What changed keeps its last verdict until there is a new one, so that a reload by itself
//! never drains a healthy backend; only another address is another server, which begins as unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Backend, Config};
use crate::engine::{
    BackendStatus, Cause, Effect, Engine, Event, FrontendStatus, Intents, Verdict, Verdicts,
};
use crate::intent::Intent;
use crate::names::{BackendName, FrontendName};
use crate::time::Time;

/// First probes are spread over their interval, but over no more than this: after a restart everything has to be known
/// well before what is unknown counts as down in the dataplane (`startup-max-delay`, 30 s by default).
const LONGEST_FIRST_SPREAD: Duration = Duration::from_secs(5);

impl Engine {
    /// Takes another configuration. Operators' intent stays, but for what is gone.
    pub fn reload(&mut self, now: Time, config: Arc<Config>) {
        self.install(config, Intents::default(), Verdicts::new(), now);
        self.drive(now);
    }

    pub(super) fn install(
        &mut self,
        config: Arc<Config>,
        mut intents: Intents,
        mut verdicts: Verdicts,
        now: Time,
    ) {
        let seen_anew = self.config.health.netns != config.health.netns;
        self.serves = Arc::new(serves(&config));
        self.config = config.clone();

        let gone = |name: &&BackendName| !config.backends.contains_key(*name);
        for name in self.backends.keys().filter(gone).cloned().collect::<Vec<_>>() {
            self.remove_backend(&name, now);
        }
        for (name, backend) in &config.backends {
            let before = (intents.backends.remove(name).unwrap_or_default(), verdicts.remove(name));
            self.install_backend(backend, before, seen_anew, now);
            if let Some(status) = self.backends.get_mut(name).map(Arc::make_mut) {
                status.limit_history(config.health.transition_history);
            }
            self.reschedule(name);
        }

        let gone = |name: &&FrontendName| !config.frontends.contains_key(*name);
        for name in self.frontends.keys().filter(gone).cloned().collect::<Vec<_>>() {
            if let Some(status) = self.frontends.remove(&name) {
                self.emit(Event::FrontendRemoved { frontend: name, state: status.decision().state, at: now });
            }
        }
        for (name, frontend) in &config.frontends {
            let events = if let Some(status) = self.frontends.get_mut(name).map(Arc::make_mut) {
                status.reconfigure(frontend.clone(), now, &self.backends)
            } else {
                let overrides = intents.weights.remove(name).unwrap_or_default();
                let status = FrontendStatus::new(frontend.clone(), overrides, now, &self.backends);
                let events = status.introduce();
                self.frontends.insert(name.clone(), Arc::new(status));
                events
            };
            self.effects.extend(events.into_iter().map(Effect::Event));
        }
        self.look_for_ends();
        self.dataplane.reconfigured(&config, now);
    }

    /// Takes a backend; a new one with what was wanted and known of it before.
    fn install_backend(
        &mut self,
        backend: &Backend,
        before: (Intent, Option<Verdict>),
        seen_anew: bool,
        now: Time,
    ) {
        let (name, config) = (&backend.name, Arc::clone(&self.config));
        let netns = config.health.netns.as_deref();
        let Some(status) = self.backends.get_mut(name).map(Arc::make_mut) else {
            let seed = self.random.u64(..);
            let spread = backend.check.as_ref().map_or(Duration::ZERO, |check| check.pace.interval);
            let spread = spread.min(LONGEST_FIRST_SPREAD);
            let status = BackendStatus::new(backend.clone(), before, netns, seed, now, spread);
            self.emit(Event::BackendAdded { backend: name.clone(), state: status.state(), at: now });
            self.backends.insert(name.clone(), Arc::new(status));
            return;
        };
        if status.config() == backend && !seen_anew {
            return;
        }
        let seed = self.random.u64(..);
        let abandoned = status.reconfigure(backend.clone(), (netns, seen_anew), seed, now);
        let transition = status.settle(now, Cause::Config);
        self.cancel(abandoned);
        if let Some(transition) = transition {
            self.emit(Event::BackendChanged { backend: name.clone(), transition });
        }
    }

    fn remove_backend(&mut self, name: &BackendName, now: Time) {
        let Some(status) = self.backends.remove(name) else { return };
        let mut status = Arc::unwrap_or_clone(status);
        if let (Some(due), _) = status.reschedule() {
            self.due.remove(&(due, name.clone()));
        }
        let (transition, abandoned) = status.remove(now);
        self.cancel(abandoned);
        self.emit(Event::BackendRemoved { backend: name.clone(), transition });
    }
}

/// The frontends that each backend is in.
fn serves(config: &Config) -> BTreeMap<BackendName, BTreeSet<FrontendName>> {
    let mut serves: BTreeMap<BackendName, BTreeSet<FrontendName>> = BTreeMap::new();
    for frontend in config.frontends.values() {
        for (_, member) in frontend.members() {
            serves.entry(member.backend.clone()).or_default().insert(frontend.name.clone());
        }
    }
    serves
}
