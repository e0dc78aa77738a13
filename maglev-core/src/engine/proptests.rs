//! Random inputs against an observer who knows only the effects.

mod observer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use self::observer::Observer;
use super::tests::{backend, by, check, config, frontend, outcome};
use super::{Effect, Engine, Intents, MayEmpty, Transition, Verdicts};
use crate::check::{ProbeSpec, Thresholds};
use crate::config::Config;
use crate::desired::{self, BackendState};
use crate::health::{HealthState, ProbeId};
use crate::intent::{Admin, Attribution, Mode, Request};
use crate::names::BackendName;
use crate::outcome::Code;
use crate::time::Time;

const BACKENDS: [&str; 4] = ["a", "b", "c", "d"];
const FRONTENDS: [&str; 2] = ["site", "blog"];
const POOLS: [&str; 3] = ["one", "two", "three"];

#[derive(Clone, Debug)]
enum Op {
    /// Time passes, and the driver wakes up.
    Wait(Duration),
    /// The driver wakes up just when it was told to.
    Wake,
    /// An answer to one of the probes in flight, if there are any.
    Answer {
        which: usize,
        code: Code,
    },
    /// An answer that nobody waits for.
    Stray {
        id: u64,
        backend: usize,
    },
    Request {
        backend: usize,
        request: Request,
        lasts: Option<Duration>,
    },
    SetWeight {
        frontend: usize,
        pool: usize,
        backend: usize,
        weight: u8,
        lasts: Option<Duration>,
    },
    Reload(Box<Config>),
}

fn any_check(name: &'static str) -> impl Strategy<Value = crate::check::HealthCheck> {
    (1u64..4, 1u16..4, 1u16..4, any::<bool>()).prop_map(move |(seconds, rise, fall, icmp)| {
        let made = check(name, Duration::from_secs(seconds), Thresholds { rise, fall });
        let probe = if icmp { ProbeSpec::Icmp } else { ProbeSpec::Tcp { port: 80, tls: None } };
        crate::check::HealthCheck { probe, ..(*made).clone() }
    })
}

/// Which check a backend has (none is the third), its address, whether it is enabled, and whether it is there at all.
type Slot = (usize, u8, bool, bool);

fn any_config() -> impl Strategy<Value = Config> {
    let slot = (0usize..3, 1u8..3, prop::bool::weighted(0.8), prop::bool::weighted(0.8));
    let weight = prop_oneof![1 => Just(0u8), 4 => 1u8..=100];
    let pools =
        prop::collection::vec(prop::collection::vec((0..BACKENDS.len(), weight), 1..4), 1..=POOLS.len());
    let frontends =
        prop::collection::vec(prop::option::weighted(0.8, (pools, any::<bool>())), FRONTENDS.len());
    let checks = (any_check("x"), any_check("y"));
    let slots: [_; BACKENDS.len()] = std::array::from_fn(|_| slot.clone());
    let health = (prop::option::of(Just("dataplane".to_owned())), 1usize..4);
    (checks, slots, frontends, health).prop_map(|((x, y), slots, frontends, (netns, history))| {
        let checks = [Some(Arc::new(x)), Some(Arc::new(y)), None];
        let there: Vec<(&str, Slot)> =
            BACKENDS.into_iter().zip(slots).filter(|(_, (_, _, _, there))| *there).collect();
        let backends = there.iter().map(|&(name, (check, octet, enabled, _))| {
            let made = backend(name, octet, checks[check].clone());
            crate::config::Backend { enabled, ..made }
        });
        let frontends = FRONTENDS.iter().zip(frontends).filter_map(|(name, layout)| {
            let (pools, flush_on_down) = layout?;
            let pools: Vec<(&str, Vec<(&str, u8)>)> = POOLS
                .into_iter()
                .zip(pools)
                .map(|(pool, members)| {
                    let mut seen = BTreeSet::new();
                    let members = members
                        .into_iter()
                        .map(|(number, weight)| (BACKENDS[number], weight))
                        .filter(|(name, _)| there.iter().any(|(n, _)| n == name) && seen.insert(*name));
                    (pool, members.collect::<Vec<_>>())
                })
                .filter(|(_, members)| !members.is_empty())
                .collect();
            let pools: Vec<(&str, &[(&str, u8)])> = pools.iter().map(|(name, m)| (*name, &m[..])).collect();
            let mut made = frontend(name, &pools);
            // No two have the same VIP, which is what makes a frontend the same under another name.
            made.vip.prefix =
                if *name == FRONTENDS[0] { "203.0.113.1/32" } else { "203.0.113.2/32" }.parse().unwrap();
            (!pools.is_empty()).then_some(crate::config::Frontend { flush_on_down, ..made })
        });
        let mut made = config(backends.collect(), frontends.collect());
        made.health.netns = netns;
        made.health.transition_history = history;
        made
    })
}

