//! What is counted, for whom, and in which bucket.

use maglev_core::engine::{Cause, Transition};
use maglev_core::outcome::Timings;
use maglev_core::time::Time;
use proptest::prelude::*;

use super::*;
use crate::fixture;

fn outcome(code: Code, total: Duration) -> Outcome {
    Outcome { code, detail: String::new(), timings: Timings { total, ..Timings::default() } }
}

fn name(text: &str) -> BackendName {
    text.parse().unwrap()
}

fn of<'a>(tally: &'a Tally, backend: &str) -> &'a BackendTally {
    let found = tally.backends().find(|(name, _)| name.as_str() == backend);
    found.unwrap_or_else(|| panic!("no tally of {backend}")).1
}

fn transition(from: BackendState, to: BackendState) -> Event {
    let cause = Cause::Config;
    Event::BackendChanged {
        backend: name("nginx0"),
        transition: Transition { from, to, at: Time::ZERO, cause },
    }
}

#[test]
fn probes_are_counted_by_type_and_code() {
    let mut tally = Tally::new(&fixture::engine(fixture::WEB));
    let ms = Duration::from_millis(1);
    tally.probe(&name("nginx0"), "http", &outcome(Code::L7Ok, ms));
    tally.probe(&name("nginx0"), "http", &outcome(Code::L7Ok, ms));
    tally.probe(&name("nginx0"), "http", &outcome(Code::L4Con, ms));
    tally.probe(&name("nginx0"), "tcp", &outcome(Code::L4Ok, ms));
    let probes: Vec<_> =
        of(&tally, "nginx0").probes.iter().map(|((kind, code), &n)| (&**kind, *code, n)).collect();
    assert_eq!(probes, [("http", Code::L4Con, 1), ("http", Code::L7Ok, 2), ("tcp", Code::L4Ok, 1)]);
    assert!(of(&tally, "nginx1").probes.is_empty());
}

#[test]
fn transitions_every_backend_goes_through_start_at_zero() {
    let mut tally = Tally::new(&fixture::engine(fixture::WEB));
    let counts = |tally: &Tally| {
        of(tally, "nginx0").transitions.iter().map(|(&(from, to), &n)| (from, to, n)).collect::<Vec<_>>()
    };
    use BackendState::{Down, Paused, Unknown, Up};
    assert_eq!(counts(&tally), [(Unknown, Up, 0), (Unknown, Down, 0), (Up, Down, 0), (Down, Up, 0)]);
    tally.event(&transition(Unknown, Up));
    tally.event(&transition(Up, Paused));
    assert_eq!(
        counts(&tally),
        [(Unknown, Up, 1), (Unknown, Down, 0), (Up, Down, 0), (Up, Paused, 1), (Down, Up, 0)]
    );
}

#[test]
fn after_a_reload_the_gone_are_forgotten_and_the_others_go_on() {
    let mut engine = fixture::engine(fixture::WEB);
    let mut tally = Tally::new(&engine);
    let ok = outcome(Code::L7Ok, Duration::ZERO);
    tally.probe(&name("nginx0"), "http", &ok);
    tally.probe(&name("nginx1"), "http", &ok);
    engine.reload(Time::ZERO, fixture::config(&fixture::WEB.replace("nginx1", "nginx2")));
    tally.resize(&engine);
    let names: Vec<_> = tally.backends().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["nginx0", "nginx2", "static0"]);
    assert_eq!(of(&tally, "nginx0").probes.len(), 1);
    // The last probe of a backend that is gone comes in after the reload.
    tally.probe(&name("nginx1"), "http", &ok);
    assert_eq!(tally.backends().count(), 3);
}

#[test]
fn a_duration_on_a_bound_belongs_below_it() {
    let mut histogram = Histogram::default();
    histogram.record(Duration::from_millis(1));
    histogram.record(Duration::from_micros(1001));
    histogram.record(Duration::from_millis(2500));
    histogram.record(Duration::from_millis(2501));
    let cumulative: Vec<_> = histogram.cumulative().collect();
    assert_eq!(cumulative.first(), Some(&(0.001, 1)));
    assert_eq!(cumulative.get(1), Some(&(0.0025, 2)));
    assert_eq!(cumulative.last(), Some(&(2.5, 3)));
    assert_eq!(histogram.count(), 4);
    assert_eq!(histogram.sum(), Duration::from_micros(1000 + 1001 + 2_500_000 + 2_501_000));
}

proptest! {
    #[test]
    fn buckets_agree_with_what_was_recorded(micros in prop::collection::vec(0_u64..5_000_000, 0..100)) {
        let mut histogram = Histogram::default();
        for &micros in &micros {
            histogram.record(Duration::from_micros(micros));
        }
        for (bound, count) in histogram.cumulative() {
            let below = micros.iter().filter(|&&m| Duration::from_micros(m) <= Duration::from_secs_f64(bound));
            prop_assert_eq!(count, below.count() as u64);
        }
        prop_assert_eq!(histogram.count(), micros.len() as u64);
        prop_assert_eq!(histogram.sum(), Duration::from_micros(micros.iter().sum()));
    }
}
