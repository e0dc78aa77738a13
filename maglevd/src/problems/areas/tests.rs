//! What is found in an engine in a known state.

use std::time::{Duration, SystemTime};

use maglev_core::engine::{Effect, Engine, MayEmpty};
use maglev_core::intent::{Attribution, Request};
use maglev_core::outcome::{Code, Outcome, Timings};
use maglev_core::time::Time;
use maglev_core::weight::Weight;

use super::*;
use crate::clock::{Clock, Reading};
use crate::fixture::{self, WEB};
use crate::problems::{Problem, ProblemCode, Severity};

fn reading() -> Reading {
    Clock::start().reading()
}

/// Answers the next probe of each backend.
fn probe(engine: &mut Engine, at: Duration, answer: impl Fn(&str) -> Code) {
    let now = Time::ZERO + at;
    engine.handle_timeout(now);
    while let Some(effect) = engine.poll_effect() {
        if let Effect::StartProbe(order) = effect {
            let code = answer(order.backend.as_str());
            let outcome = Outcome { code, detail: "said so".to_owned(), timings: Timings::default() };
            engine.handle_outcome(now, &order.backend, order.id, outcome);
        }
    }
}

fn found(engine: &Engine) -> Vec<Problem> {
    let mut found = Vec::new();
    frontends(engine, reading(), &mut found);
    backends(engine, reading(), &mut found);
    found
}

fn codes(found: &[Problem]) -> Vec<(&'static str, &str)> {
    found.iter().map(|problem| (problem.code.id(), problem.name.as_deref().unwrap_or_default())).collect()
}

