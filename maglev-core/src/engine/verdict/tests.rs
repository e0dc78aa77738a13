use std::sync::Arc;

use super::*;
use crate::check::Thresholds;
use crate::desired::{BackendState, FrontendState};
use crate::engine::tests::{backend, by, check, config, frontend, outcome};
use crate::engine::{Effect, Intents, MayEmpty};
use crate::intent::Request;
use crate::outcome::Code;

const SECOND: Duration = Duration::from_secs(1);

/// Two watched backends with an interval of 4 s, down after 3 failures and up after 2 passes.
fn site() -> crate::config::Config {
    let check = check("web", 4 * SECOND, Thresholds { rise: 2, fall: 3 });
    let backends = vec![backend("a", 1, Some(check.clone())), backend("b", 2, Some(check))];
    config(backends, vec![frontend("site", &[("primary", &[("a", 100), ("b", 100)])])])
}

fn start() -> Time {
    Time::ZERO + 1000 * SECOND
}

/// Runs an engine for a while, where every probe is answered at once by `answer`.
fn run(engine: &mut Engine, until: Time, answer: impl Fn(&str) -> Code) -> Vec<Effect> {
    let mut effects = Vec::new();
    while let Some(due) = engine.poll_timeout().filter(|due| *due <= until) {
        engine.handle_timeout(due);
        while let Some(effect) = engine.poll_effect() {
            if let Effect::StartProbe(order) = &effect {
                let code = answer(order.backend.as_str());
                engine.handle_outcome(due, &order.backend.clone(), order.id, outcome(code));
            }
            effects.push(effect);
        }
    }
    effects
}

/// An engine that ran for a minute with `a` up and `b` down, and what it knew at the end.
fn before() -> (Engine, Time) {
    let mut engine = Engine::new(Arc::new(site()), Intents::default(), 1, start());
    let end = start() + 60 * SECOND;
    run(&mut engine, end, |name| if name == "a" { Code::L4Ok } else { Code::L4Con });
    (engine, end)
}

fn again(config: crate::config::Config, verdicts: Verdicts, now: Time) -> Engine {
    Engine::restarted(Arc::new(config), Intents::default(), verdicts, 2, now)
}

fn state(engine: &Engine, name: &str) -> BackendState {
    engine.backend(name).unwrap().state()
}

#[test]
fn a_restart_goes_on_where_it_was_and_tells_nobody() {
    let (old, end) = before();
    let mut engine = again(site(), old.verdicts(), end + 2 * SECOND);
    for (was, is) in old.backends().zip(engine.backends()) {
        assert_eq!((is.state(), is.since()), (was.state(), was.since()));
        assert_eq!(is.counter().unwrap().value(), was.counter().unwrap().value());
        assert_eq!(is.transitions().len(), 0);
    }
    assert_eq!(engine.frontend("site").unwrap().decision().state, FrontendState::Up);
    assert_eq!(engine.poll_effect(), None);
    let effects =
        run(&mut engine, end + 60 * SECOND, |name| if name == "a" { Code::L4Ok } else { Code::L4Con });
    assert!(effects.iter().all(|effect| matches!(effect, Effect::StartProbe(_))), "{effects:?}");
}

#[test]
fn a_failure_after_a_restart_counts_as_if_there_had_been_none() {
    let (old, end) = before();
    let mut engine = again(site(), old.verdicts(), end);
    let mut states = Vec::new();
    for _ in 0..3 {
        let due = engine.backend("a").unwrap().next_probe_at().unwrap();
        engine.handle_timeout(due);
        while let Some(effect) = engine.poll_effect() {
            if let Effect::StartProbe(order) = effect {
                engine.handle_outcome(due, &order.backend, order.id, outcome(Code::L4Con));
            }
        }
        states.push(state(&engine, "a"));
    }
    assert_eq!(states, [BackendState::Up, BackendState::Up, BackendState::Down], "fall is 3");
}

#[test]
fn what_was_kept_keeps_its_age_over_several_restarts() {
    let (old, end) = before();
    let first = again(site(), old.verdicts(), end + SECOND);
    assert_eq!(first.verdicts(), old.verdicts());
}

#[test]
fn one_that_is_too_old_or_from_the_future_says_nothing() {
    let (old, _) = before();
    let at = |name: &str| old.backend(name).unwrap().verdict_at().unwrap();
    let started = |now| again(site(), old.verdicts(), now);
    let moment = Duration::from_nanos(1);
    // Up: interval times fall. Down: it is probed every 8 s then.
    for (name, lifetime, known) in [("a", 12, BackendState::Up), ("b", 24, BackendState::Down)] {
        let end = at(name) + lifetime * SECOND;
        assert_eq!(state(&started(end - moment), name), known);
        assert_eq!(state(&started(end), name), BackendState::Unknown);
        assert_eq!(state(&started(at(name)), name), known);
        assert_eq!(state(&started(at(name) - moment), name), BackendState::Unknown, "clocks were changed");
    }
}

#[test]
fn it_lasts_at_least_seconds_and_at_most_an_hour() {
    let verdict = Verdict {
        question: "00000000000000ff".parse().unwrap(),
        counter: 3,
        at: start(),
        since: start(),
        credited: false,
    };
    for (interval, lifetime) in [(Duration::from_millis(10), 5), (1000 * SECOND, 3000), (3600 * SECOND, 3600)]
    {
        let check = check("web", interval, Thresholds { rise: 2, fall: 3 });
        assert!(verdict.counts(&check, start() + lifetime * SECOND - Duration::from_nanos(1)));
        assert!(!verdict.counts(&check, start() + lifetime * SECOND));
    }
}

#[test]
fn the_configuration_and_the_operator_win() {
    let (old, end) = before();
    let mut disabled = site();
    disabled.backends.get_mut("a").unwrap().enabled = false;
    assert_eq!(state(&again(disabled, old.verdicts(), end), "a"), BackendState::Disabled);

    let mut elsewhere = site();
    elsewhere.backends.get_mut("a").unwrap().address = [192, 0, 2, 9].into();
    assert_eq!(state(&again(elsewhere, old.verdicts(), end), "a"), BackendState::Unknown);

    let mut otherwise = site();
    let other = check("web", 4 * SECOND, Thresholds { rise: 2, fall: 4 });
    otherwise.backends.get_mut("a").unwrap().check = Some(other);
    assert_eq!(state(&again(otherwise, old.verdicts(), end), "a"), BackendState::Unknown);

    let mut unchecked = site();
    unchecked.backends.get_mut("b").unwrap().check = None;
    assert_eq!(state(&again(unchecked, old.verdicts(), end), "b"), BackendState::Up);

    let mut paused = Engine::new(Arc::new(site()), Intents::default(), 1, start());
    paused.request(start(), "a", Request::Pause, by("ann", start()), MayEmpty::Anything).unwrap();
    let engine = Engine::restarted(Arc::new(site()), paused.intents(), old.verdicts(), 2, end);
    assert_eq!(state(&engine, "a"), BackendState::Paused);
    assert!(!engine.verdicts().contains_key("a"), "what was known before a pause is not known after it");
}

#[test]
fn a_verdict_of_another_question_is_not_kept_as_one_of_this() {
    let (mut engine, end) = before();
    let mut other = site();
    other.health.netns = Some("dataplane".to_owned());
    engine.reload(end, Arc::new(other));
    // It counts on, but it would not after a restart: nobody has asked from there yet.
    assert_eq!(state(&engine, "a"), BackendState::Up);
    assert_eq!(engine.verdicts(), Verdicts::new());
}