fn any_op() -> impl Strategy<Value = Op> {
    let code = prop_oneof![
        4 => Just(Code::L4Ok),
        4 => prop::sample::select(vec![Code::L4Con, Code::L4Tout, Code::L7Sts]),
        1 => Just(Code::SockErr),
    ];
    let requests = vec![Request::Pause, Request::Resume, Request::Enable, Request::Disable];
    let weight = prop_oneof![1 => Just(0u8), 1 => Just(100u8), 2 => 1u8..100];
    let lasts = prop::option::of((1u64..9000).prop_map(Duration::from_millis));
    prop_oneof![
        6 => (0u64..3000).prop_map(|ms| Op::Wait(Duration::from_millis(ms))),
        12 => Just(Op::Wake),
        18 => (any::<usize>(), code).prop_map(|(which, code)| Op::Answer { which, code }),
        1 => (0u64..40, 0..BACKENDS.len()).prop_map(|(id, backend)| Op::Stray { id, backend }),
        3 => (0..BACKENDS.len(), prop::sample::select(requests), lasts.clone())
            .prop_map(|(backend, request, lasts)| Op::Request { backend, request, lasts }),
        2 => (0..FRONTENDS.len(), 0..POOLS.len(), 0..BACKENDS.len(), weight, lasts).prop_map(
            |(frontend, pool, backend, weight, lasts)| Op::SetWeight { frontend, pool, backend, weight, lasts }
        ),
        2 => any_config().prop_map(|config| Op::Reload(Box::new(config))),
    ]
}

fn any_ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(any_op(), 0..80)
}

/// A driver: the engine, its clock, and the probes it was told to send.
struct Driver {
    engine: Engine,
    now: Time,
    in_flight: BTreeMap<ProbeId, BackendName>,
}

const START: Time = Time::from_nanos(1_000_000_000_000);

impl Driver {
    fn new(config: Config, seed: u64) -> Self {
        let engine = Engine::new(Arc::new(config), Intents::default(), seed, START);
        Driver { engine, now: START, in_flight: BTreeMap::new() }
    }

    /// One input, and all its effects.
    fn step(&mut self, op: &Op) -> Vec<Effect> {
        let ann = |lasts: &Option<Duration>| Attribution {
            until: lasts.map(|span| self.now + span),
            ..by("ann", self.now)
        };
        match op {
            Op::Wait(span) => {
                self.now += *span;
                self.engine.handle_timeout(self.now);
            }
            Op::Wake => {
                self.now = self.engine.poll_timeout().map_or(self.now, |due| due.max(self.now));
                self.engine.handle_timeout(self.now);
            }
            Op::Answer { which, code } => {
                let probes: Vec<ProbeId> = self.in_flight.keys().copied().collect();
                if let Some(id) = which.checked_rem(probes.len()).map(|index| probes[index])
                    && let Some(backend) = self.in_flight.remove(&id)
                {
                    self.engine.handle_outcome(self.now, &backend, id, outcome(*code));
                }
            }
            Op::Stray { id, backend } => {
                let (id, backend) = (ProbeId(*id), BACKENDS[*backend].parse().unwrap());
                if self.in_flight.get(&id) != Some(&backend) {
                    self.engine.handle_outcome(self.now, &backend, id, outcome(Code::L4Con));
                }
            }
            // Whether a command fits is up to the engine; it must not matter to it.
            Op::Request { backend, request, lasts } => {
                let _ = self.engine.request(
                    self.now,
                    BACKENDS[*backend],
                    *request,
                    ann(lasts),
                    MayEmpty::Anything,
                );
            }
            Op::SetWeight { frontend, pool, backend, weight, lasts } => {
                let place = (FRONTENDS[*frontend], POOLS[*pool], BACKENDS[*backend]);
                let weight = (*weight).try_into().unwrap();
                let _ =
                    self.engine.set_weight(self.now, place, weight, false, ann(lasts), MayEmpty::Anything);
            }
            Op::Reload(config) => drop(self.engine.reload(self.now, Arc::new((**config).clone()))),
        }
        let effects: Vec<Effect> = std::iter::from_fn(|| self.engine.poll_effect()).collect();
        for effect in &effects {
            match effect {
                Effect::StartProbe(order) => {
                    self.in_flight.insert(order.id, order.backend.clone());
                }
                Effect::CancelProbe(id) => {
                    self.in_flight.remove(id);
                }
                Effect::Event(_) | Effect::Observe | Effect::Apply(_) | Effect::Synced(_) => {}
            }
        }
        effects
    }
}

