use std::time::Duration;

use super::{Change, Phase, ProbeId, Watch};
use crate::check::{Pace, Thresholds};
use crate::health::HealthState::{self, Down, Unknown, Up};
use crate::outcome::Verdict::{Fail, Inconclusive, Pass};
use crate::time::Time;

const PACE: Pace = Pace {
    interval: Duration::from_secs(10),
    fast_interval: Duration::from_secs(1),
    down_interval: Duration::from_secs(60),
    timeout: Duration::from_secs(2),
};
const QUICKER: Pace = Pace { interval: Duration::from_secs(5), ..PACE };
const THRESHOLDS: Thresholds = Thresholds { rise: 2, fall: 3 };
const ID: ProbeId = ProbeId(7);
const OTHER: ProbeId = ProbeId(8);

/// The tables below happen at this time; a watch that waits is due a little later, or is due now.
const NOW: Time = Time::from_nanos(100_000_000_000);

fn later(seconds: u64) -> Time {
    NOW + Duration::from_secs(seconds)
}

fn at(phase: Phase) -> Watch {
    let mut watch = Watch::new(PACE, THRESHOLDS, 1);
    watch.assume(Up);
    watch.phase = phase;
    watch
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Start,
    Stop,
    AssumeDown,
    Timeout,
    OutcomeOfThis,
    OutcomeOfAnother,
    SamePace,
    ShorterInterval,
    LongerInterval,
    AskAgain,
}

const CALLS: [Call; 10] = [
    Call::Start,
    Call::Stop,
    Call::AssumeDown,
    Call::Timeout,
    Call::OutcomeOfThis,
    Call::OutcomeOfAnother,
    Call::SamePace,
    Call::ShorterInterval,
    Call::LongerInterval,
    Call::AskAgain,
];

/// What a call returned: the probe it started or abandoned.
type Said = Option<ProbeId>;

fn make(watch: &mut Watch, call: Call) -> Said {
    let no_change = |change: Option<Change>| {
        assert_eq!(change, None);
        None
    };
    match call {
        Call::Start => {
            watch.start(NOW, Duration::from_secs(10));
            None
        }
        Call::Stop => watch.stop(),
        Call::AssumeDown => {
            watch.assume(Down);
            None
        }
        Call::Timeout => watch.handle_timeout(NOW, OTHER),
        Call::OutcomeOfThis => no_change(watch.handle_outcome(NOW, ID, Pass)),
        Call::OutcomeOfAnother => no_change(watch.handle_outcome(NOW, OTHER, Pass)),
        Call::SamePace => {
            watch.reconfigure(NOW, PACE, THRESHOLDS);
            None
        }
        Call::ShorterInterval => {
            watch.reconfigure(NOW, QUICKER, THRESHOLDS);
            None
        }
        Call::LongerInterval => {
            watch.reconfigure(NOW, Pace { interval: Duration::from_secs(20), ..PACE }, THRESHOLDS);
            None
        }
        Call::AskAgain => watch.ask_again(NOW),
    }
}

/// Where a call is expected to lead.
#[derive(Debug)]
enum Next {
    /// The phase it was in, to the nanosecond.
    Same,
    Stopped,
    /// Waiting, due between these many seconds from now.
    Due(f64, f64),
    Probing(ProbeId),
}

#[track_caller]
fn assert_phase(watch: &Watch, before: Phase, next: &Next, what: &str) {
    match (next, watch.phase) {
        (Next::Same, phase) => assert_eq!(phase, before, "{what}"),
        (Next::Stopped, Phase::Stopped) => {}
        (Next::Probing(id), Phase::Probing { id: is, .. }) => assert_eq!(is, *id, "{what}"),
        (Next::Due(first, last), Phase::Waiting { due }) => {
            let seconds = due.since(NOW).as_secs_f64();
            assert!((*first..=*last).contains(&seconds), "{what}: due in {seconds} s");
        }
        (next, phase) => panic!("{what}: {phase:?} instead of {next:?}"),
    }
}

