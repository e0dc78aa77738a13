use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{CommandError, Effect, Engine, Event, Intents, MayEmpty};
use crate::check::{HealthCheck, Pace, ProbeSpec, Thresholds, WhenUnprobeable};
use crate::config::{
    Backend, Config, Frontend, HealthSettings, Member, Ownership, Pool, TableLength, VppSettings,
    WeightScaling,
};
use crate::desired::{BackendState, FrontendState, Reason};
use crate::health::ProbeId;
use crate::intent::{Attribution, Request};
use crate::names::{BackendName, PoolName};
use crate::net::{Family, Service, Vip};
use crate::outcome::{Code, Outcome, Timings};
use crate::time::Time;
use crate::weight::Weight;

pub(super) fn outcome(code: Code) -> Outcome {
    Outcome { code, detail: format!("it was {code}"), timings: Timings::default() }
}

pub(super) fn by(name: &str, at: Time) -> Attribution {
    Attribution { by: name.to_owned(), at, reason: String::new(), until: None }
}

pub(super) fn check(name: &str, interval: Duration, thresholds: Thresholds) -> Arc<HealthCheck> {
    Arc::new(HealthCheck {
        name: name.parse().unwrap(),
        probe: ProbeSpec::Icmp,
        pace: Pace {
            interval,
            fast_interval: interval / 4,
            down_interval: interval * 2,
            timeout: interval / 2,
        },
        thresholds,
        source_v4: None,
        source_v6: None,
        unprobeable: WhenUnprobeable::Hold,
    })
}

pub(super) fn backend(name: &str, last_octet: u8, check: Option<Arc<HealthCheck>>) -> Backend {
    Backend { name: name.parse().unwrap(), address: [192, 0, 2, last_octet].into(), check, enabled: true }
}

/// A frontend from its pools: name, then each backend with its weight.
pub(super) fn frontend(name: &str, pools: &[(&str, &[(&str, u8)])]) -> Frontend {
    let member = |&(backend, weight): &(&str, u8)| Member {
        backend: backend.parse().unwrap(),
        weight: weight.try_into().unwrap(),
    };
    let pool = |&(name, members): &(&str, &[(&str, u8)])| Pool {
        name: name.parse().unwrap(),
        members: members.iter().map(member).collect(),
    };
    Frontend {
        name: name.parse().unwrap(),
        description: String::new(),
        vip: Vip { prefix: "203.0.113.1/32".parse().unwrap(), service: Service::All },
        family: Family::Ipv4,
        pools: pools.iter().map(pool).collect(),
        src_ip_sticky: false,
        flush_on_down: true,
        table_length: TableLength::Auto,
        weight_steps: None,
    }
}

pub(super) fn config(backends: Vec<Backend>, frontends: Vec<Frontend>) -> Config {
    let second = Duration::from_secs(1);
    Config {
        health: HealthSettings { transition_history: 5, netns: None },
        vpp: VppSettings {
            source_v4: None,
            source_v6: None,
            sync_interval: 30 * second,
            sticky_buckets_per_core: 65536,
            flow_timeout: 40 * second,
            startup_min_delay: 5 * second,
            startup_max_delay: 30 * second,
            ownership: Ownership::Managed,
            weight_scaling: WeightScaling::Ratio,
        },
        checks: backends.iter().filter_map(|b| b.check.clone()).map(|c| (c.name.clone(), c)).collect(),
        backends: backends.into_iter().map(|b| (b.name.clone(), b)).collect(),
        frontends: frontends.into_iter().map(|f| (f.name.clone(), f)).collect(),
    }
}

const START: Time = Time::from_nanos(1_000_000_000_000);

fn simple() -> Config {
    let check = check("ping", Duration::from_secs(10), Thresholds { rise: 2, fall: 3 });
    config(
        vec![backend("a", 1, Some(check.clone())), backend("b", 2, Some(check))],
        vec![frontend("site", &[("primary", &[("a", 100)]), ("spare", &[("b", 50)])])],
    )
}

fn engine(config: Config) -> Engine {
    Engine::new(Arc::new(config), Intents::default(), 1, START)
}

fn effects(engine: &mut Engine) -> Vec<Effect> {
    std::iter::from_fn(|| engine.poll_effect()).collect()
}

fn events(engine: &mut Engine) -> Vec<Event> {
    let event = |effect| match effect {
        Effect::Event(event) => Some(event),
        Effect::StartProbe(_)
        | Effect::CancelProbe(_)
        | Effect::Observe
        | Effect::Apply(_)
        | Effect::Synced(_) => None,
    };
    effects(engine).into_iter().filter_map(event).collect()
}

