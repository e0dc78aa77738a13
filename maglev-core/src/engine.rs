//! Pure. The one top of the program: inputs in, effects out.
//!
//! An [`Engine`] holds everything there is to know: the configuration, the health of each backend, what operators want,
//! and what follows for each frontend. It is driven like this:
//!
//! 1. feed it an input: [`handle_outcome`](Engine::handle_outcome), [`handle_timeout`](Engine::handle_timeout),
//!    [`request`](Engine::request), [`set_weight`](Engine::set_weight), [`reload`](Engine::reload);
//! 2. carry out its effects, in order, until [`poll_effect`](Engine::poll_effect) has no more;
//! 3. call [`handle_timeout`](Engine::handle_timeout) when [`poll_timeout`](Engine::poll_timeout) says so.
//!
//! It has no clock, no sockets and no tasks, and its only randomness comes from a seed: the same inputs at the same times
//! give the same effects.

mod backend;
mod cold_start;
mod dataplane;
mod event;
mod expiry;
mod fitted;
mod frontend;
mod guard;
mod hold;
mod reload;
mod shortage;
mod verdict;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::backend::{BackendStatus, LastProbe, Unprobeable};
use self::dataplane::Dataplane;
pub use self::dataplane::{KeptLength, SyncReport, SyncStatus};
pub use self::event::{Cause, Event, Transition};
pub use self::frontend::FrontendStatus;
pub use self::guard::{MayEmpty, frontends_named};
use self::hold::Hold;
pub use self::reload::{
    KEPT_FOR, KeptIntent, KeptIntents, KeptWeight, ReloadDanger, ReloadNote, ReloadRefused, ReloadReport,
    SavedIdentity,
};
use self::shortage::Shortage;
pub use self::verdict::{Verdict, Verdicts};
use crate::check::HealthCheck;
use crate::config::Config;
use crate::health::ProbeId;
use crate::intent::{Attribution, Intent, Request, Unfit, WeightOverride};
use crate::names::{BackendName, FrontendName, PoolName};
use crate::net::Vip;
use crate::outcome::Outcome;
use crate::plan::Step;
use crate::time::Time;
use crate::weight::Weight;

/// Something the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send a probe, and feed its outcome to [`Engine::handle_outcome`].
    ///
    /// There must be one, at the latest soon after the check's timeout, also where the probe could not be made or was
    /// lost ([`Code::SockErr`](crate::outcome::Code::SockErr)): until it comes, the backend is not probed again.
    StartProbe(ProbeOrder),
    /// Abandon a probe. Its outcome would be ignored.
    CancelProbe(ProbeId),
    /// Look at what the dataplane has, and feed it to [`Engine::observed`].
    Observe,
    /// Write to the dataplane, in this order, and feed what became of it to [`Engine::applied`].
    Apply(Vec<Step>),
    /// The dataplane was compared with what it should have, and written to where it differed.
    Synced(SyncReport),
    /// Tell whoever watches. Also the moment to write a log line and count.
    Event(Event),
}

/// A probe to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeOrder {
    /// Its number.
    pub id: ProbeId,
    /// Whom it is about.
    pub backend: BackendName,
    /// Where to send it.
    pub address: std::net::IpAddr,
    /// What to ask.
    pub check: Arc<HealthCheck>,
}

/// This process gets too little processor time to probe as often as configured, or was stopped: it probes less often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorShortage {
    /// When it began.
    pub since: Time,
    /// How long the probe that has waited longest is overdue.
    pub behind: Duration,
}

/// The most probes started in one call of [`Engine::handle_timeout`]. The driver looks at the outcomes of others in between.
const STARTS: usize = 64;