fn table(phase: Phase, expected: [(Next, Said); CALLS.len()]) {
    for (call, (next, said)) in CALLS.into_iter().zip(expected) {
        let what = format!("{call:?} when {phase:?}");
        let mut watch = at(phase);
        assert_eq!(make(&mut watch, call), said, "{what}");
        assert_phase(&watch, phase, &next, &what);
    }
}

#[test]
fn every_call_when_stopped() {
    table(
        Phase::Stopped,
        [
            (Next::Due(0.0, 10.0), None), // Start
            (Next::Same, None),           // Stop
            (Next::Same, None),           // AssumeDown
            (Next::Same, None),           // Timeout
            (Next::Same, None),           // OutcomeOfThis
            (Next::Same, None),           // OutcomeOfAnother
            (Next::Same, None),           // SamePace
            (Next::Same, None),           // ShorterInterval
            (Next::Same, None),           // LongerInterval
            (Next::Same, None),           // AskAgain
        ],
    );
}

#[test]
fn every_call_while_waiting() {
    table(
        Phase::Waiting { due: later(8) },
        [
            (Next::Same, None),          // Start
            (Next::Stopped, None),       // Stop
            (Next::Same, None),          // AssumeDown
            (Next::Same, None),          // Timeout: not yet
            (Next::Same, None),          // OutcomeOfThis
            (Next::Same, None),          // OutcomeOfAnother
            (Next::Same, None),          // SamePace
            (Next::Due(0.0, 5.0), None), // ShorterInterval
            (Next::Same, None),          // LongerInterval
            (Next::Due(0.0, 1.0), None), // AskAgain: within the fast interval
        ],
    );
}

#[test]
fn every_call_when_due() {
    table(
        Phase::Waiting { due: NOW },
        [
            (Next::Same, None),                  // Start
            (Next::Stopped, None),               // Stop
            (Next::Same, None),                  // AssumeDown
            (Next::Probing(OTHER), Some(OTHER)), // Timeout
            (Next::Same, None),                  // OutcomeOfThis
            (Next::Same, None),                  // OutcomeOfAnother
            (Next::Same, None),                  // SamePace
            (Next::Same, None),                  // ShorterInterval
            (Next::Same, None),                  // LongerInterval
            (Next::Same, None),                  // AskAgain: no later than it was
        ],
    );
}

#[test]
fn every_call_while_probing() {
    table(
        Phase::Probing { id: ID, started: NOW - Duration::from_secs(1) },
        [
            (Next::Same, None),              // Start
            (Next::Stopped, Some(ID)),       // Stop
            (Next::Same, None),              // AssumeDown
            (Next::Same, None),              // Timeout
            (Next::Due(8.0, 10.0), None),    // OutcomeOfThis: 10 s from its start, ± 10 %
            (Next::Same, None),              // OutcomeOfAnother
            (Next::Same, None),              // SamePace
            (Next::Same, None),              // ShorterInterval: from its outcome on
            (Next::Same, None),              // LongerInterval
            (Next::Due(0.0, 1.0), Some(ID)), // AskAgain
        ],
    );
}

/// A new watch, one probe after the other, each answered as told; returns the state and the time to the next probe.
fn drive(watch: &mut Watch, now: &mut Time, verdict: crate::outcome::Verdict) -> (HealthState, Duration) {
    *now = watch.poll_timeout().expect("the watch waits");
    let started = *now;
    watch.handle_timeout(*now, ID).expect("the probe is due");
    *now += Duration::from_millis(3);
    watch.handle_outcome(*now, ID, verdict);
    (watch.counter().state(), watch.poll_timeout().expect("the watch waits again").since(started))
}

#[track_caller]
fn assert_about(span: Duration, seconds: u64) {
    let (low, high) = (Duration::from_millis(seconds * 900), Duration::from_millis(seconds * 1100));
    assert!((low..=high).contains(&span), "{span:?} is not {seconds} s ± 10 %");
}

