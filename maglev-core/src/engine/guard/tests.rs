use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::check::Thresholds;
use crate::config::Config;
use crate::engine::tests::{backend, by, check, config, frontend, outcome};
use crate::engine::{CommandError, Effect, Intents};
use crate::outcome::Code;
use crate::time::Time;

const START: Time = Time::from_nanos(1_000_000_000_000);

/// `a` and `b` share the first pool of `site`, `c` is its spare; `blog` has `a` only.
fn shared() -> Config {
    config(
        vec![backend("a", 1, None), backend("b", 2, None), backend("c", 3, None)],
        vec![
            frontend("site", &[("primary", &[("a", 100), ("b", 100)]), ("spare", &[("c", 100)])]),
            frontend("blog", &[("only", &[("a", 100)])]),
        ],
    )
}

fn engine(config: Config) -> Engine {
    Engine::new(Arc::new(config), Intents::default(), 1, START)
}

fn request(engine: &mut Engine, backend: &str, request: Request) -> Result<bool, CommandError> {
    engine.request(START, backend, request, by("ann", START), MayEmpty::Nothing)
}

fn weight(
    engine: &mut Engine,
    place: (&str, &str, &str),
    weight: u8,
    may_empty: MayEmpty<'_>,
) -> Result<bool, CommandError> {
    engine.set_weight(START, place, weight.try_into().unwrap(), false, by("ann", START), may_empty)
}

fn refused(frontends: &[&str]) -> Result<bool, CommandError> {
    let frontends = frontends.iter().map(|name| name.parse().unwrap()).collect();
    Err(CommandError::WouldEmpty { frontends })
}

#[test]
fn the_last_server_stays_until_it_is_forced() {
    for what in [Request::Pause, Request::Disable] {
        let mut engine = engine(shared());
        assert_eq!(request(&mut engine, "b", what), Ok(true));
        assert_eq!(request(&mut engine, "c", what), Ok(true));
        let before = engine.intents();
        assert_eq!(request(&mut engine, "a", what), refused(&["blog", "site"]));
        assert_eq!(engine.intents(), before);
        // Two of two are needed.
        let only = |name: &FrontendName| name.as_str() == "site";
        let some = engine.request(START, "a", what, by("ann", START), MayEmpty::These(&only));
        assert_eq!(some, refused(&["blog"]));
        let all = engine.request(START, "a", what, by("ann", START), MayEmpty::Anything);
        assert_eq!(all, Ok(true));
        // It is so already.
        assert_eq!(request(&mut engine, "a", what), Ok(false));
    }
}

#[test]
fn a_spare_pool_takes_over() {
    let mut engine = engine(shared());
    assert_eq!(request(&mut engine, "a", Request::Disable), refused(&["blog"]));
    assert_eq!(weight(&mut engine, ("site", "primary", "a"), 0, MayEmpty::Nothing), Ok(true));
    assert_eq!(weight(&mut engine, ("site", "primary", "b"), 0, MayEmpty::Nothing), Ok(true));
    assert_eq!(engine.frontend("site").unwrap().active_pool().unwrap().as_str(), "spare");
    assert_eq!(weight(&mut engine, ("site", "spare", "c"), 0, MayEmpty::Nothing), refused(&["site"]));
    assert_eq!(request(&mut engine, "c", Request::Pause), refused(&["site"]));
    assert_eq!(weight(&mut engine, ("site", "spare", "c"), 0, MayEmpty::Anything), Ok(true));
    assert_eq!(
        weight(&mut engine, ("site", "spare", "c"), 0, MayEmpty::Nothing),
        Ok(false),
        "it is so already"
    );
    assert_eq!(request(&mut engine, "c", Request::Pause), Ok(true), "the frontend has no server already");
}

#[test]
fn errors_of_the_request_itself_come_first() {
    let mut engine = engine(shared());
    let nothing = |_: &FrontendName| false;
    let no = MayEmpty::These(&nothing);
    assert!(matches!(weight(&mut engine, ("x", "primary", "a"), 0, no), Err(CommandError::NoFrontend(_))));
    assert!(matches!(weight(&mut engine, ("blog", "x", "a"), 0, no), Err(CommandError::NoPool { .. })));
    assert!(matches!(weight(&mut engine, ("blog", "only", "b"), 0, no), Err(CommandError::NotInPool { .. })));
    assert!(matches!(request(&mut engine, "x", Request::Pause), Err(CommandError::NoBackend(_))));
    engine.request(START, "a", Request::Disable, by("ann", START), MayEmpty::Anything).unwrap();
    assert!(matches!(request(&mut engine, "a", Request::Pause), Err(CommandError::Disabled { .. })));
}