/// Everything operators want: what has to outlive the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intents {
    /// Of backends. Those of whom nothing is wanted are absent.
    pub backends: BTreeMap<BackendName, Intent>,
    /// Weights in place of configured ones: frontend, pool, backend.
    pub weights: BTreeMap<FrontendName, BTreeMap<PoolName, BTreeMap<BackendName, WeightOverride>>>,
    /// What makes the backends above the same under another name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<BackendName, SavedIdentity>,
    /// The VIPs of the frontends above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vips: BTreeMap<FrontendName, Vip>,
    /// For what is not in the configuration at present.
    #[serde(default, skip_serializing_if = "KeptIntents::is_empty")]
    pub kept: KeptIntents,
}

impl Intents {
    /// The same with every time as `map` has it, to write them down on another time line.
    pub fn map_times(mut self, map: impl Fn(Time) -> Time) -> Self {
        let own = self.weights.values_mut().flat_map(BTreeMap::values_mut).flat_map(BTreeMap::values_mut);
        let backends = self.backends.values_mut().flat_map(Intent::attributions_mut);
        for who in backends.chain(own.map(|own| &mut own.attribution)) {
            who.map_times(&map);
        }
        self.kept.map_times(&map);
        self
    }
}

/// Why a command was not carried out. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No backend has that name.
    #[error("there is no backend {0}")]
    NoBackend(String),
    /// No frontend has that name.
    #[error("there is no frontend {0}")]
    NoFrontend(String),
    /// The frontend has no pool of that name.
    #[error("frontend {frontend} has no pool {pool}")]
    NoPool {
        /// The frontend.
        frontend: FrontendName,
        /// The name that no pool of it has.
        pool: String,
    },
    /// The pool does not have that backend.
    #[error("pool {pool} of frontend {frontend} has no backend {backend}")]
    NotInPool {
        /// The frontend.
        frontend: FrontendName,
        /// Its pool.
        pool: PoolName,
        /// The name that is not in the pool.
        backend: String,
    },
    /// The backend is disabled and the request needs it not to be.
    #[error("backend {backend} is disabled")]
    Disabled {
        /// The backend.
        backend: BackendName,
        /// What was asked.
        #[source]
        source: Unfit,
    },
    /// Frontends that have a server with effective weight would have none, and nobody said that this is meant.
    #[error("{} would have no server left, and new flows would be dropped", frontends_named(.frontends))]
    WouldEmpty {
        /// The frontends, by name.
        frontends: Vec<FrontendName>,
    },
    /// The request was to end by itself, and cannot.
    #[error("backend {backend} stays as it is")]
    HasNoEnd {
        /// The backend.
        backend: BackendName,
        /// Why not.
        #[source]
        source: Unfit,
    },
    /// A weight was to be set for a time, and is the one that would be gone back to.
    #[error(
        "weight {weight} of backend {backend} in frontend {frontend} is the configured one, so there is nothing to go back \
         to: set it without an end"
    )]
    ConfiguredWeight {
        /// The frontend.
        frontend: FrontendName,
        /// The backend in it.
        backend: BackendName,
        /// The weight.
        weight: Weight,
    },
}

/// A control plane without I/O. See the [module](self).
///
/// A clone is cheap: it shares the configuration and every backend and frontend with the original, and each is copied
/// when one of the two changes it. So a clone is a snapshot to read from, or to try a change on, beside the original.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Arc<Config>,
    backends: BTreeMap<BackendName, Arc<BackendStatus>>,
    frontends: BTreeMap<FrontendName, Arc<FrontendStatus>>,
    /// The frontends that each backend is in.
    serves: Arc<BTreeMap<BackendName, BTreeSet<FrontendName>>>,
    /// When each watched backend that is not being probed is due.
    due: BTreeSet<(Time, BackendName)>,
    /// When the first of what operators want ends by itself.
    ends_at: Option<Time>,
    /// Intent for what is not in the configuration.
    kept: KeptIntents,
    /// Old servers that stay until their successors have a verdict.
    holds: BTreeMap<FrontendName, Hold>,
    /// The present names of backends that were renamed while a probe was in flight.
    renamed: BTreeMap<ProbeId, BackendName>,
    /// What the last reload, or the start, did beside what the file says.
    reloaded: ReloadReport,
    /// Until when first verdicts are waited for.
    awaits_until: Option<Time>,
    dataplane: Dataplane,
    next_probe: ProbeId,
    shortage: Shortage,
    random: fastrand::Rng,
    effects: VecDeque<Effect>,
}

