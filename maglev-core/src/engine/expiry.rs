//! Pure. The end of what operators wanted for a time.
//!
//! What ends leaves everything as the opposite command would: a pause as a resume, a disable as an enable, an enable of
//! what the configuration disables as a disable, with its flush, and a weight as setting the configured one without a
//! flush.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Cause, Engine, Event, KeptIntent};
use crate::intent::Ended;
use crate::names::{BackendName, FrontendName};
use crate::time::Time;

impl Engine {
    /// Ends what is due to end.
    pub(super) fn expire(&mut self, now: Time) {
        if self.ends_at.is_none_or(|ends_at| now < ends_at) {
            return;
        }
        let due = |until: Option<Time>| until.is_some_and(|until| until <= now);
        let backends: Vec<BackendName> =
            self.backends.values().filter(|b| due(b.intent().until())).map(|b| b.name().clone()).collect();
        for name in backends {
            // An enable and a pause may end at once.
            while let Some((ended, transition, abandoned)) =
                self.backends.get_mut(&name).map(Arc::make_mut).and_then(|status| {
                    let ended = status.expire(now)?;
                    // As for a request, nothing is spread.
                    let abandoned = status.follow_mode(now, Duration::ZERO);
                    let Ended { request, attribution } = ended.clone();
                    Some((ended, status.settle(now, Cause::Expired { request, attribution }), abandoned))
                })
            {
                self.cancel(abandoned);
                if transition.is_none() {
                    // The configuration has come to say the same meanwhile, or a disable hides it.
                    let Ended { request, attribution } = ended;
                    let backend = name.clone();
                    self.emit(Event::IntentChanged { backend, request, attribution, ended: true, at: now });
                }
                self.after(&name, now, transition);
            }
        }
        let frontends: Vec<FrontendName> =
            self.frontends.values().filter(|f| due(f.until())).map(|f| f.name().clone()).collect();
        for name in frontends {
            let events = self
                .frontends
                .get_mut(&name)
                .map(|status| Arc::make_mut(status).expire(now))
                .unwrap_or_default();
            events.into_iter().for_each(|event| self.emit(event));
            self.decide(&name, now);
        }
        // Of what is kept for what is not in the configuration, only what is about a backend has somebody to be told of.
        let (kept, _) = self.kept.expire(now);
        for KeptIntent { backend, intent, .. } in kept {
            if let Some((request, attribution)) = intent.in_force() {
                let attribution = attribution.clone();
                self.emit(Event::IntentChanged { backend, request, attribution, ended: true, at: now });
            }
        }
        self.look_for_ends();
        self.drive(now);
    }

    /// Finds out again when the first of what operators want ends. It is asked after each change, of which there are few.
    pub(super) fn look_for_ends(&mut self) {
        let backends = self.backends.values().filter_map(|backend| backend.intent().until());
        let frontends = self.frontends.values().filter_map(|frontend| frontend.until());
        self.ends_at = backends.chain(frontends).chain(self.kept.next_end()).min();
    }
}
