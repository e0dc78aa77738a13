use super::Counter;
use crate::check::Thresholds;
use crate::health::HealthState::{self, Down, Unknown, Up};
use crate::outcome::Verdict::{self, Fail, Inconclusive, Pass};

const RISE: u32 = 2;
const FALL: u32 = 3;

fn thresholds(rise: u16, fall: u16) -> Thresholds {
    Thresholds { rise, fall }
}

fn at(state: HealthState, value: u32) -> Counter {
    Counter { state, value, rise: RISE, fall: FALL }
}

fn after(mut counter: Counter, verdicts: &[Verdict]) -> (HealthState, u32) {
    for &verdict in verdicts {
        counter.record(verdict);
    }
    (counter.state(), counter.value())
}

/// Every state a counter with rise 2 and fall 3 can be in, with what each verdict makes of it.
#[test]
fn every_state_takes_every_verdict() {
    let table = [
        // from        pass       fail
        ((Unknown, 1), (Up, 2), (Down, 0)),
        ((Down, 0), (Down, 1), (Down, 0)),
        ((Down, 1), (Up, 2), (Down, 0)),
        ((Up, 2), (Up, 3), (Down, 1)),
        ((Up, 3), (Up, 4), (Up, 2)),
        ((Up, 4), (Up, 4), (Up, 3)),
    ];
    for (from, pass, fail) in table {
        let counter = at(from.0, from.1);
        assert_eq!(after(counter, &[Pass]), pass, "{from:?} with a pass");
        assert_eq!(after(counter, &[Fail]), fail, "{from:?} with a failure");
        assert_eq!(after(counter, &[Inconclusive]), from, "{from:?} with an inconclusive probe");
    }
}

#[test]
fn a_new_counter_is_one_pass_from_up() {
    let counter = Counter::new(thresholds(5, 7));
    assert_eq!((counter.state(), counter.value(), counter.max()), (Unknown, 4, 11));
    assert_eq!(after(counter, &[Pass]), (Up, 5));
}

#[test]
fn any_failure_while_unknown_is_down_at_once() {
    assert_eq!(after(Counter::new(thresholds(5, 7)), &[Fail]), (Down, 3));
    assert_eq!(after(Counter::new(thresholds(1, 1)), &[Fail]), (Down, 0));
}

#[test]
fn full_health_takes_fall_failures_and_no_fewer() {
    assert_eq!(after(at(Up, 4), &[Fail, Fail]), (Up, 2));
    assert_eq!(after(at(Up, 4), &[Fail, Fail, Fail]), (Down, 1));
}

#[test]
fn the_bottom_takes_rise_passes_and_no_fewer() {
    assert_eq!(after(at(Down, 0), &[Pass]), (Down, 1));
    assert_eq!(after(at(Down, 0), &[Pass, Pass]), (Up, 2));
}

/// A backend that has just come up is one failure from down, as in HAProxy: it has to earn its credit.
#[test]
fn a_backend_that_just_came_up_goes_down_with_one_failure() {
    assert_eq!(after(at(Down, 0), &[Pass, Pass, Fail]), (Down, 1));
}

#[test]
fn stray_answers_only_move_the_counter() {
    assert_eq!(after(at(Up, 4), &[Fail, Pass, Fail, Pass, Fail, Fail]), (Up, 2));
    assert_eq!(after(at(Down, 0), &[Pass, Fail, Pass, Fail]), (Down, 0));
}

#[test]
fn with_rise_and_fall_of_one_every_verdict_counts() {
    let counter = Counter::new(thresholds(1, 1));
    assert_eq!(counter.max(), 1);
    assert_eq!(after(counter, &[Pass]), (Up, 1));
    assert_eq!(after(counter, &[Pass, Fail]), (Down, 0));
    assert_eq!(after(counter, &[Pass, Fail, Pass]), (Up, 1));
}

#[test]
fn the_largest_thresholds_do_not_overflow() {
    let mut counter = Counter::new(thresholds(u16::MAX, u16::MAX));
    assert_eq!(counter.max(), 131_069);
    counter.assume(Up);
    assert_eq!(after(counter, &[Pass]), (Up, 131_069));
    assert_eq!(after(counter, &[Fail; 65_534]), (Up, 65_535));
    assert_eq!(after(counter, &[Fail; 65_535]), (Down, 65_534));
}

#[test]
fn thresholds_of_zero_count_as_one() {
    assert_eq!(Counter::new(thresholds(0, 0)), Counter::new(thresholds(1, 1)));
}

#[test]
fn reset_forgets_verdicts_and_keeps_thresholds() {
    for state in [at(Unknown, 1), at(Down, 0), at(Up, 4)] {
        assert_eq!(state.reset(), Counter::new(thresholds(2, 3)));
    }
}

#[test]
fn an_assumed_state_gives_up_full_credit_and_down_a_short_way_back() {
    for (state, value) in [(Up, 4), (Down, 1), (Unknown, 1)] {
        for mut counter in [at(Unknown, 1), at(Down, 0), at(Up, 2)] {
            counter.assume(state);
            assert_eq!((counter.state(), counter.value()), (state, value));
        }
    }
}

#[test]
fn other_thresholds_keep_the_state_and_how_far_it_has_gone() {
    let table = [
        // from                 thresholds          becomes
        (at(Unknown, 1), thresholds(5, 5), (Unknown, 4)),
        (at(Up, 4), thresholds(5, 5), (Up, 9)),     // no failure yet
        (at(Up, 3), thresholds(5, 5), (Up, 8)),     // one failure
        (at(Up, 2), thresholds(5, 5), (Up, 7)),     // two failures
        (at(Up, 2), thresholds(2, 1), (Up, 2)), // two failures would now be too many: one more and it is down
        (at(Down, 0), thresholds(5, 5), (Down, 0)), // no pass yet
        (at(Down, 1), thresholds(5, 5), (Down, 1)), // one pass
        (at(Down, 1), thresholds(1, 3), (Down, 0)), // one pass would now be enough: one more and it is up
        (at(Up, 3), thresholds(2, 3), (Up, 3)), // the same
    ];
    for (mut counter, thresholds, becomes) in table {
        let from = counter;
        counter.rescale(thresholds);
        assert_eq!((counter.state(), counter.value()), becomes, "{from:?} to {thresholds:?}");
        assert_eq!((counter.rise(), counter.fall()), (thresholds.rise.into(), thresholds.fall.into()));
    }
}
