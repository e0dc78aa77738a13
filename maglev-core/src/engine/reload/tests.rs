use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::{ReloadDanger, ReloadRefused};
use crate::check::Thresholds;
use crate::config::Config;
use crate::engine::tests::{backend, by, check, config, frontend, outcome};
use crate::engine::{Effect, Engine, Intents, MayEmpty};
use crate::intent::Request;
use crate::outcome::Code;
use crate::time::Time;

const START: Time = Time::from_nanos(1_000_000_000_000);

/// Five backends with names and addresses of their own, in a frontend.
fn five(names: [&str; 5], site: &str, pool: &str) -> Config {
    let check = check("ping", Duration::from_secs(10), Thresholds { rise: 2, fall: 3 });
    let backends = names.iter().zip(1..).map(|(name, octet)| backend(name, octet, Some(check.clone())));
    let members: Vec<(&str, u8)> = names.iter().map(|name| (*name, 100)).collect();
    config(backends.collect(), vec![frontend(site, &[(pool, &members)])])
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Answers every probe that is due up to `end` with what `code` has for the server.
fn run(engine: &mut Engine, end: Time, code: impl Fn(std::net::IpAddr) -> Code) {
    let mut now = START;
    loop {
        while let Some(effect) = engine.poll_effect() {
            if let Effect::StartProbe(order) = effect {
                engine.handle_outcome(now, &order.backend, order.id, outcome(code(order.address)));
            }
        }
        match engine.poll_timeout() {
            Some(due) if due <= end => {
                now = due;
                engine.handle_timeout(due);
            }
            Some(_) | None => return,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Under whatever names, each server keeps its state, counter, history, schedule and intent.
    #[test]
    fn renames_keep_health_and_intent(
        order in Just(vec!["a", "b", "c", "d", "e", "v", "w", "x", "y", "z"]).prop_shuffle(),
        down in proptest::collection::vec(any::<bool>(), 5),
        disabled in 0_usize..5,
        weighed in 0_usize..5,
    ) {
        let mut engine = Engine::new(Arc::new(five(NAMES, "site", "p")), Intents::default(), 1, START);
        let code = |address: std::net::IpAddr| match address {
            std::net::IpAddr::V4(v4) if down[usize::from(v4.octets()[3]) - 1] => Code::L4Con,
            _ => Code::L4Ok,
        };
        run(&mut engine, START + Duration::from_secs(60), code);
        let now = START + Duration::from_secs(60);
        engine.request(now, NAMES[disabled], Request::Disable, by("ann", now), MayEmpty::Anything).unwrap();
        let place = ("site", "p", NAMES[weighed]);
        let weight = 7_i64.try_into().unwrap();
        engine.set_weight(now, place, weight, false, by("ann", now), MayEmpty::Anything).unwrap();
        while engine.poll_effect().is_some() {}

        let names = [order[0], order[1], order[2], order[3], order[4]];
        let mut renamed = engine.clone();
        let report = renamed.try_reload(now, Arc::new(five(names, "www", "q")), false);
        prop_assert!(report.is_ok(), "{report:?}");
        for (old, new) in NAMES.iter().zip(names) {
            let (old, new) = (engine.backend(old).unwrap(), renamed.backend(new).unwrap());
            prop_assert_eq!(old.config().address, new.config().address);
            prop_assert_eq!(old.state(), new.state());
            prop_assert_eq!(old.since(), new.since());
            prop_assert_eq!(old.counter(), new.counter());
            prop_assert_eq!(old.intent(), new.intent());
            prop_assert_eq!(old.next_probe_at(), new.next_probe_at());
            prop_assert!(old.transitions().eq(new.transitions()));
        }
        let weight = |engine: &Engine, (frontend, pool, backend): (&str, &str, &str)| {
            let (pool, backend) = (pool.parse().unwrap(), backend.parse().unwrap());
            engine.frontend(frontend).unwrap().override_of(&pool, &backend).cloned()
        };
        prop_assert!(weight(&engine, place).is_some());
        prop_assert_eq!(weight(&engine, place), weight(&renamed, ("www", "q", names[weighed])));
        prop_assert!(renamed.kept_intents().is_empty());
        // Nothing changes for the dataplane but names.
        let servers = |engine: &Engine| {
            let sent = |vip: &crate::desired::DesiredVip| vip.sent().collect::<Vec<_>>();
            engine.desired().iter().map(sent).collect::<Vec<_>>()
        };
        prop_assert_eq!(servers(&engine), servers(&renamed));
    }

    /// A reload that is not forced leaves no frontend without a server that had one and could have none.
    #[test]
    fn no_reload_empties_a_frontend_silently(
        left in proptest::collection::vec(any::<bool>(), 5),
        enabled in proptest::collection::vec(any::<bool>(), 5),
        weights in proptest::collection::vec(0_u8..2, 5),
        down in proptest::collection::vec(any::<bool>(), 5),
    ) {
        let mut engine = Engine::new(Arc::new(five(NAMES, "site", "p")), Intents::default(), 1, START);
        let code = |address: std::net::IpAddr| match address {
            std::net::IpAddr::V4(v4) if down[usize::from(v4.octets()[3]) - 1] => Code::L4Con,
            _ => Code::L4Ok,
        };
        run(&mut engine, START + Duration::from_secs(60), code);
        let served = engine.frontend("site").unwrap().is_served();
        let mut next = five(NAMES, "site", "p");
        let site = next.frontends.get_mut("site").unwrap();
        let members = std::mem::take(&mut site.pools[0].members);
        for (index, mut member) in members.into_iter().enumerate() {
            if left[index] || index == 0 {
                member.weight = i64::from(weights[index]).try_into().unwrap();
                site.pools[0].members.push(member);
            }
            next.backends.get_mut(NAMES[index]).unwrap().enabled = enabled[index];
        }
        let mut after = engine.clone();
        let answer = after.try_reload(START + Duration::from_secs(60), Arc::new(next.clone()), false);
        if answer.is_ok() {
            prop_assert!(!served || after.frontend("site").unwrap().is_served());
        } else {
            // Nothing has changed; and it is so only for a reason.
            prop_assert_eq!(after.config(), engine.config());
            let mut forced = engine.clone();
            let report = forced.try_reload(START + Duration::from_secs(60), Arc::new(next), true).unwrap();
            prop_assert!(served && !forced.frontend("site").unwrap().is_served());
            let emptied = vec!["site".parse().unwrap()];
            prop_assert_eq!(report.dangers, vec![ReloadDanger::EmptiesFrontends(emptied)]);
        }
    }
}

#[test]
fn a_refused_reload_changes_nothing() {
    let mut engine = Engine::new(Arc::new(five(NAMES, "site", "p")), Intents::default(), 1, START);
    let nothing = Arc::new(config(vec![], vec![]));
    let refused = engine.try_reload(START, Arc::clone(&nothing), false).unwrap_err();
    assert_eq!(refused, ReloadRefused(vec![ReloadDanger::RemovesFrontends { removed: 1, of: 1 }]));
    assert_eq!(refused.to_string(), "this reload needs to be forced: the only frontend would be removed");
    assert_eq!(engine.backends().len(), 5);
    engine.try_reload(START, nothing, true).unwrap();
    assert_eq!(engine.backends().len(), 0);
}
