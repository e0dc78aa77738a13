//! An engine, its driver, its backends and its dataplane.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{BACKENDS, FRONTENDS, Op};
use crate::config::{Config, Frontend, Ownership};
use crate::desired::{BackendState, DesiredVip};
use crate::engine::tests::{by, outcome};
use crate::engine::{Effect, Engine, Intents, MayEmpty, ReloadNote};
use crate::health::ProbeId;
use crate::intent::Attribution;
use crate::names::{BackendName, FrontendName};
use crate::net::{Encap, Protocol, Service, Vip};
use crate::observed::{Encapsulation, Observed};
use crate::outcome::Code;
use crate::plan::model::{Model, ModelVip};
use crate::plan::{Operation, Step};
use crate::time::Time;

const START: Time = Time::from_nanos(1_000_000_000_000);
const MIN: Duration = Duration::from_secs(5);
pub(super) const MAX: Duration = Duration::from_secs(30);

enum Asked {
    Observe,
    Apply {
        steps: Vec<Step>,
        /// The VIPs that were to have weight when this was planned.
        wanted: BTreeSet<Vip>,
    },
}

/// The driver, the backends and the dataplane.
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) started: Time,
    pub(super) now: Time,
    pub(super) in_flight: BTreeMap<ProbeId, BackendName>,
    pub(super) verdicts: BTreeMap<BackendName, bool>,
    pub(super) model: Model,
    connected: bool,
    asked: Option<Asked>,
    /// Whether somebody else has changed it since it was observed.
    meddled: bool,
    /// Operations it was told to carry out since the start.
    pub(super) writes: Vec<Step>,
    /// Frontends whose backends all had a verdict at some time.
    decided: BTreeSet<FrontendName>,
    /// The numbers that comparisons were asked for with and are answered by.
    syncs_asked: u64,
    syncs_answered: u64,
}

impl World {
    pub(super) fn new(config: Config, model: Model) -> Self {
        World {
            engine: Engine::new(Arc::new(config), Intents::default(), 1, START),
            started: START,
            now: START,
            in_flight: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            model,
            connected: false,
            asked: None,
            meddled: false,
            writes: Vec::new(),
            decided: BTreeSet::new(),
            syncs_asked: 0,
            syncs_answered: 0,
        }
    }

    /// After `kill -9`: all that is left is the dataplane, and what operators wanted.
    pub(super) fn restart_daemon(self) -> World {
        let World { engine, now, verdicts, model, .. } = self;
        let again = Engine::new(engine.config().clone(), engine.intents(), 2, now);
        World { engine: again, started: now, now, verdicts, ..World::new((**engine.config()).clone(), model) }
    }

    /// Another instance, with the same configuration, overrides and backends, and with a dataplane that has nothing.
    pub(super) fn fresh(&self) -> World {
        let config = self.engine.config();
        let engine = Engine::new(config.clone(), self.engine.intents(), 3, self.now);
        let fresh = World::new((**config).clone(), Model::empty());
        World { engine, started: self.now, now: self.now, verdicts: self.verdicts.clone(), ..fresh }
    }

