//! Pure. Keeping a dataplane in agreement: when to look, when to write, and what is known of it meanwhile.

mod foreign;
mod retries;
mod tables;
mod warm_up;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use self::retries::Retries;
pub use self::tables::KeptLength;
use self::warm_up::WarmUp;
use crate::config::{Config, VppSettings};
use crate::desired::DesiredVip;
use crate::engine::{Effect, Engine, FrontendStatus};
use crate::names::FrontendName;
use crate::net::Vip;
use crate::observed::Observed;
use crate::plan::{self, Memory, Plan, Scope, Step};
use crate::time::Time;

/// How long to wait before observing again when that failed.
const OBSERVE_AGAIN: Duration = Duration::from_secs(1);

/// What the engine knows of the dataplane, and what it is doing about it.
///
/// ```text
///              connected           wanted, due           observed
///   Lost ─────────────────► Idle ───────────► Observing ──────────┐
///    ▲                      ▲  ▲                                  │ plan
///    │ lost (from anywhere) │  └────────── applied ◄── Applying ◄─┤ not empty
///    └──────────────────────┴───────────────────────── empty ◄────┘
/// ```
///
/// A step that [`waits`](Step::waits) is not sent: the rest of its plan is, and then the dataplane is observed and compared
/// at once. The same happens after a refusal, with backoff.
///
/// One thing at a time: while operations are under way, frontends that change are only noted, and planned for together
/// when the answers are in. So a flood of transitions costs one plan.
#[derive(Clone, Debug)]
pub(super) struct Dataplane {
    phase: Phase,
    /// What it has, as last observed and changed since by operations that succeeded.
    believed: Option<Arc<Observed>>,
    memory: Memory,
    /// Frontends that differ, or may differ, from what was last written.
    dirty: BTreeSet<FrontendName>,
    /// Set until everything may be written.
    warm_up: Option<WarmUp>,
    /// When everything is to be compared next.
    full_due: Option<Time>,
    status: BTreeMap<FrontendName, SyncStatus>,
    /// When everything was last compared, with nothing refused of what followed from it.
    last_full: Option<Time>,
    /// What was not done as often as it was tried.
    retries: Retries,
    /// Steps that are not reported yet, since others of their plan follow at once.
    unreported: Vec<Written>,
    /// Counts comparisons of everything that were asked for.
    asked: u64,
    /// Those of them that the present or the last one answers.
    answered: u64,
}

/// A step, with what became of it.
type Written = (Step, Result<(), String>);

#[derive(Clone, Debug)]
enum Phase {
    Lost,
    Idle,
    Observing {
        /// What was asked for by then is answered by this observation.
        answers: u64,
    },
    Applying {
        steps: Vec<Step>,
        round: Round,
    },
}

/// What was planned together.
#[derive(Clone, Debug)]
struct Round {
    /// Steps that are not sent before another observation.
    waiting: Vec<Step>,
    planned: Vec<Planned>,
    /// What an operator has evicted by it.
    flush: BTreeSet<(Vip, IpAddr)>,
    full: bool,
}

/// A frontend that was planned for.
#[derive(Clone, Debug)]
struct Planned {
    frontend: FrontendName,
    vip: Vip,
    /// The servers that have no flows any more once all of it is done.
    evicts: BTreeSet<IpAddr>,
}

/// How the last attempt to write a frontend went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SyncStatus {
    /// What was refused, in a sentence.
    pub error: Option<String>,
    /// When the dataplane last had all of it.
    pub last_success: Option<Time>,
}

/// What became of a comparison and its operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReport {
    /// Whether everything was compared with what was observed, or some frontends with what was believed.
    pub full: bool,
    /// The operations in order, each with what became of it.
    pub steps: Vec<Written>,
    /// Comparisons of everything asked for with [`Engine::sync`] up to this number are answered by it.
    pub answers: u64,
}

impl Dataplane {
    pub(super) fn new(settings: &VppSettings, now: Time) -> Self {
        Dataplane {
            phase: Phase::Lost,
            believed: None,
            memory: Memory::default(),
            dirty: BTreeSet::new(),
            warm_up: Some(WarmUp::new(settings, now)),
            full_due: None,
            status: BTreeMap::new(),
            last_full: None,
            retries: Retries::default(),
            unreported: Vec::new(),
            asked: 0,
            answered: 0,
        }
    }

    /// A frontend is new or was decided anew.
    pub(super) fn touch(&mut self, frontend: &FrontendName) {
        self.dirty.insert(frontend.clone());
    }

