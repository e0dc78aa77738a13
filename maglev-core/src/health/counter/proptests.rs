use proptest::prelude::*;

use super::Counter;
use crate::check::Thresholds;
use crate::health::HealthState;
use crate::outcome::Verdict;

#[derive(Clone, Copy, Debug)]
enum Op {
    Record(Verdict),
    Rescale(Thresholds),
    Assume(HealthState),
    Reset,
}

fn thresholds() -> impl Strategy<Value = Thresholds> {
    (0u16..6, 0u16..6).prop_map(|(rise, fall)| Thresholds { rise, fall })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![4 => Just(Verdict::Pass), 4 => Just(Verdict::Fail), 1 => Just(Verdict::Inconclusive)]
}

fn op() -> impl Strategy<Value = Op> {
    let state = prop_oneof![Just(HealthState::Unknown), Just(HealthState::Up), Just(HealthState::Down)];
    prop_oneof![
        12 => verdict().prop_map(Op::Record),
        1 => thresholds().prop_map(Op::Rescale),
        1 => state.prop_map(Op::Assume),
        1 => Just(Op::Reset),
    ]
}

fn run(counter: &mut Counter, op: Op) {
    match op {
        Op::Record(verdict) => counter.record(verdict),
        Op::Rescale(thresholds) => counter.rescale(thresholds),
        Op::Assume(state) => counter.assume(state),
        Op::Reset => *counter = counter.reset(),
    }
}

proptest! {
    #[test]
    fn the_value_agrees_with_the_state(start in thresholds(), ops in prop::collection::vec(op(), 0..60)) {
        let mut counter = Counter::new(start);
        for op in ops {
            run(&mut counter, op);
            prop_assert!(counter.value() <= counter.max(), "{counter:?}");
            match counter.state() {
                HealthState::Unknown => prop_assert_eq!(counter.value(), counter.rise() - 1),
                HealthState::Up => prop_assert!(counter.value() >= counter.rise(), "{:?}", counter),
                HealthState::Down => prop_assert!(counter.value() < counter.rise(), "{:?}", counter),
            }
        }
    }

    /// Whatever passes are strewn in, a backend at full health stays up until `fall` more failures than passes came.
    #[test]
    fn full_health_outlives_fewer_than_fall_failures(
        thresholds in thresholds(),
        verdicts in prop::collection::vec(verdict(), 0..60),
    ) {
        let mut counter = Counter::new(thresholds);
        counter.assume(HealthState::Up);
        let mut in_a_row = 0;
        let mut lost: u32 = 0;
        for verdict in verdicts {
            counter.record(verdict);
            match verdict {
                Verdict::Pass => (in_a_row, lost) = (0, lost.saturating_sub(1)),
                Verdict::Fail => (in_a_row, lost) = (in_a_row + 1, lost + 1),
                Verdict::Inconclusive => {}
            }
            if lost >= counter.fall() {
                prop_assert_eq!(counter.state(), HealthState::Down);
                break;
            }
            prop_assert!(in_a_row < counter.fall());
            prop_assert_eq!(counter.state(), HealthState::Up);
        }
    }

    #[test]
    fn an_inconclusive_verdict_changes_nothing(start in thresholds(), ops in prop::collection::vec(op(), 0..60)) {
        let mut counter = Counter::new(start);
        for op in ops {
            run(&mut counter, op);
            let before = counter;
            counter.record(Verdict::Inconclusive);
            prop_assert_eq!(counter, before);
        }
    }

    #[test]
    fn other_thresholds_never_change_the_state(
        start in thresholds(),
        ops in prop::collection::vec(op(), 0..60),
        next in thresholds(),
    ) {
        let mut counter = Counter::new(start);
        for op in ops {
            run(&mut counter, op);
        }
        let state = counter.state();
        let same = Thresholds { rise: counter.rise() as u16, fall: counter.fall() as u16 };
        let before = counter;
        counter.rescale(same);
        prop_assert_eq!(counter, before);
        counter.rescale(next);
        prop_assert_eq!(counter.state(), state);
    }
}
