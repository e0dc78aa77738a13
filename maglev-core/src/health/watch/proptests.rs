use std::time::Duration;

use proptest::prelude::*;

use super::{ProbeId, Watch};
use crate::check::{Pace, Thresholds};
use crate::health::HealthState;
use crate::outcome::Verdict;
use crate::time::Time;

#[derive(Clone, Debug)]
enum Op {
    Start {
        spread: Duration,
    },
    Stop,
    Assume(HealthState),
    /// Time passes, and a driver that wakes up when it should calls.
    Timeout {
        later: Duration,
    },
    /// The outcome of the probe that many before the last one started; 0 is the last one.
    Outcome {
        back: u64,
        verdict: Verdict,
    },
    Reconfigure {
        pace: Pace,
        thresholds: Thresholds,
    },
    AskAgain,
}

fn span() -> impl Strategy<Value = Duration> {
    (1u64..20_000).prop_map(Duration::from_millis)
}

fn pace() -> impl Strategy<Value = Pace> {
    (span(), span(), span(), span()).prop_map(|(interval, fast_interval, down_interval, timeout)| Pace {
        interval,
        fast_interval,
        down_interval,
        timeout,
    })
}

fn thresholds() -> impl Strategy<Value = Thresholds> {
    (1u16..5, 1u16..5).prop_map(|(rise, fall)| Thresholds { rise, fall })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Pass), Just(Verdict::Fail), Just(Verdict::Inconclusive)]
}

fn op() -> impl Strategy<Value = Op> {
    let state = prop_oneof![Just(HealthState::Unknown), Just(HealthState::Up), Just(HealthState::Down)];
    prop_oneof![
        2 => span().prop_map(|spread| Op::Start { spread }),
        1 => Just(Op::Stop),
        1 => state.prop_map(Op::Assume),
        12 => span().prop_map(|later| Op::Timeout { later }),
        12 => (prop_oneof![4 => Just(0u64), 1 => 1u64..4], verdict()).prop_map(|(back, verdict)| Op::Outcome { back, verdict }),
        1 => (pace(), thresholds()).prop_map(|(pace, thresholds)| Op::Reconfigure { pace, thresholds }),
        1 => Just(Op::AskAgain),
    ]
}

/// Everything that can be seen of a watch.
fn view(watch: &Watch) -> (HealthState, u32, Option<Time>, Option<ProbeId>) {
    (watch.counter().state(), watch.counter().value(), watch.poll_timeout(), watch.in_flight())
}