    pub(super) fn step(&mut self, op: &Op) {
        let ann = by("ann", self.now);
        match op {
            Op::Wait(ms) => {
                self.now += Duration::from_millis(*ms);
                self.timeout();
            }
            Op::Wake => {
                self.now = self.engine.poll_timeout().map_or(self.now, |due| due.max(self.now));
                self.timeout();
            }
            Op::Answer(which, good) => {
                let probes: Vec<ProbeId> = self.in_flight.keys().copied().collect();
                if let Some(index) = which.checked_rem(probes.len()) {
                    self.answer(probes[index], *good);
                }
            }
            Op::Request(backend, request) => {
                let _ = self.engine.request(self.now, BACKENDS[*backend], *request, ann, MayEmpty::Anything);
            }
            Op::SetWeight { frontend, backend, weight, flush, lasts } => {
                let ann =
                    Attribution { until: lasts.map(|lasts| self.now + Duration::from_secs(lasts)), ..ann };
                let place = (FRONTENDS[*frontend], "one", BACKENDS[*backend]);
                let weight = (*weight).try_into().unwrap();
                let _ = self.engine.set_weight(self.now, place, weight, *flush, ann, MayEmpty::Anything);
            }
            Op::Reload(config) => self.reload((**config).clone()),
            Op::Rename => {
                let renamed = renamed(self.engine.config());
                self.reload(renamed);
            }
            Op::Sync => self.syncs_asked = self.engine.sync(self.now),
            Op::Respond => self.respond(0, 0),
            Op::Refuse(which) => self.respond(*which, 0),
            Op::Pretend { refused, pretended } => self.respond(*refused, *pretended),
            Op::FailToObserve => {
                if matches!(self.asked, Some(Asked::Observe)) {
                    self.asked = None;
                    self.engine.observed(self.now, None);
                }
            }
            Op::Lose(done) => {
                if let Some(Asked::Apply { steps, wanted }) = self.asked.take() {
                    for step in steps.iter().take(*done) {
                        let _ = self.carry_out(step, &steps, &wanted);
                    }
                }
                if std::mem::take(&mut self.connected) {
                    self.engine.dataplane_lost();
                }
            }
            Op::Connect => self.connect(),
            Op::Restart => {
                self.step(&Op::Lose(0));
                self.model = Model::empty();
                self.connect();
            }
            Op::Meddle(how) => {
                self.meddled = true;
                meddle(&mut self.model, *how);
            }
        }
        self.collect();
    }

    fn reload(&mut self, config: Config) {
        let report = self.engine.reload(self.now, Arc::new(config));
        let renamed = report.notes.into_iter().filter_map(|note| match note {
            ReloadNote::FrontendRenamed { from, to } => Some((from, to)),
            _ => None,
        });
        let renamed: BTreeMap<_, _> = renamed.collect();
        // What had a verdict has it under its other name.
        let engine = &self.engine;
        let mut decided = std::mem::take(&mut self.decided);
        let moved: Vec<_> =
            renamed.iter().filter(|(from, _)| decided.contains(*from)).map(|(_, to)| to.clone()).collect();
        decided.retain(|name| {
            engine.frontend(name.as_str()).is_some() && !renamed.values().any(|to| to == name)
        });
        self.decided = decided.into_iter().chain(moved).collect();
    }

    fn connect(&mut self) {
        if !std::mem::replace(&mut self.connected, true) {
            self.engine.dataplane_connected(self.now);
        }
        self.collect();
    }

    pub(super) fn timeout(&mut self) {
        self.engine.handle_timeout(self.now);
        assert!(self.engine.poll_timeout().is_none_or(|due| due > self.now), "it would spin");
    }

    pub(super) fn answer(&mut self, id: ProbeId, good: bool) {
        if let Some(backend) = self.in_flight.remove(&id) {
            let code = if good { Code::L4Ok } else { Code::L4Con };
            self.verdicts.insert(backend.clone(), good);
            self.engine.handle_outcome(self.now, &backend, id, outcome(code));
        }
    }

    /// Answers, refusing the operations whose bit is set in `refused`, and acknowledging without doing them those whose bit
    /// is set in `pretended`.
    fn respond(&mut self, refused: u64, pretended: u64) {
        match self.asked.take() {
            None => {}
            Some(Asked::Observe) => {
                self.meddled = false;
                let observed = self.model.observe();
                self.engine.observed(self.now, Some(observed));
            }
            Some(Asked::Apply { steps, wanted }) => {
                let mut results = Vec::new();
                for (index, step) in steps.iter().enumerate() {
                    let struck = |bits: u64| bits >> (index % 64) & 1 == 1;
                    results.push(if struck(refused) {
                        Err(format!("refused at random: {}", step.operation))
                    } else if struck(pretended) {
                        Ok(())
                    } else {
                        self.carry_out(step, &steps, &wanted)
                    });
                }
                self.engine.applied(self.now, results);
            }
        }
    }

