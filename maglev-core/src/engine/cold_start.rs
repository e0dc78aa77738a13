//! Pure. The time after a start in which first verdicts come in.
//!
//! Until a member of a pool has its first verdict, and at most for `startup-max-delay`, no pool after it takes over: the order
//! in which first verdicts come in sends no traffic to a spare pool and back. Only what is unknown since the start is waited
//! for. A backend that an operator takes out and puts back is not, nor is one that a reload brings, so that neither takes
//! traffic from a pool that has it.

use std::sync::Arc;

use crate::desired::BackendState;
use crate::engine::Engine;
use crate::names::FrontendName;
use crate::time::Time;

impl Engine {
    /// Waits for the first verdict of every backend that has none.
    pub(super) fn await_verdicts(&mut self, now: Time) {
        let longest = self.config.vpp.startup_max_delay;
        let unknown = |state| state == BackendState::Unknown;
        if longest.is_zero() || !self.backends.values().any(|backend| unknown(backend.state())) {
            return;
        }
        self.awaits_until = Some(now + longest);
        for backend in self.backends.values_mut().filter(|backend| unknown(backend.state())) {
            Arc::make_mut(backend).await_verdict(true);
        }
        self.decide_all(now);
    }

    /// Waits no more once the time is over, or `at_once`.
    pub(super) fn end_cold_start(&mut self, now: Time, at_once: bool) {
        if self.awaits_until.is_none_or(|until| !at_once && now < until) {
            return;
        }
        self.awaits_until = None;
        for backend in self.backends.values_mut().filter(|backend| backend.is_awaited()) {
            Arc::make_mut(backend).await_verdict(false);
        }
        self.decide_all(now);
    }

    fn decide_all(&mut self, now: Time) {
        let names: Vec<FrontendName> = self.frontends.keys().cloned().collect();
        names.iter().for_each(|name| self.decide(name, now));
    }
}
