//! Random lives of an engine and its dataplane.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::check::Thresholds;
use crate::config::{Config, Frontend, Ownership, TableLength};
use crate::desired::{BackendState, DesiredVip};
use crate::engine::tests::{backend, by, check, config, frontend, outcome};
use crate::engine::{Effect, Engine, Intents};
use crate::health::ProbeId;
use crate::intent::Request;
use crate::names::{BackendName, FrontendName};
use crate::net::{Encap, Family, Protocol, Service, Vip};
use crate::observed::{Encapsulation, Observed};
use crate::outcome::Code;
use crate::plan::Step;
use crate::plan::model::{Model, ModelVip};
use crate::time::Time;

const BACKENDS: [&str; 4] = ["a", "b", "c", "d"];
const FRONTENDS: [&str; 3] = ["blog", "mail", "site"];
const START: Time = Time::from_nanos(1_000_000_000_000);
const MIN: Duration = Duration::from_secs(5);
const MAX: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_secs(30);

fn any_config() -> impl Strategy<Value = Config> {
    let weight =
        prop_oneof![1 => Just(0u8), 4 => Just(100_u8), 2 => prop::sample::select(vec![1_u8, 10, 50, 97])];
    let pools = vec(vec((0..BACKENDS.len(), weight), 1..4), 1..3);
    let length = prop_oneof![3 => Just(TableLength::Auto), 1 => Just(TableLength::Fixed(256))];
    let layout = (pools, any::<bool>(), prop::bool::weighted(0.2), length, 0..3_u16);
    let frontends = vec(prop::option::weighted(0.8, layout), FRONTENDS.len());
    let backends = vec((1..6_u8, prop::bool::weighted(0.9), prop::bool::weighted(0.9)), BACKENDS.len());
    (frontends, backends, any::<bool>(), prop::bool::weighted(0.3)).prop_map(
        |(frontends, backends, v6, exclusive)| {
            let ping = check("ping", Duration::from_secs(2), Thresholds { rise: 1, fall: 1 });
            let backends = BACKENDS.iter().zip(backends).map(|(name, (octet, enabled, checked))| {
                let mut made = backend(name, octet, checked.then(|| ping.clone()));
                if v6 {
                    made.address = IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(octet)]);
                }
                crate::config::Backend { enabled, ..made }
            });
            let mut ports = BTreeSet::new();
            let frontends = FRONTENDS.iter().zip(frontends).filter_map(|(name, layout)| {
                let (pools, flush_on_down, src_ip_sticky, table_length, port) = layout?;
                if !ports.insert(port) {
                    return None;
                }
                let pools: Vec<Vec<(&str, u8)>> = pools
                    .into_iter()
                    .map(|members| {
                        let mut seen = BTreeSet::new();
                        members
                            .into_iter()
                            .filter(|(n, _)| seen.insert(*n))
                            .map(|(n, w)| (BACKENDS[n], w))
                            .collect()
                    })
                    .collect();
                let named: Vec<(&str, &[(&str, u8)])> =
                    ["one", "two"].into_iter().zip(pools.iter().map(|members| &members[..])).collect();
                let family = if v6 { Family::Ipv6 } else { Family::Ipv4 };
                let mut made = frontend(name, &named);
                made.vip.service = Service::Port(Protocol::Tcp, 80 + port);
                Some(Frontend { family, flush_on_down, src_ip_sticky, table_length, ..made })
            });
            let mut made = config(backends.collect(), frontends.collect());
            made.vpp.source_v4 = Some([192, 0, 2, 254].into());
            made.vpp.ownership = if exclusive { Ownership::Exclusive } else { Ownership::Managed };
            made
        },
    )
}

#[derive(Clone, Debug)]
enum Op {
    Wait(u64),
    Wake,
    Answer(usize, bool),
    Request(usize, Request),
    SetWeight {
        frontend: usize,
        backend: usize,
        weight: u8,
        flush: bool,
    },
    Reload(Box<Config>),
    Rename,
    Sync,
    /// The dataplane answers what it was asked.
    Respond,
    /// It does so, but refuses some of the operations: those whose bit is set.
    Refuse(u64),
    /// It cannot say what it has.
    FailToObserve,
    /// The connection is gone, before or after the dataplane did some of what it was told.
    Lose(usize),
    Connect,
    Restart,
    Meddle(u8),
}