/// When each thing that operators want for a time ends.
fn ends(intents: &Intents) -> Vec<Time> {
    let backends = intents.backends.values().flat_map(|intent| {
        let admin = intent.admin.iter().map(Admin::attribution);
        admin.chain(&intent.paused).filter_map(|who| who.until).collect::<Vec<_>>()
    });
    let weights = intents.weights.values().flat_map(BTreeMap::values).flat_map(BTreeMap::values);
    let present = backends.chain(weights.filter_map(|own| own.attribution.until));
    let kept = intents.kept.backends.iter().flat_map(|kept| [Some(kept.kept_until()), kept.intent.until()]);
    let own = intents.kept.weights.iter();
    let kept = kept.chain(own.flat_map(|kept| [Some(kept.kept_until()), kept.weight.attribution.until]));
    present.chain(kept.flatten()).collect()
}

/// What must hold between any two inputs.
fn assert_consistent(engine: &Engine) {
    let due = engine
        .backends()
        .filter_map(|b| b.next_probe_at())
        .chain(ends(&engine.intents()))
        .chain(engine.next_release())
        .chain(engine.awaits_until)
        .min();
    assert_eq!(engine.poll_timeout(), due);
    for backend in engine.backends() {
        let health = backend.counter().map_or(HealthState::Up, |counter| counter.state());
        assert_eq!(backend.state(), BackendState::derive(backend.mode(), health));
        assert!(backend.mode() == Mode::Active || backend.next_probe_at().is_none());
        let history: Vec<&Transition> = backend.transitions().collect();
        assert!(history.len() <= engine.config().health.transition_history);
        if let Some(last) = history.first() {
            assert_eq!((last.to, last.at), (backend.state(), backend.since()));
        }
        for pair in history.windows(2) {
            assert_eq!(pair[0].from, pair[1].to);
            assert!(pair[0].at >= pair[1].at);
        }
    }
    for frontend in engine.frontends() {
        let weight = |pool: usize, member: &crate::config::Member| {
            let pool = &frontend.config().pools[pool].name;
            frontend.override_of(pool, &member.backend).map_or(member.weight, |o| o.weight)
        };
        let state = |member: &crate::config::Member| {
            engine.backend(member.backend.as_str()).expect("members are configured").state()
        };
        let awaited = |member: &crate::config::Member| {
            engine.backend(member.backend.as_str()).expect("members are configured").is_awaited()
        };
        assert_eq!(*frontend.decision(), desired::decide_awaiting(frontend.config(), state, weight, awaited));
    }
    assert!(engine.backends().map(|b| b.config()).eq(engine.config().backends.values()));
    assert!(engine.frontends().map(|f| f.config()).eq(engine.config().frontends.values()));
}

/// The backends that were up and are asked the same address as before, and that nobody disables.
fn to_stay_up(engine: &Engine, next: &Config) -> Vec<BackendName> {
    let stays = |status: &&super::BackendStatus| {
        next.backends.get(status.name()).is_some_and(|next| {
            next.address == status.config().address && status.intent().mode(next.enabled) == Mode::Active
        })
    };
    let up = engine.backends().filter(|status| status.state() == BackendState::Up);
    up.filter(stays).map(|status| status.name().clone()).collect()
}