    /// Carries out one of `steps`. A VIP that has weight, and is to have weight, has weight after it, unless it is made
    /// anew or somebody else changes VPP.
    fn carry_out(&mut self, step: &Step, steps: &[Step], wanted: &BTreeSet<Vip>) -> Result<(), String> {
        let vip = step.operation.vip();
        let total = |model: &Model| vip.and_then(|vip| model.vips.get(&vip)).map_or(0, ModelVip::total);
        let before = total(&self.model);
        let result = self.model.apply(&step.operation);
        let recreates = |other: &Step| {
            matches!(other.operation, Operation::RemoveVip { .. }) && other.operation.vip() == vip
        };
        if !self.meddled && before > 0 && total(&self.model) == 0 && !steps.iter().any(recreates) {
            assert!(vip.is_none_or(|vip| !wanted.contains(&vip)), "{} emptied its VIP", step.operation);
        }
        result
    }

    pub(super) fn collect(&mut self) {
        self.note_decided();
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::StartProbe(order) => {
                    self.in_flight.insert(order.id, order.backend);
                }
                Effect::CancelProbe(id) => {
                    self.in_flight.remove(&id);
                }
                Effect::Observe => self.ask(Asked::Observe),
                Effect::Apply(steps) => {
                    self.check_writes(&steps);
                    self.writes.extend(steps.iter().cloned());
                    let desired = self.engine.desired();
                    let has = |vip: &DesiredVip| vip.servers.values().any(|server| !server.weight.is_zero());
                    let wanted = desired.iter().filter(|vip| has(vip)).map(|vip| vip.vip).collect();
                    self.ask(Asked::Apply { steps, wanted });
                }
                Effect::Synced(report) => {
                    assert!(report.answers <= self.syncs_asked);
                    self.syncs_answered = self.syncs_answered.max(report.answers);
                }
                Effect::Event(_) => {}
            }
        }
    }

    fn ask(&mut self, asked: Asked) {
        assert!(self.connected, "nothing is asked of a dataplane that is lost");
        assert!(self.asked.is_none(), "one thing at a time");
        self.asked = Some(asked);
    }

    /// What is promised of the time after the start.
    fn check_writes(&self, steps: &[Step]) {
        assert!(!steps.is_empty());
        assert!(self.now >= self.started + MIN, "too early");
        if self.now >= self.started + MAX {
            return;
        }
        for name in steps.iter().filter_map(|step| step.frontend.as_ref()) {
            assert!(self.decided.contains(name), "{name} has backends without a verdict");
        }
    }

    /// Notes which frontends have had a verdict on all their backends.
    fn note_decided(&mut self) {
        let engine = &self.engine;
        self.decided.retain(|name| engine.frontend(name.as_str()).is_some());
        let state = |backend: &BackendName| engine.backend(backend.as_str()).unwrap().state();
        let decided = engine.frontends().filter(|frontend| {
            frontend.config().members().all(|(_, member)| state(&member.backend) != BackendState::Unknown)
        });
        self.decided.extend(decided.map(|frontend| frontend.name().clone()));
    }

    /// From now on nothing goes wrong: every probe is answered as before, and the dataplane does what it is told.
    pub(super) fn settle(&mut self, span: Duration) {
        let end = self.now + span;
        self.connect();
        loop {
            self.collect();
            if self.asked.is_some() {
                self.respond(0, 0);
            } else if let Some(&id) = self.in_flight.keys().next() {
                let good = self.verdicts.get(&self.in_flight[&id]).copied().unwrap_or(true);
                self.answer(id, good);
            } else {
                match self.engine.poll_timeout().filter(|due| *due <= end) {
                    None => break,
                    Some(due) => {
                        self.now = due.max(self.now);
                        self.timeout();
                    }
                }
            }
        }
        self.now = end;
    }

    pub(super) fn observed(&self) -> Observed {
        self.model.observe()
    }

    /// Worked out without the planner: shares of the dataplane are those that are wanted, within 5 %.
    pub(super) fn assert_agrees(&self) {
        for desired in self.engine.desired() {
            self.assert_has(&desired);
        }
        let wanted: BTreeSet<Vip> = self.engine.desired().iter().map(|desired| desired.vip).collect();
        if self.engine.config().vpp.ownership == Ownership::Exclusive {
            assert!(self.model.vips.keys().all(|vip| wanted.contains(vip)), "a foreign VIP is left");
        }
        if !wanted.is_empty() {
            assert_eq!(self.model.conf.ipv4_source, self.engine.config().vpp.source_v4);
        }
        for frontend in self.engine.frontends() {
            let status = self.engine.sync_status(frontend.name().as_str()).unwrap();
            assert_eq!(status.error, None);
            assert!(status.last_success.is_some());
        }
        assert!(!self.engine.is_warming_up());
        assert_eq!(self.syncs_answered, self.syncs_asked, "nobody waits");
    }

    fn assert_has(&self, desired: &DesiredVip) {
        let found = &self.model.vips[&desired.vip];
        assert_eq!(found.encap, Encapsulation::Gre(desired.encap));
        assert_eq!(found.src_ip_sticky, desired.src_ip_sticky);
        if !desired.keeps_length(found.table_length) {
            assert_eq!(found.table_length, desired.fit.table_length);
        }
        assert_eq!(found.servers, desired.sent().collect());
        assert!(found.servers.keys().eq(desired.servers.keys()));
        let wanted: f64 = desired.servers.values().map(|server| f64::from(server.weight.get())).sum();
        let sent = f64::from(found.total());
        for (address, server) in &desired.servers {
            let weight = f64::from(found.servers[address]);
            if server.weight.is_zero() {
                assert_eq!(weight, 0.0);
            } else {
                let share = f64::from(server.weight.get()) / wanted;
                assert!((weight / sent - share).abs() <= 0.051 * share, "{desired:#?} {found:#?}");
            }
        }
    }
}