/// Starts what is due by `at` and answers all of it.
fn answer(engine: &mut Engine, at: Time, code: Code) -> Vec<ProbeId> {
    engine.handle_timeout(at);
    let mut answered = Vec::new();
    for effect in effects(engine) {
        if let Effect::StartProbe(order) = effect {
            engine.handle_outcome(at, &order.backend, order.id, outcome(code));
            answered.push(order.id);
        }
    }
    answered
}

fn later(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

#[test]
fn what_is_there_at_the_start_is_not_news() {
    let mut engine = engine(simple());
    assert_eq!(engine.poll_effect(), None);
    assert_eq!(engine.frontend("site").unwrap().decision().state, FrontendState::Unknown);
    assert!(engine.poll_timeout().is_some_and(|due| due <= later(10)), "first probes within the interval");
}

#[test]
fn an_answer_counts_only_for_the_probe_and_backend_it_is_about() {
    let mut engine = engine(simple());
    engine.handle_timeout(later(10));
    let started = effects(&mut engine);
    let [Effect::StartProbe(one), Effect::StartProbe(other)] = &started[..] else { panic!("{started:?}") };
    assert_ne!(one.id, other.id);
    engine.handle_outcome(later(11), &other.backend, one.id, outcome(Code::L4Ok));
    engine.handle_outcome(later(11), &one.backend, ProbeId(99), outcome(Code::L4Ok));
    engine.handle_outcome(later(11), &"nobody".parse().unwrap(), one.id, outcome(Code::L4Ok));
    assert_eq!(events(&mut engine), []);
    let name = one.backend.as_str();
    assert_eq!(engine.backend(name).unwrap().last_probe(), None);
    engine.handle_outcome(later(11), &one.backend, one.id, outcome(Code::L4Ok));
    let status = engine.backend(name).unwrap();
    assert_eq!((status.state(), status.since()), (BackendState::Up, later(11)));
    assert_eq!(status.last_probe().unwrap().at, later(11));
}

#[test]
fn effects_come_from_the_cause_to_what_follows() {
    let mut engine = engine(simple());
    answer(&mut engine, later(10), Code::L4Ok);
    events(&mut engine);
    engine.handle_timeout(later(20));
    effects(&mut engine);
    engine.request(later(20), "a", Request::Pause, by("ann", later(20)), MayEmpty::Anything).unwrap();
    let effects = effects(&mut engine);
    let [
        Effect::CancelProbe(_),
        Effect::Event(Event::BackendChanged { .. }),
        Effect::Event(Event::FrontendChanged { from_pool: Some(from), to_pool: Some(to), .. }),
        Effect::Event(Event::WeightChanged { backend: first, because: Reason::Paused, .. }),
        Effect::Event(Event::WeightChanged { backend: second, because: Reason::Active, .. }),
    ] = &effects[..]
    else {
        panic!("{effects:#?}")
    };
    assert_eq!((from.as_str(), to.as_str()), ("primary", "spare"));
    assert_eq!((first.as_str(), second.as_str()), ("a", "b"));
}

#[test]
fn commands_name_what_they_did_not_find() {
    let mut engine = engine(simple());
    let ann = || by("ann", START);
    let weight = Weight::ZERO;
    let errors = [
        engine.request(START, "c", Request::Pause, ann(), MayEmpty::Anything).unwrap_err(),
        engine
            .set_weight(START, ("blog", "primary", "a"), weight, false, ann(), MayEmpty::Anything)
            .unwrap_err(),
        engine
            .set_weight(START, ("site", "third", "a"), weight, false, ann(), MayEmpty::Anything)
            .unwrap_err(),
        engine
            .set_weight(START, ("site", "primary", "b"), weight, false, ann(), MayEmpty::Anything)
            .unwrap_err(),
    ];
    let written = errors.map(|error| error.to_string());
    assert_eq!(
        written,
        [
            "there is no backend c",
            "there is no frontend blog",
            "frontend site has no pool third",
            "pool primary of frontend site has no backend b",
        ]
    );
    engine.request(START, "a", Request::Disable, ann(), MayEmpty::Anything).unwrap();
    effects(&mut engine);
    let error = engine.request(START, "a", Request::Pause, ann(), MayEmpty::Anything).unwrap_err();
    assert!(matches!(error, CommandError::Disabled { .. }), "{error:?}");
    assert_eq!(events(&mut engine), [], "a command that fails does nothing");
}

#[test]
fn asking_for_what_is_so_does_nothing() {
    let mut engine = engine(simple());
    let ann = || by("ann", START);
    assert_eq!(engine.request(START, "a", Request::Enable, ann(), MayEmpty::Anything), Ok(false));
    assert_eq!(engine.request(START, "a", Request::Resume, ann(), MayEmpty::Anything), Ok(false));
    assert_eq!(
        engine.set_weight(START, ("site", "primary", "a"), Weight::MAX, false, ann(), MayEmpty::Anything),
        Ok(false)
    );
    assert_eq!(effects(&mut engine), []);
    assert_eq!(engine.intents(), Intents::default());
}

#[test]
fn a_weight_set_in_a_pool_that_waits_is_told_with_who_set_it() {
    let mut engine = engine(simple());
    answer(&mut engine, later(10), Code::L4Ok);
    events(&mut engine);
    let ten = Weight::try_from(10u8).unwrap();
    assert_eq!(
        engine.set_weight(
            later(11),
            ("site", "spare", "b"),
            ten,
            false,
            by("ann", later(11)),
            MayEmpty::Anything
        ),
        Ok(true)
    );
    let events = events(&mut engine);
    let [Event::WeightSet { backend, from, to, attribution, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((backend.as_str(), from.get(), to.get(), attribution.by.as_str()), ("b", 50, 10, "ann"));
}

#[test]
fn setting_the_configured_weight_ends_the_override() {
    let mut engine = engine(simple());
    let place = ("site", "primary", "a");
    engine.set_weight(START, place, Weight::ZERO, false, by("ann", START), MayEmpty::Anything).unwrap();
    assert_eq!(engine.intents().weights.len(), 1);
    assert_eq!(
        engine.set_weight(START, place, Weight::MAX, false, by("ann", START), MayEmpty::Anything),
        Ok(true)
    );
    assert_eq!(engine.intents(), Intents::default());
}

#[test]
fn history_is_kept_to_its_limit_newest_first() {
    let mut short = simple();
    short.health.transition_history = 2;
    let mut engine = engine(short.clone());
    for (seconds, request) in
        [(1, Request::Pause), (2, Request::Resume), (3, Request::Disable), (4, Request::Enable)]
    {
        engine.request(later(seconds), "a", request, by("ann", later(seconds)), MayEmpty::Anything).unwrap();
    }
    let kept: Vec<_> = engine.backend("a").unwrap().transitions().map(|t| t.at).collect();
    assert_eq!(kept, [later(4), later(3)]);
    short.health.transition_history = 1;
    engine.reload(later(5), Arc::new(short));
    assert_eq!(engine.backend("a").unwrap().transitions().len(), 1);
}

#[test]
fn a_reload_at_another_address_begins_anew_and_forgets_the_last_probe() {
    for keep_check in [true, false] {
        let mut engine = engine(simple());
        answer(&mut engine, later(10), Code::L4Con);
        engine.handle_timeout(later(60));
        let asked = effects(&mut engine).iter().filter(|e| matches!(e, Effect::StartProbe(_))).count();
        assert_eq!(asked, 2);
        let mut moved = simple();
        let a = moved.backends.get_mut("a").unwrap();
        a.address = [192, 0, 2, 77].into();
        if !keep_check {
            a.check = None;
        }
        engine.reload(later(60), Arc::new(moved));
        let cancelled = effects(&mut engine).iter().filter(|e| matches!(e, Effect::CancelProbe(_))).count();
        assert_eq!(cancelled, 1, "the probe of the old address, and only that");
        let a = engine.backend("a").unwrap();
        assert_eq!(a.last_probe(), None);
        assert_eq!(a.state(), if keep_check { BackendState::Unknown } else { BackendState::Up });
    }
}

/// Whoever adds the weight events up has to get to zero for what is no longer there.
#[test]
fn members_that_leave_give_their_weight_back() {
    let mut engine = engine(simple());
    answer(&mut engine, later(10), Code::L4Ok);
    events(&mut engine);
    let mut renamed = simple();
    renamed.frontends.get_mut("site").unwrap().pools[0].name = "main".parse().unwrap();
    engine.reload(later(11), Arc::new(renamed));
    let (primary, main): (PoolName, PoolName) = ("primary".parse().unwrap(), "main".parse().unwrap());
    let site = "site".parse().unwrap();
    let a: BackendName = "a".parse().unwrap();
    let change = |pool: &PoolName, from, to, because| Event::WeightChanged {
        frontend: "site".parse().unwrap(),
        pool: pool.clone(),
        backend: a.clone(),
        from,
        to,
        because,
        at: later(11),
    };
    assert_eq!(
        events(&mut engine),
        [
            Event::FrontendChanged {
                frontend: site,
                from: FrontendState::Up,
                to: FrontendState::Up,
                from_pool: Some(primary.clone()),
                to_pool: Some(main.clone()),
                at: later(11),
            },
            change(&main, Weight::ZERO, Weight::MAX, Reason::Active),
            change(&primary, Weight::MAX, Weight::ZERO, Reason::Removed),
        ]
    );
}

#[test]
fn a_frontend_added_in_front_of_healthy_backends_tells_its_weights() {
    let mut engine = engine(simple());
    answer(&mut engine, later(10), Code::L4Ok);
    events(&mut engine);
    let mut more = simple();
    let blog = frontend("blog", &[("only", &[("a", 30), ("b", 0)])]);
    more.frontends.insert(blog.name.clone(), blog);
    engine.reload(later(11), Arc::new(more));
    let events = events(&mut engine);
    let [
        Event::FrontendAdded { state: FrontendState::Up, pool: Some(pool), .. },
        Event::WeightChanged { backend, from: Weight::ZERO, to, because: Reason::Active, .. },
    ] = &events[..]
    else {
        panic!("{events:#?}")
    };
    assert_eq!((pool.as_str(), backend.as_str(), to.get()), ("only", "a", 30));
}

#[test]
fn intents_survive_being_written_down_and_what_is_gone_is_dropped() {
    let mut engine = engine(simple());
    engine.request(START, "a", Request::Pause, by("ann", START), MayEmpty::Anything).unwrap();
    engine.request(START, "b", Request::Disable, by("bob", START), MayEmpty::Anything).unwrap();
    engine
        .set_weight(START, ("site", "spare", "b"), Weight::ZERO, false, by("ann", START), MayEmpty::Anything)
        .unwrap();
    let text = serde_json::to_string(&engine.intents()).unwrap();
    let intents: Intents = serde_json::from_str(&text).unwrap();
    assert_eq!(intents, engine.intents());

    let again = Engine::new(Arc::new(simple()), intents.clone(), 2, later(100));
    assert_eq!(again.intents(), intents);
    assert_eq!(again.backend("a").unwrap().state(), BackendState::Paused);
    assert_eq!(again.backend("b").unwrap().state(), BackendState::Disabled);
    assert_eq!(again.poll_timeout(), None, "neither is probed");

    let less = config(vec![backend("a", 1, None)], vec![frontend("site", &[("primary", &[("a", 1)])])]);
    let kept = Engine::new(Arc::new(less), intents, 2, later(100)).intents();
    assert_eq!(kept.backends.keys().map(BackendName::as_str).collect::<Vec<_>>(), ["a"]);
    assert_eq!(kept.weights, BTreeMap::new());
}

#[test]
fn frontends_of_a_backend_are_found_by_name() {
    let mut shared = simple();
    let blog = frontend("blog", &[("only", &[("b", 30)])]);
    shared.frontends.insert(blog.name.clone(), blog);
    let engine = engine(shared);
    let of = |backend: &str| engine.frontends_of(backend).map(|f| f.name().to_string()).collect::<Vec<_>>();
    assert_eq!(of("a"), ["site"]);
    assert_eq!(of("b"), ["blog", "site"]);
    assert_eq!(of("nobody"), [""; 0]);
}

#[test]
fn clone_is_a_snapshot_that_shares_what_does_not_change() {
    let mut engine = engine(simple());
    let snapshot = engine.clone();
    engine.request(START, "a", Request::Pause, by("alice", START), MayEmpty::Anything).unwrap();

    let state = |engine: &Engine, name: &str| engine.backend(name).unwrap().state();
    assert_eq!([state(&engine, "a"), state(&snapshot, "a")], [BackendState::Paused, BackendState::Unknown]);
    let is_shared = |name: &str| Arc::ptr_eq(&engine.backends[name], &snapshot.backends[name]);
    assert_eq!([is_shared("a"), is_shared("b")], [false, true]);
    assert!(Arc::ptr_eq(engine.config(), snapshot.config()));
}