proptest! {
    #[test]
    fn the_engine_keeps_its_promises(config in any_config(), seed: u64, ops in any_ops()) {
        let mut driver = Driver::new(config, seed);
        let mut observer = Observer::snapshot(&driver.engine);
        assert_consistent(&driver.engine);
        for op in &ops {
            let stay_up = match op {
                Op::Reload(next) => to_stay_up(&driver.engine, next),
                _ => Vec::new(),
            };
            let before = driver.in_flight.clone();
            let effects = driver.step(op);
            if let Op::Answer { .. } = op {
                observer.probes.retain(|id, _| !before.contains_key(id) || driver.in_flight.contains_key(id));
            }
            for effect in &effects {
                observer.observe(effect, &driver.engine, driver.now);
            }
            assert_consistent(&driver.engine);
            let now = Observer::snapshot(&driver.engine);
            prop_assert_eq!(&observer.backends, &now.backends);
            prop_assert_eq!(&observer.frontends, &now.frontends);
            prop_assert_eq!(&observer.weights, &now.weights);
            prop_assert_eq!(&observer.probes, &driver.in_flight);
            for name in stay_up {
                let state = driver.engine.backend(name.as_str()).map(|status| status.state());
                prop_assert_eq!(state, Some(BackendState::Up), "a reload drained {}", name);
            }
            if matches!(op, Op::Wait(_) | Op::Wake) {
                prop_assert!(driver.engine.poll_timeout().is_none_or(|due| due > driver.now));
                let ends = ends(&driver.engine.intents());
                prop_assert!(ends.iter().all(|&end| end > driver.now), "something outlived its end: {ends:?}");
            }
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_effects(config in any_config(), seed: u64, ops in any_ops()) {
        let mut one = Driver::new(config.clone(), seed);
        let mut other = Driver::new(config, seed);
        for op in &ops {
            prop_assert_eq!(one.step(op), other.step(op));
        }
    }

    /// Not now, and not in anything that comes later.
    #[test]
    fn a_reload_of_the_same_configuration_has_no_effect(config in any_config(), seed: u64, ops in any_ops()) {
        let mut one = Driver::new(config.clone(), seed);
        let mut other = Driver::new(config, seed);
        for op in &ops {
            let again = Op::Reload(Box::new((**other.engine.config()).clone()));
            prop_assert_eq!(other.step(&again), []);
            prop_assert_eq!(one.step(op), other.step(op));
        }
    }

    /// What is fresh counts, what is not does not, and the rest of the world is told of neither.
    #[test]
    fn a_restart_keeps_what_the_probes_said(
        config in any_config(), seed: u64, ops in any_ops(), off in 0u64..20_000,
    ) {
        let mut driver = Driver::new(config, seed);
        for op in &ops {
            driver.step(op);
        }
        let verdicts = driver.engine.verdicts();
        let written = serde_json::to_string(&verdicts).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Verdicts>(&written).unwrap(), &verdicts);
        let (intents, now) = (driver.engine.intents(), driver.now + Duration::from_millis(off));
        let quiet = ends(&intents).iter().all(|&end| end > now);
        let config = driver.engine.config().clone();
        let mut again = Engine::restarted(config, intents, verdicts.clone(), seed, now);
        assert_consistent(&again);
        for (before, after) in driver.engine.backends().zip(again.backends()) {
            let (Mode::Active, Some(check)) = (after.mode(), &after.config().check) else { continue };
            match verdicts.get(after.name()).filter(|verdict| verdict.counts(check, now)) {
                Some(_) => {
                    prop_assert_eq!(after.counter(), before.counter());
                    prop_assert_eq!((after.state(), after.since()), (before.state(), before.since()));
                }
                None => prop_assert_eq!(after.state(), BackendState::Unknown),
            }
        }
        prop_assert!(!quiet || again.poll_effect().is_none());
    }

    /// Whether it was there when it ended or not.
    #[test]
    fn nothing_that_ended_meanwhile_comes_back_with_a_restart(
        config in any_config(), seed: u64, ops in any_ops(), off in 0u64..9000,
    ) {
        let mut driver = Driver::new(config, seed);
        for op in &ops {
            driver.step(op);
        }
        let intents = driver.engine.intents();
        let off = Duration::from_millis(off);
        let again = Engine::new(driver.engine.config().clone(), intents, seed, driver.now + off);
        assert_consistent(&again);
        driver.step(&Op::Wait(off));
        prop_assert_eq!(again.intents(), driver.engine.intents());
    }

    #[test]
    fn a_restart_keeps_what_operators_wanted(config in any_config(), seed: u64, ops in any_ops()) {
        let mut driver = Driver::new(config, seed);
        for op in &ops {
            driver.step(op);
        }
        let written = serde_json::to_string(&driver.engine.intents()).unwrap();
        let intents = serde_json::from_str(&written).unwrap();
        let again = Engine::new(driver.engine.config().clone(), intents, seed, driver.now);
        assert_consistent(&again);
        prop_assert_eq!(again.intents(), driver.engine.intents());
        for (before, after) in driver.engine.backends().zip(again.backends()) {
            prop_assert_eq!(before.mode(), after.mode());
            let expected = match (after.mode(), after.counter()) {
                (Mode::Active, Some(_)) => BackendState::Unknown,
                _ => before.state(),
            };
            prop_assert_eq!(after.state(), expected);
        }
    }
}