#[test]
fn the_pace_follows_the_counter() {
    let mut watch = Watch::new(PACE, THRESHOLDS, 3);
    let mut now = NOW;
    watch.start(now, PACE.interval);
    let mut steps = Vec::new();
    for verdict in [Inconclusive, Pass, Pass, Pass, Pass, Fail, Fail, Fail, Fail, Fail, Pass, Pass] {
        let (state, span) = drive(&mut watch, &mut now, verdict);
        let seconds = match watch.counter().value() {
            0 if state == Down => 60,
            4 => 10,
            _ => 1,
        };
        assert_about(span, seconds);
        steps.push((state, watch.counter().value()));
    }
    let wanted = [
        (Unknown, 1),
        (Up, 2),
        (Up, 3),
        (Up, 4),
        (Up, 4),
        (Up, 3),
        (Up, 2),
        (Down, 1),
        (Down, 0),
        (Down, 0),
        (Down, 1),
        (Up, 2),
    ];
    assert_eq!(steps, wanted);
}

#[test]
fn a_change_is_told_once_when_it_happens() {
    let mut watch = Watch::new(PACE, THRESHOLDS, 3);
    watch.start(NOW, Duration::ZERO);
    let mut now = NOW;
    let mut changes = Vec::new();
    for (id, verdict) in (0..).map(ProbeId).zip([Fail, Fail, Pass, Pass, Pass, Inconclusive]) {
        now = watch.poll_timeout().expect("the watch waits").max(now);
        watch.handle_timeout(now, id);
        changes.extend(watch.handle_outcome(now, id, verdict));
    }
    assert_eq!(changes, [Change { from: Unknown, to: Down }, Change { from: Down, to: Up }]);
}

#[test]
fn a_probe_that_outlasts_its_interval_is_followed_at_once() {
    let mut watch = at(Phase::Waiting { due: NOW });
    watch.handle_timeout(NOW, ID);
    watch.handle_outcome(later(30), ID, Fail);
    assert_eq!(watch.poll_timeout(), Some(later(30)));
}

#[test]
fn stopping_forgets_the_verdict_and_the_probe_in_flight() {
    let mut watch = at(Phase::Waiting { due: NOW });
    watch.handle_timeout(NOW, ID);
    assert_eq!(watch.stop(), Some(ID));
    watch.start(NOW, Duration::ZERO);
    watch.handle_timeout(NOW, OTHER);
    assert_eq!(watch.handle_outcome(NOW, ID, Fail), None, "the outcome of an abandoned probe");
    assert_eq!(watch.counter().state(), Unknown);
    assert_eq!(watch.handle_outcome(NOW, OTHER, Pass), Some(Change { from: Unknown, to: Up }));
}

#[test]
fn another_question_keeps_the_last_verdict_until_it_has_its_own() {
    let mut watch = at(Phase::Waiting { due: NOW });
    let mut now = NOW;
    drive(&mut watch, &mut now, Fail);
    watch.ask_again(now);
    assert_eq!((watch.counter().state(), watch.counter().value()), (Up, 4), "full credit again");
    for state in [Up, Up, Down] {
        assert_eq!(drive(&mut watch, &mut now, Fail).0, state);
    }
    watch.ask_again(now);
    assert_eq!(watch.counter().state(), Down);
    assert_eq!(drive(&mut watch, &mut now, Pass).0, Up, "one pass is enough");
}

#[test]
fn many_watches_of_one_check_are_spread_and_stay_so_when_it_gets_quicker() {
    let mut watches: Vec<Watch> = (0..1000).map(|seed| Watch::new(PACE, THRESHOLDS, seed)).collect();
    let busiest_second = |watches: &[Watch]| {
        let second = |watch: &Watch| watch.poll_timeout().map(|due| due.since(NOW).as_secs());
        (0..10).map(|s| watches.iter().filter(|watch| second(watch) == Some(s)).count()).max()
    };
    for watch in &mut watches {
        watch.assume(Up);
        watch.start(NOW, PACE.interval);
    }
    assert!(busiest_second(&watches) < Some(150), "{:?} of 1000 in one of 10 s", busiest_second(&watches));
    for watch in &mut watches {
        watch.reconfigure(NOW, QUICKER, THRESHOLDS);
    }
    assert!(busiest_second(&watches) < Some(350), "{:?} of 1000 in one of 5 s", busiest_second(&watches));
}
