//! Pure. Keeping a dataplane in agreement: when to look, when to write, and what is known of it meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::config::{Config, VppSettings};
use crate::desired::{BackendState, DesiredVip};
use crate::engine::{BackendStatus, Effect, Engine, FrontendStatus};
use crate::names::FrontendName;
use crate::observed::Observed;
use crate::plan::{self, Memory, Operation, Plan, Scope, Step};
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
/// One thing at a time: while operations are under way, frontends that change are only noted, and planned for together
/// when the answers are in. So a flood of transitions costs one plan.
#[derive(Debug)]
pub(super) struct Dataplane {
    phase: Phase,
    /// What it has, as last observed and changed since by operations that succeeded.
    believed: Option<Observed>,
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
    /// Counts comparisons of everything that were asked for.
    asked: u64,
    /// Those of them that the present or the last one answers.
    answered: u64,
}

#[derive(Debug)]
enum Phase {
    Lost,
    Idle,
    Observing {
        /// What was asked for by then is answered by this observation.
        answers: u64,
    },
    Applying {
        steps: Vec<Step>,
        planned: BTreeSet<FrontendName>,
        /// What is evicted by it.
        flush: BTreeSet<(FrontendName, IpAddr)>,
        full: bool,
    },
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
    pub steps: Vec<(Step, Result<(), String>)>,
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
            warm_up: Some(WarmUp {
                not_before: now + settings.startup_min_delay,
                over_at: now + settings.startup_max_delay,
                begun: false,
                released: BTreeSet::new(),
            }),
            full_due: None,
            status: BTreeMap::new(),
            last_full: None,
            asked: 0,
            answered: 0,
        }
    }

    /// A frontend is new or was decided anew.
    pub(super) fn touch(&mut self, frontend: &FrontendName) {
        self.dirty.insert(frontend.clone());
    }

    /// Another configuration is in force.
    pub(super) fn reconfigured(&mut self, config: &Config, now: Time) {
        self.dirty.retain(|name| config.frontends.contains_key(name));
        self.status.retain(|name, _| config.frontends.contains_key(name));
        self.memory.scales.retain(|name, _| config.frontends.contains_key(name));
        self.memory.flush.retain(|(name, _)| config.frontends.contains_key(name));
        if let Some(warm_up) = &mut self.warm_up {
            warm_up.released.retain(|name| config.frontends.contains_key(name));
        }
        self.full_due = Some(now);
    }

    /// Evict the flows of a server of a frontend with the next writes.
    pub(super) fn flush(&mut self, frontend: &FrontendName, address: IpAddr) {
        self.memory.flush.insert((frontend.clone(), address));
        self.touch(frontend);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let warm_up = self.warm_up.as_ref().map(WarmUp::next);
        match self.phase {
            Phase::Lost => None,
            Phase::Observing { .. } | Phase::Applying { .. } => warm_up,
            Phase::Idle => [warm_up, self.full_due].into_iter().flatten().min(),
        }
    }

    /// Takes note of an operation that succeeded.
    fn happened(&mut self, operation: &Operation) {
        if let Some(believed) = &mut self.believed {
            believed.apply(operation);
        }
        match operation {
            Operation::AddVip { vip, .. } => {
                self.memory.ours.insert(*vip);
            }
            Operation::RemoveVip { vip } => {
                self.memory.ours.remove(vip);
            }
            Operation::SetConf(_)
            | Operation::AddServer { .. }
            | Operation::RemoveServer { .. }
            | Operation::SetWeight { .. } => {}
        }
    }

    fn may_write(&self, frontend: &FrontendName) -> bool {
        self.warm_up.as_ref().is_none_or(|warm_up| warm_up.released.contains(frontend))
    }

    /// Leaves off, without knowing what became of what was under way.
    fn lose(&mut self) {
        let phase = std::mem::replace(&mut self.phase, Phase::Lost);
        if let Phase::Applying { flush, .. } = phase {
            self.memory.flush.extend(flush);
        }
        self.believed = None;
    }
}

/// The time after the start in which probes come in, before everything may be written.
#[derive(Debug)]
struct WarmUp {
    /// Nothing is written before.
    not_before: Time,
    /// Everything may be written from then on.
    over_at: Time,
    /// Whether `not_before` has come.
    begun: bool,
    /// Frontends that may be written already: all their backends have a verdict.
    released: BTreeSet<FrontendName>,
}