proptest! {
    #[test]
    fn a_watch_keeps_its_promises(
        seed: u64,
        mut pace in pace(),
        thresholds in thresholds(),
        ops in prop::collection::vec(op(), 0..120),
    ) {
        let mut watch = Watch::new(pace, thresholds, seed);
        let mut now = Time::ZERO;
        let mut next_id = 0;
        let mut started = Time::ZERO;
        for op in ops {
            let before = view(&watch);
            let (state, value, due, in_flight) = before;
            match op {
                Op::Start { spread } => {
                    watch.start(now, spread);
                    if due.is_some() || in_flight.is_some() {
                        prop_assert_eq!(view(&watch), before, "a second start");
                    } else {
                        prop_assert!(watch.poll_timeout().is_some_and(|due| due >= now && due <= now + spread));
                    }
                }
                Op::Stop => {
                    prop_assert_eq!(watch.stop(), in_flight);
                    prop_assert_eq!(watch.counter().state(), HealthState::Unknown);
                    prop_assert_eq!((watch.poll_timeout(), watch.in_flight()), (None, None));
                }
                Op::Assume(state) => {
                    watch.assume(state);
                    prop_assert_eq!(watch.counter().state(), state);
                    prop_assert_eq!((watch.poll_timeout(), watch.in_flight()), (due, in_flight));
                }
                Op::Timeout { later } => {
                    now += later;
                    let id = ProbeId(next_id);
                    let began = watch.handle_timeout(now, id);
                    if due.is_some_and(|due| due <= now) {
                        prop_assert_eq!(in_flight, None, "a second probe in flight");
                        prop_assert_eq!((began, watch.in_flight(), watch.poll_timeout()), (Some(id), Some(id), None));
                        (next_id, started) = (next_id + 1, now);
                    } else {
                        prop_assert_eq!(began, None);
                        prop_assert_eq!(view(&watch), before, "a timeout before it is due");
                    }
                }
                Op::Outcome { back, verdict } => {
                    let id = ProbeId(u64::saturating_sub(next_id, back + 1));
                    let change = watch.handle_outcome(now, id, verdict);
                    if in_flight != Some(id) {
                        prop_assert_eq!(change, None);
                        prop_assert_eq!(view(&watch), before, "an outcome of a probe that is not in flight");
                        continue;
                    }
                    prop_assert_eq!(change.map(|c| (c.from, c.to)), {
                        let after = watch.counter().state();
                        (after != state).then_some((state, after))
                    });
                    if verdict == Verdict::Inconclusive {
                        prop_assert_eq!((watch.counter().state(), watch.counter().value()), (state, value));
                    }
                    let full = watch.counter().value() == watch.counter().max();
                    let plain = match watch.counter().state() {
                        HealthState::Up if full => pace.interval,
                        HealthState::Down if watch.counter().value() == 0 => pace.down_interval,
                        HealthState::Unknown | HealthState::Up | HealthState::Down => pace.fast_interval,
                    };
                    let due = watch.poll_timeout().expect("an answered watch waits");
                    prop_assert!(due >= now);
                    prop_assert!(due <= (started + plain.mul_f64(1.1) + Duration::from_nanos(1)).max(now));
                    prop_assert!(due + Duration::from_nanos(1) >= started + plain.mul_f64(0.9));
                }
                Op::Reconfigure { pace: other, thresholds } => {
                    watch.reconfigure(now, other, thresholds);
                    pace = other;
                    prop_assert_eq!(watch.counter().state(), state);
                    prop_assert_eq!(watch.in_flight(), in_flight);
                    prop_assert_eq!(watch.poll_timeout().is_some(), due.is_some());
                    prop_assert!(watch.poll_timeout() <= due, "a probe was put off");
                }
                Op::AskAgain => {
                    prop_assert_eq!(watch.ask_again(now), in_flight);
                    prop_assert_eq!(watch.counter().state(), state);
                    prop_assert_eq!(watch.in_flight(), None);
                    match (due, in_flight) {
                        (None, None) => prop_assert_eq!(watch.poll_timeout(), None),
                        (due, _) => {
                            let soon = now + pace.fast_interval;
                            let latest = due.map_or(soon, |due| due.min(soon));
                            prop_assert!(watch.poll_timeout().is_some_and(|due| due <= latest));
                        }
                    }
                }
            }
            prop_assert!(watch.in_flight().is_none() || watch.poll_timeout().is_none());
        }
    }

    #[test]
    fn fewer_than_fall_failures_in_a_row_leave_a_healthy_backend_up(
        seed: u64,
        pace in pace(),
        thresholds in thresholds(),
        inconclusive in prop::collection::vec(any::<bool>(), 0..8),
    ) {
        let mut watch = Watch::new(pace, thresholds, seed);
        watch.assume(HealthState::Up);
        watch.start(Time::ZERO, pace.interval);
        let failures = (1..thresholds.fall).map(|_| Verdict::Fail);
        let strays = inconclusive.into_iter().filter(|&stray| stray).map(|_| Verdict::Inconclusive);
        for (id, verdict) in failures.chain(strays).enumerate() {
            let now = watch.poll_timeout().expect("the watch waits");
            let id = ProbeId(id as u64);
            prop_assert_eq!(watch.handle_timeout(now, id), Some(id));
            prop_assert_eq!(watch.handle_outcome(now, id, verdict), None);
        }
        prop_assert_eq!(watch.counter().state(), HealthState::Up);
    }
}