    /// Frontends have left.
    pub(super) fn forget<'a>(&mut self, names: impl Iterator<Item = &'a FrontendName>) {
        let names: BTreeSet<&FrontendName> = names.collect();
        self.status.retain(|name, _| !names.contains(name));
        self.dirty.retain(|name| !names.contains(name));
        if let Some(warm_up) = &mut self.warm_up {
            warm_up.retain(|name| !names.contains(name));
        }
    }

    /// Frontends have other names, all at once: two may have swapped theirs.
    pub(super) fn rename(&mut self, names: &BTreeMap<FrontendName, FrontendName>) {
        let name = |from: FrontendName| names.get(&from).cloned().unwrap_or(from);
        let status = std::mem::take(&mut self.status);
        self.status = status.into_iter().map(|(from, status)| (name(from), status)).collect();
        if let Some(warm_up) = &mut self.warm_up {
            warm_up.rename(name);
        }
    }

    /// Another configuration is in force.
    pub(super) fn reconfigured(&mut self, config: &Config, now: Time) {
        self.dirty.retain(|name| config.frontends.contains_key(name));
        self.status.retain(|name, _| config.frontends.contains_key(name));
        self.retries.retain(|name| config.frontends.contains_key(name));
        let vips: BTreeSet<Vip> = config.frontends.values().map(|frontend| frontend.vip).collect();
        self.memory.recreate.retain(|vip| vips.contains(vip));
        self.memory.flush.retain(|(vip, _)| vips.contains(vip));
        self.memory.evicted.retain(|vip, _| vips.contains(vip));
        self.memory.ours.extend(vips);
        if let Some(warm_up) = &mut self.warm_up {
            warm_up.retain(|name| config.frontends.contains_key(name));
        }
        self.full_due = Some(now);
    }

    /// Evict the flows of a server of a frontend with the next writes.
    pub(super) fn flush(&mut self, frontend: &FrontendStatus, address: IpAddr) {
        self.memory.flush.insert((frontend.config().vip, address));
        self.touch(frontend.name());
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let warm_up = self.warm_up.as_ref().map(WarmUp::next);
        match self.phase {
            Phase::Lost => None,
            Phase::Observing { .. } | Phase::Applying { .. } => warm_up,
            Phase::Idle => [warm_up, self.full_due].into_iter().flatten().min(),
        }
    }

    fn may_write(&self, frontend: &FrontendName) -> bool {
        self.warm_up.as_ref().is_none_or(|warm_up| warm_up.has_released(frontend))
    }

    /// Takes note of how writing a frontend went.
    fn note(&mut self, frontend: &FrontendName, now: Time, error: Option<String>) {
        let status = self.status.entry(frontend.clone()).or_default();
        if error.is_none() {
            status.last_success = Some(now);
        }
        status.error = error;
    }

    /// Leaves off, without knowing what became of what was under way.
    fn lose(&mut self) {
        let phase = std::mem::replace(&mut self.phase, Phase::Lost);
        if let Phase::Applying { round, .. } = phase {
            self.memory.flush.extend(round.flush);
        }
        self.memory.unconfirmed.clear();
        self.retries = Retries::default();
        self.unreported.clear();
        // Whoever asked for it has been refused.
        self.memory.recreate.clear();
        self.believed = None;
    }
}

impl Engine {
    /// The dataplane can be reached, after a start or after [`dataplane_lost`](Self::dataplane_lost).
    pub fn dataplane_connected(&mut self, now: Time) {
        self.dataplane.lose();
        self.dataplane.phase = Phase::Idle;
        self.dataplane.full_due = Some(now);
        self.drive(now);
    }

    /// The dataplane cannot be reached any more. What became of operations under way is not known, and an answer to
    /// what was asked before must not be fed any more.
    pub fn dataplane_lost(&mut self) {
        self.dataplane.lose();
    }

    /// Takes the answer to [`Effect::Observe`]; `None` when it could not be had.
    pub fn observed(&mut self, now: Time, observed: Option<Observed>) {
        self.end_cold_start(now, false);
        let Phase::Observing { answers } = self.dataplane.phase else { return };
        self.dataplane.phase = Phase::Idle;
        match observed {
            Some(observed) => {
                self.dataplane.answered = answers;
                // Not for ever: what is gone may come back as somebody else's.
                let vips: BTreeSet<Vip> =
                    self.frontends.values().map(|frontend| frontend.config().vip).collect();
                let there = |vip: &Vip| vips.contains(vip) || observed.vip(vip).is_some();
                self.dataplane.memory.ours.retain(there);
                self.find_undone(now, &observed);
                self.dataplane.believed = Some(Arc::new(observed));
                self.warm_up(now, true);
                let asked_since = self.dataplane.asked > answers;
                let again = if asked_since { Duration::ZERO } else { self.config.vpp.sync_interval };
                self.dataplane.full_due = Some(now + again);
                self.compare_all(now);
            }
            None => self.dataplane.full_due = Some(now + OBSERVE_AGAIN),
        }
        self.drive(now);
    }

    /// Takes what became of the steps of [`Effect::Apply`], in their order: done, or refused for a reason. Steps beyond
    /// the end of `results` were not carried out.
    pub fn applied(&mut self, now: Time, results: Vec<Result<(), String>>) {
        let phase = std::mem::replace(&mut self.dataplane.phase, Phase::Idle);
        let Phase::Applying { steps, round } = phase else {
            self.dataplane.phase = phase;
            return;
        };
        let results = results.into_iter().chain(std::iter::repeat_with(|| Err("it was not sent".to_owned())));
        self.finish(now, steps.into_iter().zip(results).collect(), round);
        self.drive(now);
    }