impl WarmUp {
    const fn next(&self) -> Time {
        if self.begun { self.over_at } else { self.not_before }
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

    /// The dataplane cannot be reached any more. What became of operations under way is not known.
    pub fn dataplane_lost(&mut self) {
        self.dataplane.lose();
    }

    /// Takes the answer to [`Effect::Observe`]; `None` when it could not be had.
    pub fn observed(&mut self, now: Time, observed: Option<Observed>) {
        let Phase::Observing { answers } = self.dataplane.phase else { return };
        self.dataplane.phase = Phase::Idle;
        match observed {
            Some(observed) => {
                self.dataplane.answered = answers;
                self.dataplane.believed = Some(observed);
                self.dataplane.full_due = Some(now + self.config.vpp.sync_interval);
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
        let Phase::Applying { steps, planned, flush, full } = phase else {
            self.dataplane.phase = phase;
            return;
        };
        let results = results.into_iter().chain(std::iter::repeat_with(|| Err("it was not sent".to_owned())));
        let steps: Vec<_> = steps.into_iter().zip(results).collect();
        let mut refused: BTreeMap<&FrontendName, &String> = BTreeMap::new();
        for (step, result) in &steps {
            match (result, &step.frontend) {
                (Ok(()), _) => self.dataplane.happened(&step.operation),
                (Err(reason), Some(frontend)) => {
                    refused.entry(frontend).or_insert(reason);
                }
                (Err(_), None) => {}
            }
        }
        for frontend in &planned {
            let status = self.dataplane.status.entry(frontend.clone()).or_default();
            status.error = refused.get(frontend).map(|reason| (*reason).clone());
            if status.error.is_none() {
                status.last_success = Some(now);
            }
        }
        let again = flush.into_iter().filter(|(frontend, _)| refused.contains_key(frontend));
        self.dataplane.memory.flush.extend(again);
        self.report(now, full, steps);
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
    pub const fn believed(&self) -> Option<&Observed> {
        self.dataplane.believed.as_ref()
    }

    /// When everything was last compared and nothing was left to do.
    pub const fn last_full_sync(&self) -> Option<Time> {
        self.dataplane.last_full
    }

    /// Whether the warm-up after the start is still going on, in which not every frontend may be written.
    pub fn is_warming_up(&self) -> bool {
        self.dataplane.warm_up.is_some()
    }

    /// Does whatever is next, if nothing is under way.
    pub(super) fn drive(&mut self, now: Time) {
        if matches!(self.dataplane.phase, Phase::Lost) {
            return;
        }
        self.warm_up(now);
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

    /// Lets frontends be written whose time has come.
    fn warm_up(&mut self, now: Time) {
        let Some(warm_up) = self.dataplane.warm_up.as_mut().filter(|warm_up| warm_up.not_before <= now)
        else {
            return;
        };
        if !warm_up.begun || warm_up.over_at <= now {
            warm_up.begun = true;
            self.dataplane.full_due = Some(now);
        }
        if warm_up.over_at <= now {
            self.dataplane.warm_up = None;
            return;
        }
        let has_verdict =
            |backend| self.backends.get(backend).map(BackendStatus::state) != Some(BackendState::Unknown);
        for frontend in self.frontends.values() {
            let name = frontend.name();
            let mut members = frontend.config().members();
            if !warm_up.released.contains(name) && members.all(|(_, member)| has_verdict(&member.backend)) {
                warm_up.released.insert(name.clone());
                self.dataplane.dirty.insert(name.clone());
            }
        }
    }

    /// Compares everything that may be written.
    fn compare_all(&mut self, now: Time) {
        let desired = self.desired_vips(|name| self.dataplane.may_write(name));
        let waits = |frontend: &&FrontendStatus| !self.dataplane.may_write(frontend.name());
        let reserved = self.frontends.values().filter(waits).map(|frontend| frontend.config().vip).collect();
        // Before anything may be written, not even what nobody wants is removed.
        let nothing_yet = self.dataplane.warm_up.as_ref().is_some_and(|warm_up| warm_up.released.is_empty());
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
        let Plan { steps, fits } = plan;
        let memory = &mut self.dataplane.memory;
        memory.scales.extend(fits.into_iter().map(|(frontend, fit)| (frontend, fit.scale)));
        memory.ours.extend(desired.iter().map(|vip| vip.vip));
        let planned: BTreeSet<_> = desired.into_iter().map(|vip| vip.frontend).collect();
        let flush = memory.flush.extract_if(.., |(frontend, _)| planned.contains(frontend)).collect();
        if steps.is_empty() {
            for frontend in planned {
                self.dataplane.status.insert(frontend, SyncStatus { error: None, last_success: Some(now) });
            }
            if full {
                self.report(now, full, Vec::new());
            }
        } else {
            self.effects.push_back(Effect::Apply(steps.clone()));
            self.dataplane.phase = Phase::Applying { steps, planned, flush, full };
        }
    }

    fn report(&mut self, now: Time, full: bool, steps: Vec<(Step, Result<(), String>)>) {
        if full && steps.iter().all(|(_, result)| result.is_ok()) {
            self.dataplane.last_full = Some(now);
        }
        let answers = self.dataplane.answered;
        self.effects.push_back(Effect::Synced(SyncReport { full, steps, answers }));
    }

    fn desired_vips(&self, wanted: impl Fn(&FrontendName) -> bool) -> Vec<DesiredVip> {
        let address = |name: &_| self.backends.get(name).map(|backend| backend.config().address);
        let frontends = self.frontends.values().filter(|frontend| wanted(frontend.name()));
        frontends.map(|frontend| frontend.desired(self.config.vpp.weight_scaling, address)).collect()
    }
}