impl Engine {
    /// Starts on a configuration with what operators wanted before. Intent for what is not in the configuration is
    /// kept for a while (see [`KeptIntents`]), and what has ended by itself since ends now, as an event. `seed` decides the spread of the probes and nothing else.
    pub fn new(config: Arc<Config>, intents: Intents, seed: u64, now: Time) -> Self {
        Engine::restarted(config, intents, Verdicts::new(), seed, now)
    }

    /// The same with what the probes said before, which counts where it is fresh until the first new result (see
    /// [`Verdict`]). That it still holds is not news.
    pub fn restarted(
        config: Arc<Config>,
        intents: Intents,
        verdicts: Verdicts,
        seed: u64,
        now: Time,
    ) -> Self {
        let nothing = Config {
            health: config.health.clone(),
            vpp: config.vpp.clone(),
            checks: BTreeMap::new(),
            backends: BTreeMap::new(),
            frontends: BTreeMap::new(),
        };
        let mut engine = Engine {
            config: Arc::new(nothing),
            backends: BTreeMap::new(),
            frontends: BTreeMap::new(),
            serves: Arc::default(),
            due: BTreeSet::new(),
            ends_at: None,
            kept: KeptIntents::default(),
            holds: BTreeMap::new(),
            renamed: BTreeMap::new(),
            reloaded: ReloadReport::default(),
            awaits_until: None,
            dataplane: Dataplane::new(&config.vpp, now),
            next_probe: ProbeId(0),
            shortage: Shortage::new(now),
            random: fastrand::Rng::with_seed(seed),
            effects: VecDeque::new(),
        };
        engine.reloaded = engine.install(config, intents, verdicts, now);
        engine.await_verdicts(now);
        // Nothing happened yet: what is there at the start is not news.
        engine.effects.clear();
        // But that something has ended meanwhile is.
        engine.expire(now);
        engine
    }

    /// The configuration in force.
    pub const fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Every backend, by name.
    pub fn backends(&self) -> impl ExactSizeIterator<Item = &BackendStatus> {
        self.backends.values().map(Arc::as_ref)
    }

    /// A backend.
    pub fn backend(&self, name: &str) -> Option<&BackendStatus> {
        self.backends.get(name).map(Arc::as_ref)
    }

    /// Every frontend, by name.
    pub fn frontends(&self) -> impl ExactSizeIterator<Item = &FrontendStatus> {
        self.frontends.values().map(Arc::as_ref)
    }

    /// A frontend.
    pub fn frontend(&self, name: &str) -> Option<&FrontendStatus> {
        self.frontends.get(name).map(Arc::as_ref)
    }

    /// The frontends a backend is in, by name.
    pub fn frontends_of(&self, backend: &str) -> impl Iterator<Item = &FrontendStatus> {
        self.serves.get(backend).into_iter().flatten().filter_map(|name| self.frontend(name.as_str()))
    }

    /// Everything operators want.
    pub fn intents(&self) -> Intents {
        let mut intents = Intents::default();
        for backend in self.backends.values().filter(|backend| !backend.intent().is_none()) {
            intents.backends.insert(backend.name().clone(), backend.intent().clone());
            intents.identities.insert(backend.name().clone(), SavedIdentity::of(backend.config()));
        }
        for frontend in self.frontends.values().filter(|frontend| !frontend.overrides().is_empty()) {
            intents.weights.insert(frontend.name().clone(), frontend.overrides().clone());
            intents.vips.insert(frontend.name().clone(), frontend.config().vip);
        }
        intents.kept = self.kept.clone();
        intents
    }

    /// Intent for what is not in the configuration, and applies again when it returns.
    pub const fn kept_intents(&self) -> &KeptIntents {
        &self.kept
    }