fn any_op() -> impl Strategy<Value = Op> {
    let requests = vec![Request::Pause, Request::Resume, Request::Enable, Request::Disable];
    prop_oneof![
        6 => (0..4000_u64).prop_map(Op::Wait),
        10 => Just(Op::Wake),
        14 => (any::<usize>(), prop::bool::weighted(0.7)).prop_map(|(n, good)| Op::Answer(n, good)),
        2 => (0..BACKENDS.len(), prop::sample::select(requests)).prop_map(|(b, r)| Op::Request(b, r)),
        2 => (0..FRONTENDS.len(), 0..BACKENDS.len(), prop::sample::select(vec![0_u8, 1, 50, 100]), any::<bool>())
            .prop_map(|(frontend, backend, weight, flush)| Op::SetWeight { frontend, backend, weight, flush }),
        2 => any_config().prop_map(|config| Op::Reload(Box::new(config))),
        1 => Just(Op::Rename),
        1 => Just(Op::Sync),
        14 => Just(Op::Respond),
        2 => any::<u64>().prop_map(Op::Refuse),
        1 => Just(Op::FailToObserve),
        1 => (0..8_usize).prop_map(Op::Lose),
        4 => Just(Op::Connect),
        1 => Just(Op::Restart),
        1 => any::<u8>().prop_map(Op::Meddle),
    ]
}

enum Asked {
    Observe,
    Apply(Vec<Step>),
}

/// The driver, the backends and the dataplane.
struct World {
    engine: Engine,
    started: Time,
    now: Time,
    in_flight: BTreeMap<ProbeId, BackendName>,
    verdicts: BTreeMap<BackendName, bool>,
    model: Model,
    connected: bool,
    asked: Option<Asked>,
    /// Operations it was told to carry out since the start.
    writes: Vec<Step>,
    /// Frontends whose backends all had a verdict at some time.
    decided: BTreeSet<FrontendName>,
    /// The numbers that comparisons were asked for with and are answered by.
    syncs_asked: u64,
    syncs_answered: u64,
}

impl World {
    fn new(config: Config, model: Model) -> Self {
        World {
            engine: Engine::new(Arc::new(config), Intents::default(), 1, START),
            started: START,
            now: START,
            in_flight: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            model,
            connected: false,
            asked: None,
            writes: Vec::new(),
            decided: BTreeSet::new(),
            syncs_asked: 0,
            syncs_answered: 0,
        }
    }

    /// After `kill -9`: all that is left is the dataplane, and what operators wanted.
    fn restart_daemon(self) -> World {
        let World { engine, now, verdicts, model, .. } = self;
        let again = Engine::new(engine.config().clone(), engine.intents(), 2, now);
        World { engine: again, started: now, now, verdicts, ..World::new((**engine.config()).clone(), model) }
    }