    /// Asks for a comparison of everything with what the dataplane has now. It is answered by the first
    /// [`Effect::Synced`] whose `answers` is not less than the number returned.
    pub fn sync(&mut self, now: Time) -> u64 {
        self.dataplane.asked += 1;
        self.dataplane.full_due = Some(now);
        self.drive(now);
        self.dataplane.asked
    }

    /// What would be written to a dataplane that has `observed`, for one frontend or for everything, without regard to
    /// the warm-up.
    pub fn plan(&self, observed: &Observed, only: Option<&FrontendName>) -> Plan {
        let desired = self.desired_vips(|name| only.is_none_or(|only| name == only));
        let scope = match only {
            Some(_) => Scope::Given,
            None => Scope::All { settings: &self.config.vpp, reserved: &BTreeSet::new() },
        };
        plan::plan(&desired, observed, &self.dataplane.memory, scope)
    }

    /// What the dataplane should have for each frontend.
    pub fn desired(&self) -> Vec<DesiredVip> {
        self.desired_vips(|_| true)
    }

    /// How the last attempt to write a frontend went.
    pub fn sync_status(&self, frontend: &str) -> Option<&SyncStatus> {
        self.dataplane.status.get(frontend)
    }

    /// What the dataplane has, as last observed and changed since by what was written; `None` while it is not reached.
    pub fn believed(&self) -> Option<&Observed> {
        self.dataplane.believed.as_deref()
    }

    /// When everything was last compared and nothing was left to do.
    pub const fn last_full_sync(&self) -> Option<Time> {
        self.dataplane.last_full
    }

    /// Whether the warm-up after the start still keeps something from being written.
    pub fn is_warming_up(&self) -> bool {
        let holds_back = |warm_up: &WarmUp| {
            warm_up.has_released_nothing() || !self.frontends.keys().all(|name| warm_up.has_released(name))
        };
        self.dataplane.warm_up.as_ref().is_some_and(holds_back)
    }

    /// Does whatever is next, if nothing is under way.
    pub(super) fn drive(&mut self, now: Time) {
        if matches!(self.dataplane.phase, Phase::Lost) {
            return;
        }
        self.warm_up(now, false);
        if !matches!(self.dataplane.phase, Phase::Idle) {
            return;
        }
        if self.dataplane.full_due.is_some_and(|due| due <= now) {
            self.dataplane.phase = Phase::Observing { answers: self.dataplane.asked };
            self.effects.push_back(Effect::Observe);
        } else if !self.dataplane.dirty.is_empty() {
            self.compare_dirty(now);
        }
    }

    /// Compares everything that may be written.
    fn compare_all(&mut self, now: Time) {
        let desired = self.desired_vips(|name| self.dataplane.may_write(name));
        let waits = |frontend: &&Arc<FrontendStatus>| !self.dataplane.may_write(frontend.name());
        let reserved = self.frontends.values().filter(waits).map(|frontend| frontend.config().vip).collect();
        // Before anything may be written, not even what nobody wants is removed.
        let nothing_yet = self.dataplane.warm_up.as_ref().is_some_and(WarmUp::has_released_nothing);
        let scope = if nothing_yet {
            Scope::Given
        } else {
            Scope::All { settings: &self.config.vpp, reserved: &reserved }
        };
        let Some(believed) = &self.dataplane.believed else { return };
        let plan = plan::plan(&desired, believed, &self.dataplane.memory, scope);
        self.dataplane.dirty.clear();
        self.carry_out(now, desired, plan, true);
    }

    /// Compares the frontends that changed with what is believed.
    fn compare_dirty(&mut self, now: Time) {
        let Some(believed) = &self.dataplane.believed else { return };
        let dirty = std::mem::take(&mut self.dataplane.dirty);
        let desired = self.desired_vips(|name| dirty.contains(name) && self.dataplane.may_write(name));
        let plan = plan::plan(&desired, believed, &self.dataplane.memory, Scope::Given);
        self.carry_out(now, desired, plan, false);
    }

    fn carry_out(&mut self, now: Time, desired: Vec<DesiredVip>, plan: Plan, full: bool) {
        let (waiting, steps): (Vec<Step>, _) = plan.steps.into_iter().partition(|step| step.waits);
        let memory = &mut self.dataplane.memory;
        let vips: BTreeSet<Vip> = desired.iter().map(|vip| vip.vip).collect();
        let flush = memory.flush.extract_if(.., |(vip, _)| vips.contains(vip)).collect();
        memory.recreate.retain(|vip| !vips.contains(vip));
        let planned = desired.into_iter().map(|desired| {
            let DesiredVip { frontend, vip, servers, .. } = desired;
            let evicts = servers.into_iter().filter(|(_, server)| server.flush).map(|(address, _)| address);
            Planned { frontend, vip, evicts: evicts.collect() }
        });
        let round = Round { waiting, planned: planned.collect(), flush, full };
        if steps.is_empty() {
            self.finish(now, Vec::new(), round);
        } else {
            self.effects.push_back(Effect::Apply(steps.clone()));
            self.dataplane.phase = Phase::Applying { steps, round };
        }
    }
}

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;