    /// The present name of the backend that a probe in flight is about, where it was renamed since.
    pub fn renamed_to(&self, probe: ProbeId) -> Option<&BackendName> {
        self.renamed.get(&probe)
    }

    /// What the last reload did beside what the file says; before the first, what the start did.
    pub const fn last_reload(&self) -> &ReloadReport {
        &self.reloaded
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    pub fn poll_timeout(&self) -> Option<Time> {
        let probe = self.due.first().map(|&(time, _)| self.shortage.allowed(time));
        let ends = [self.ends_at, self.next_release(), self.awaits_until, self.dataplane.poll_timeout()];
        ends.into_iter().chain([probe]).flatten().min()
    }

    /// Does what is due: probes, the end of what operators wanted for a time, and comparisons with the dataplane.
    pub fn handle_timeout(&mut self, now: Time) {
        self.expire(now);
        self.release_due(now);
        self.end_cold_start(now, false);
        self.drive(now);
        self.shortage.handle_timeout(now, self.backends.len());
        for _ in 0..STARTS {
            if self.due.first().is_none_or(|&(time, _)| time > now) || !self.shortage.start(now) {
                break;
            }
            let Some((_, name)) = self.due.pop_first() else { break };
            if let Some(order) =
                self.backends.get_mut(&name).and_then(|b| Arc::make_mut(b).start_probe(now, self.next_probe))
            {
                self.next_probe = ProbeId(self.next_probe.0.wrapping_add(1));
                self.effects.push_back(Effect::StartProbe(order));
            }
        }
    }

    /// Takes note that the process did not run for `lost` since the last call, although probes were in flight. The engine
    /// starts fewer probes while it loses much of its time.
    pub fn handle_stall(&mut self, lost: Duration) {
        self.shortage.handle_stall(lost);
    }

    /// The shortage of processor time, if there is one.
    pub fn shortage(&self, now: Time) -> Option<ProcessorShortage> {
        let since = self.shortage.since()?;
        let behind = self.due.first().map_or(Duration::ZERO, |&(due, _)| now.since(due));
        Some(ProcessorShortage { since, behind })
    }

    /// Takes the outcome of a probe. An outcome of a probe that was cancelled is ignored.
    pub fn handle_outcome(&mut self, now: Time, backend: &BackendName, probe: ProbeId, outcome: Outcome) {
        let renamed = self.renamed.remove(&probe);
        let backend = renamed.as_ref().unwrap_or(backend);
        let Some(status) = self.backends.get_mut(backend).map(Arc::make_mut) else { return };
        let transition = status.handle_outcome(now, probe, outcome);
        self.after(backend, now, transition);
    }

    /// Carries out what an operator asks of a backend. Returns whether that changed anything.
    ///
    /// # Errors
    /// [`CommandError`]; [`CommandError::WouldEmpty`] names the frontends that would be left without a server and are not
    /// among those that `may_empty`.
    pub fn request(
        &mut self,
        now: Time,
        backend: &str,
        request: Request,
        attribution: Attribution,
        may_empty: MayEmpty<'_>,
    ) -> Result<bool, CommandError> {
        let Some(status) = self.backends.get(backend) else {
            return Err(CommandError::NoBackend(backend.to_owned()));
        };
        let name = status.name().clone();
        let cause = Cause::Operator { request, attribution: attribution.clone() };
        let intent = status.requested(request, attribution.clone()).map_err(|source| match source {
            Unfit::Disabled(_) => CommandError::Disabled { backend: name.clone(), source },
            Unfit::NothingToGoBackTo(_) | Unfit::Endless(_) => {
                CommandError::HasNoEnd { backend: name.clone(), source }
            }
        })?;
        let frontends = Engine::protected(self.emptied_by_request(&name, request), may_empty);
        if !frontends.is_empty() {
            return Err(CommandError::WouldEmpty { frontends });
        }
        let changed = intent.is_some();
        if let (Some(intent), Some(status)) = (intent, self.backends.get_mut(backend).map(Arc::make_mut)) {
            status.intend(intent);
            // An operator who resumes or enables wants to see the result now, so nothing is spread.
            let abandoned = status.follow_mode(now, Duration::ZERO);
            let transition = status.settle(now, cause);
            self.cancel(abandoned);
            if transition.is_none() {
                // Only its end is another.
                self.emit(Event::IntentChanged {
                    backend: name.clone(),
                    request,
                    attribution,
                    ended: false,
                    at: now,
                });
            }
            self.after(&name, now, transition);
            self.look_for_ends();
        }
        Ok(changed)
    }

    /// Sets an operator's weight in place of the configured one, of a backend in a pool of a frontend (`place`). Setting
    /// the configured weight ends the override. With `flush` the backend's established flows in that frontend are
    /// evicted, whatever its weight. Returns whether anything changes.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn set_weight(
        &mut self,
        now: Time,
        place: (&str, &str, &str),
        weight: Weight,
        flush: bool,
        attribution: Attribution,
        may_empty: MayEmpty<'_>,
    ) -> Result<bool, CommandError> {
        let (frontend, pool, backend) = place;
        let emptied = self.is_emptied_by_weight(place, weight);
        let Some(status) = self.frontends.get_mut(frontend) else {
            return Err(CommandError::NoFrontend(frontend.to_owned()));
        };
        let emptied = emptied.then(|| status.name().clone()).into_iter().collect();
        let frontends = Engine::protected(emptied, may_empty);
        if !frontends.is_empty() {
            return Err(CommandError::WouldEmpty { frontends });
        }
        let status = Arc::make_mut(status);
        let event = status.set_weight(pool, backend, weight, attribution, now)?;
        let name = status.name().clone();
        let changed = event.is_some();
        if let Some(event) = event {
            self.emit(event);
            self.decide(&name, now);
            self.look_for_ends();
        }
        let address = self.backends.get(backend).map(|backend| backend.config().address);
        if let (true, Some(address), Some(status)) = (flush, address, self.frontends.get(&name)) {
            self.dataplane.flush(status, address);
        }
        self.drive(now);
        Ok(changed || flush)
    }