/// The frontends with their names passed round.
fn renamed(config: &Config) -> Config {
    let mut renamed = config.clone();
    let names: Vec<_> = config.frontends.keys().cloned().collect();
    renamed.frontends = config
        .frontends
        .values()
        .zip(names.iter().cycle().skip(1))
        .map(|(frontend, name)| (name.clone(), Frontend { name: name.clone(), ..frontend.clone() }))
        .collect();
    renamed
}

/// Somebody changes the dataplane behind our back.
fn meddle(model: &mut Model, how: u8) {
    let encap = model.vips.values().map(|vip| vip.encap).next().unwrap_or(Encapsulation::Gre(Encap::Gre4));
    let index = usize::from(how / 8);
    let prefix = if how & 64 == 0 { "203.0.113.1/32" } else { "198.51.100.7/32" }.parse().unwrap();
    let some = index.checked_rem(model.vips.len()).and_then(|n| model.vips.keys().nth(n).copied());
    match (how % 8, some.and_then(|vip| Some((vip, model.vips.get_mut(&vip)?)))) {
        (0, Some((vip, _))) => {
            model.vips.remove(&vip);
        }
        (1, Some((_, state))) => {
            state.servers.pop_first();
        }
        (2, Some((_, state))) => {
            state.servers.values_mut().for_each(|weight| *weight = how % 101);
        }
        (3, Some((_, state))) => state.src_ip_sticky = !state.src_ip_sticky,
        (4, Some((_, state))) => state.table_length = 2048,
        (5, _) => {
            let service = Service::Port(Protocol::Udp, 53);
            let vip = ModelVip { encap, table_length: 1024, src_ip_sticky: false, servers: BTreeMap::new() };
            model.vips.insert(Vip { prefix, service }, vip);
        }
        (6, _) => model.conf.flow_timeout = Duration::from_secs(7),
        _ => model.conf.ipv4_source = None,
    }
}

/// On the prefix of the frontends is a VIP of somebody else's with another encapsulation, which VPP must refuse to change.
pub(super) fn in_conflict(world: &World) -> bool {
    let desired = world.engine.desired();
    world.model.vips.iter().any(|(vip, state)| {
        desired.iter().all(|d| d.vip != *vip)
            && desired
                .iter()
                .any(|d| d.vip.prefix == vip.prefix && Encapsulation::Gre(d.encap) != state.encap)
    })
}