#[test]
fn a_member_without_a_verdict_is_no_server() {
    let ping = check("ping", std::time::Duration::from_secs(1), Thresholds { rise: 1, fall: 1 });
    let mut engine = engine(config(
        vec![backend("a", 1, None), backend("b", 2, Some(ping))],
        vec![frontend("site", &[("primary", &[("a", 100), ("b", 100)])])],
    ));
    assert_eq!(request(&mut engine, "a", Request::Pause), refused(&["site"]));
    engine.handle_timeout(START + std::time::Duration::from_secs(1));
    while let Some(effect) = engine.poll_effect() {
        if let Effect::StartProbe(order) = effect {
            engine.handle_outcome(START, &order.backend, order.id, outcome(Code::L4Con));
        }
    }
    assert_eq!(request(&mut engine, "a", Request::Pause), refused(&["site"]), "b is down");
    assert_eq!(request(&mut engine, "b", Request::Disable), Ok(true), "what is down serves nothing");
}

#[test]
fn the_end_of_an_enable_is_not_refused() {
    let mut disabled = shared();
    disabled.backends.get_mut("a").unwrap().enabled = false;
    let mut engine = engine(disabled);
    let until = START + std::time::Duration::from_secs(60);
    let who = crate::intent::Attribution { until: Some(until), ..by("ann", START) };
    assert_eq!(engine.request(START, "a", Request::Enable, who, MayEmpty::Nothing), Ok(true));
    assert!(engine.frontend("blog").unwrap().is_served());
    engine.handle_timeout(until);
    assert!(!engine.frontend("blog").unwrap().is_served());
}

#[test]
fn a_considered_change_names_what_it_empties() {
    let before = engine(shared());
    let mut after = before.clone();
    let mut next = shared();
    let blog = next.frontends.remove("blog").unwrap();
    let name: FrontendName = "weblog".parse().unwrap();
    let mut renamed = crate::config::Frontend { name: name.clone(), ..blog };
    // Another VIP than that of site, which all frontends of these tests share otherwise.
    renamed.vip.prefix = "203.0.113.2/32".parse().unwrap();
    let mut first = shared();
    first.frontends.get_mut("blog").unwrap().vip = renamed.vip;
    next.frontends.insert(name.clone(), renamed);
    next.backends.get_mut("a").unwrap().enabled = false;
    let before = {
        let mut before = before;
        before.reload(START, Arc::new(first));
        before
    };
    after.clone_from(&before);
    after.reload(START, Arc::new(next));
    assert_eq!(before.emptied_in(&after), [name]);
    assert_eq!(after.emptied_in(&before), []);
    assert_eq!(before.emptied_in(&before), []);
}

#[test]
fn a_sentence_names_frontends_up_to_a_number() {
    let names = |count: u8| (0..count).map(|n| format!("f{n}").parse().unwrap()).collect::<Vec<_>>();
    assert_eq!(frontends_named(&names(1)), "frontend f0");
    assert_eq!(frontends_named(&names(3)), "frontends f0, f1 and f2");
    assert!(frontends_named(&names(20)).ends_with(", f18 and f19"));
    assert!(frontends_named(&names(100)).ends_with(", f19 and 80 more"));
}

const PLACES: [(&str, &str, &str); 4] =
    [("site", "primary", "a"), ("site", "primary", "b"), ("site", "spare", "c"), ("blog", "only", "a")];

proptest! {
    /// Whatever is asked in whatever order: guarded requests empty no frontend, forced ones are always made, and a refusal
    /// names exactly what a forced request then empties.
    #[test]
    fn guarded_requests_empty_no_frontend(
        asked in vec((0..8_usize, prop::sample::select(vec![0_u8, 1, 100])), 1..40),
    ) {
        let mut engine = engine(shared());
        for (which, weight) in asked {
            let ask = |engine: &mut Engine, may_empty: MayEmpty<'_>| match which {
                0..4 => {
                    engine.set_weight(START, PLACES[which], weight.try_into().unwrap(), false, by("ann", START), may_empty)
                }
                _ => {
                    let backend = ["a", "b", "c"][which % 3];
                    let request = [Request::Pause, Request::Disable, Request::Enable, Request::Resume]
                        [usize::from(weight) % 4];
                    engine.request(START, backend, request, by("ann", START), may_empty)
                }
            };
            let served = |engine: &Engine| -> Vec<String> {
                let served = engine.frontends().filter(|frontend| frontend.is_served());
                served.map(|frontend| frontend.name().to_string()).collect()
            };
            let (before, mut forced) = (served(&engine), engine.clone());
            let answer = ask(&mut engine, MayEmpty::Nothing);
            let after = served(&engine);
            prop_assert!(before.iter().all(|name| after.contains(name)));
            if let Err(CommandError::WouldEmpty { frontends }) = answer {
                prop_assert_eq!(ask(&mut forced, MayEmpty::Anything), Ok(true));
                let after = served(&forced);
                let lost: Vec<_> = before.into_iter().filter(|name| !after.contains(name)).collect();
                prop_assert_eq!(frontends.iter().map(ToString::to_string).collect::<Vec<_>>(), lost);
            }
        }
    }
}