    /// What follows from whatever just happened to a backend.
    fn after(&mut self, backend: &BackendName, now: Time, transition: Option<Transition>) {
        self.reschedule(backend);
        if let Some(transition) = transition {
            self.emit(Event::BackendChanged { backend: backend.clone(), transition });
            for frontend in self.serves.get(backend).cloned().unwrap_or_default() {
                self.decide(&frontend, now);
            }
            self.drive(now);
        }
    }

    /// Puts a backend's next probe into the order of all.
    fn reschedule(&mut self, backend: &BackendName) {
        let Some(status) = self.backends.get_mut(backend).map(Arc::make_mut) else { return };
        let (was, is) = status.reschedule();
        if was != is {
            if let Some(was) = was {
                self.due.remove(&(was, backend.clone()));
            }
            if let Some(is) = is {
                self.due.insert((is, backend.clone()));
            }
        }
    }

    /// Works a frontend out again and tells what changed.
    fn decide(&mut self, frontend: &FrontendName, now: Time) {
        let Some(status) = self.frontends.get_mut(frontend).map(Arc::make_mut) else { return };
        let events = status.decide(now, &self.backends);
        self.release(frontend);
        // Also without events: a scale may have changed, or whether a server keeps its flows.
        self.dataplane.touch(frontend);
        self.effects.extend(events.into_iter().map(Effect::Event));
    }

    fn cancel(&mut self, probe: Option<ProbeId>) {
        if let Some(probe) = &probe {
            self.renamed.remove(probe);
        }
        self.effects.extend(probe.map(Effect::CancelProbe));
    }

    fn emit(&mut self, event: Event) {
        self.effects.push_back(Effect::Event(event));
    }
}

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;