const HOURS: [Duration; 4] = [
    Duration::from_secs(2 * 3600),
    Duration::from_secs(4 * 3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(8 * 3600),
];

#[test]
fn nothing_is_found_where_all_is_well() {
    let mut engine = fixture::engine(WEB);
    probe(&mut engine, HOURS[0], |_| Code::L7Ok);
    assert_eq!(codes(&found(&engine)), []);
}

#[test]
fn a_frontend_on_its_spare_pool_and_the_backends_that_are_down_are_found() {
    let mut engine = fixture::engine(WEB);
    probe(&mut engine, HOURS[0], |_| Code::L4Con);
    let found = found(&engine);
    assert_eq!(
        codes(&found),
        [("frontend-on-spare", "site"), ("backend-down", "nginx0"), ("backend-down", "nginx1")]
    );
    assert_eq!(found[0].because, "pool spare serves: pool primary has 2 down");
    assert_eq!(found[1].because, "L4CON said so");
    assert!(found.iter().all(|problem| problem.severity == Severity::Bad && problem.since.is_some()));
}

#[test]
fn a_backend_that_fails_is_found_before_it_is_down() {
    let mut engine = fixture::engine(WEB);
    probe(&mut engine, HOURS[0], |_| Code::L7Ok);
    probe(&mut engine, HOURS[1], |_| Code::L7Ok);
    probe(&mut engine, HOURS[2], |name| if name == "nginx0" { Code::L7Tout } else { Code::L7Ok });
    let found = found(&engine);
    assert_eq!(codes(&found), [("backend-failing", "nginx0")]);
    assert!(found[0].because.contains("1 more failure and it is down"), "{}", found[0].because);
}

#[test]
fn a_backend_that_is_up_and_cannot_be_probed_is_found_with_the_reason() {
    let mut engine = fixture::engine(WEB);
    probe(&mut engine, HOURS[0], |_| Code::L7Ok);
    probe(&mut engine, HOURS[1], |name| if name == "nginx0" { Code::SockErr } else { Code::L7Ok });
    let some = found(&engine);
    assert_eq!(codes(&some), [("backend-unprobed", "nginx0")]);
    assert_eq!(some[0].because, "SOCKERR said so; its state is the last one known, up");
    probe(&mut engine, HOURS[2], |_| Code::SockErr);
    let all = found(&engine);
    assert!(codes(&all).contains(&("probing-blind", "")), "{all:?}");
}

#[test]
fn what_operators_asked_for_is_found_with_who_why_and_until_when() {
    let mut engine = fixture::engine(WEB);
    probe(&mut engine, HOURS[0], |_| Code::L7Ok);
    let who = |reason: &str, until| Attribution {
        by: "alice".to_owned(),
        at: Time::ZERO,
        reason: reason.to_owned(),
        until,
    };
    let end = Time::ZERO + HOURS[3];
    engine
        .request(Time::ZERO, "nginx0", Request::Pause, who("new kernel", Some(end)), MayEmpty::Anything)
        .unwrap();
    let weight = Weight::try_from(7_u8).unwrap();
    engine
        .set_weight(
            Time::ZERO,
            ("site", "primary", "nginx1"),
            weight,
            false,
            who("", None),
            MayEmpty::Anything,
        )
        .unwrap();
    let found = found(&engine);
    assert_eq!(codes(&found), [("backend-paused", "nginx0"), ("weight-overridden", "nginx1")]);
    assert_eq!((found[0].because.as_str(), found[0].until.is_some()), ("by alice: new kernel", true));
    assert_eq!(found[0].remedy, "`set backend nginx0 resume` when the work is done");
    assert_eq!(found[1].what, "weight 7");
    assert_eq!(found[1].because, "instead of 50 in pool primary of site, by alice");
}

#[test]
fn intent_of_a_backend_that_left_is_listed_with_its_end() {
    let mut engine = fixture::engine(WEB);
    let who = Attribution { by: "alice".to_owned(), at: Time::ZERO, reason: "disk".to_owned(), until: None };
    engine.request(Time::ZERO, "nginx0", Request::Disable, who, MayEmpty::Anything).unwrap();
    let without = WEB.replace("    nginx0: {address: 192.0.2.10, healthcheck: web}\n", "");
    let without = without.replace("nginx0: {weight: 100}, ", "");
    engine.try_reload(Time::ZERO, fixture::config(&without), true).unwrap();
    let kept: Vec<_> =
        found(&engine).into_iter().filter(|problem| problem.code == ProblemCode::IntentKept).collect();
    let [problem] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(problem.name.as_deref(), Some("nginx0"));
    assert_eq!(problem.because, "disable by alice: disk; the backend is not in the configuration");
    assert!(problem.until.is_some());
}

#[test]
fn a_certificate_is_listed_two_weeks_before_its_end_and_bad_two_days_before() {
    let now = SystemTime::now();
    let day = Duration::from_secs(24 * 3600);
    let listed = |left: Option<u32>| {
        let expires = left.map_or(now - day, |days| now + day * days);
        let status = crate::tls::TlsStatus { certificate: "server.pem".into(), expires, refused: None };
        let mut found = Vec::new();
        tls(Some(&status), &[], now, &mut found);
        found.first().map(|problem| (problem.severity, problem.what.clone()))
    };
    assert_eq!(listed(Some(15)), None);
    assert_eq!(listed(Some(13)), Some((Severity::Warning, "expires soon".to_owned())));
    assert_eq!(listed(Some(1)), Some((Severity::Bad, "expires soon".to_owned())));
    assert_eq!(listed(None), Some((Severity::Bad, "expired".to_owned())));
}

#[test]
fn lost_log_lines_are_listed_while_they_are_recent() {
    let mut found = Vec::new();
    log(7, None, &mut found);
    assert!(found.is_empty());
    log(7, Some(SystemTime::UNIX_EPOCH), &mut found);
    assert_eq!(found[0].code, ProblemCode::LogLinesLost);
    assert!(found[0].because.starts_with("7 log lines dropped since the start"), "{}", found[0].because);
}

#[test]
fn few_open_files_are_listed() {
    use crate::limits::Files;
    let mut found = Vec::new();
    daemon(Some(Files { open: 800, limit: 1000 }), &mut found);
    daemon(None, &mut found);
    assert!(found.is_empty());
    daemon(Some(Files { open: 801, limit: 1000 }), &mut found);
    assert_eq!(found[0].code, ProblemCode::FileDescriptorsLow);
}