    fn step(&mut self, op: &Op) {
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
                let _ = self.engine.request(self.now, BACKENDS[*backend], *request, ann);
            }
            Op::SetWeight { frontend, backend, weight, flush } => {
                let place = (FRONTENDS[*frontend], "one", BACKENDS[*backend]);
                let weight = (*weight).try_into().unwrap();
                let _ = self.engine.set_weight(self.now, place, weight, *flush, ann);
            }
            Op::Reload(config) => self.engine.reload(self.now, Arc::new((**config).clone())),
            Op::Rename => {
                let renamed = renamed(self.engine.config());
                self.engine.reload(self.now, Arc::new(renamed));
            }
            Op::Sync => self.syncs_asked = self.engine.sync(self.now),
            Op::Respond => self.respond(0, usize::MAX),
            Op::Refuse(which) => self.respond(*which, usize::MAX),
            Op::FailToObserve => {
                if matches!(self.asked, Some(Asked::Observe)) {
                    self.asked = None;
                    self.engine.observed(self.now, None);
                }
            }
            Op::Lose(done) => {
                if let Some(Asked::Apply(steps)) = self.asked.take() {
                    for step in steps.iter().take(*done) {
                        let _ = self.model.apply(&step.operation);
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
            Op::Meddle(how) => meddle(&mut self.model, *how),
        }
        self.collect();
    }

    fn connect(&mut self) {
        if !std::mem::replace(&mut self.connected, true) {
            self.engine.dataplane_connected(self.now);
        }
        self.collect();
    }

    fn timeout(&mut self) {
        self.engine.handle_timeout(self.now);
        assert!(self.engine.poll_timeout().is_none_or(|due| due > self.now), "it would spin");
    }

    fn answer(&mut self, id: ProbeId, good: bool) {
        if let Some(backend) = self.in_flight.remove(&id) {
            let code = if good { Code::L4Ok } else { Code::L4Con };
            self.verdicts.insert(backend.clone(), good);
            self.engine.handle_outcome(self.now, &backend, id, outcome(code));
        }
    }

    /// Answers, refusing the operations whose bit is set.
    fn respond(&mut self, refused: u64, most: usize) {
        match self.asked.take() {
            None => {}
            Some(Asked::Observe) => {
                let observed = self.model.observe();
                self.engine.observed(self.now, Some(observed));
            }
            Some(Asked::Apply(steps)) => {
                let mut carry_out = |(index, step): (usize, &Step)| {
                    if refused >> (index % 64) & 1 == 1 {
                        return Err(format!("refused at random: {}", step.operation));
                    }
                    self.model.apply(&step.operation)
                };
                let results = steps.iter().take(most).enumerate().map(&mut carry_out).collect();
                self.engine.applied(self.now, results);
            }
        }
    }

    fn collect(&mut self) {
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
                    self.ask(Asked::Apply(steps));
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
    fn settle(&mut self, span: Duration) {
        let end = self.now + span;
        self.connect();
        loop {
            self.collect();
            if self.asked.is_some() {
                self.respond(0, usize::MAX);
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

    fn observed(&self) -> Observed {
        self.model.observe()
    }

    /// Worked out without the planner: shares of the dataplane are those that are wanted, within 1 %.
    fn assert_agrees(&self) {
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
        if let TableLength::Fixed(length) = desired.table_length {
            assert_eq!(found.table_length, length);
        }
        assert!(found.servers.keys().eq(desired.servers.keys()));
        let wanted: f64 = desired.servers.values().map(|server| f64::from(server.weight.get())).sum();
        let sent = f64::from(found.total());
        for (address, server) in &desired.servers {
            let weight = f64::from(found.servers[address]);
            if server.weight.is_zero() {
                assert_eq!(weight, 0.0);
            } else {
                let share = f64::from(server.weight.get()) / wanted;
                assert!((weight / sent - share).abs() <= 0.021 * share, "{desired:#?} {found:#?}");
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
fn in_conflict(world: &World) -> bool {
    let desired = world.engine.desired();
    world.model.vips.iter().any(|(vip, state)| {
        desired.iter().all(|d| d.vip != *vip)
            && desired
                .iter()
                .any(|d| d.vip.prefix == vip.prefix && Encapsulation::Gre(d.encap) != state.encap)
    })
}

fn any_life() -> impl Strategy<Value = (Config, Vec<Op>)> {
    (any_config(), vec(any_op(), 0..80))
}

const LONG: Duration = Duration::from_secs(MAX.as_secs() + INTERVAL.as_secs() + 10);

proptest! {
    #[test]
    fn whatever_happened_it_comes_to_agree((config, ops) in any_life()) {
        let mut world = World::new(config, Model::empty());
        for op in &ops {
            world.step(op);
        }
        world.settle(LONG);
        if world.engine.config().vpp.ownership == Ownership::Managed && in_conflict(&world) {
            return Ok(());
        }
        world.assert_agrees();
    }

    #[test]
    fn an_unchanged_world_is_not_written_to((config, ops) in any_life()) {
        let mut world = World::new(config, Model::empty());
        for op in &ops {
            world.step(op);
        }
        world.settle(LONG);
        if world.engine.config().vpp.ownership == Ownership::Managed && in_conflict(&world) {
            return Ok(());
        }
        world.writes.clear();
        for _ in 0..100 {
            world.step(&Op::Sync);
            world.settle(Duration::ZERO);
            world.step(&Op::Lose(0));
            world.settle(Duration::ZERO);
        }
        world.settle(LONG);
        if world.engine.intents().weights.is_empty() {
            // Operators' weights are kept by the frontend's name.
            world.step(&Op::Rename);
            world.settle(LONG);
        }
        prop_assert_eq!(&world.writes, &[]);
    }

    /// In whatever order the verdicts come in, and whenever the dataplane is connected.
    #[test]
    fn a_restart_writes_nothing(
        (config, ops) in any_life(),
        order in vec((any::<usize>(), 0..2000_u64), 0..20),
        connects_at in 0..20_usize,
    ) {
        let mut world = World::new(config, Model::empty());
        for op in &ops {
            world.step(op);
        }
        world.settle(LONG);
        let before = world.observed();
        if world.engine.config().vpp.ownership == Ownership::Managed && in_conflict(&world) {
            return Ok(());
        }
        let mut world = world.restart_daemon();
        for (number, (which, wait)) in order.into_iter().enumerate() {
            if number == connects_at {
                world.step(&Op::Connect);
            }
            world.now += Duration::from_millis(wait).min((world.started + MAX).since(world.now) / 4);
            world.timeout();
            world.collect();
            let probes: Vec<ProbeId> = world.in_flight.keys().copied().collect();
            if let Some(index) = which.checked_rem(probes.len()) {
                let id = probes[index];
                let good = world.verdicts.get(&world.in_flight[&id]).copied().unwrap_or(true);
                world.answer(id, good);
            }
            world.collect();
            world.step(&Op::Respond);
        }
        world.settle(LONG);
        prop_assert_eq!(&world.writes, &[]);
        prop_assert_eq!(world.observed(), before);
    }
}
