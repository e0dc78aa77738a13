use std::net::IpAddr;

use super::{Difference, DifferentLengths, Holding, Move};
use crate::table::paper::{Length, build};
use crate::table::{Table, vpp};

fn paper(names: &[&'static str]) -> Table<&'static str> {
    build(Length::SMALL, names.iter().copied()).unwrap()
}

#[test]
fn nothing_changes_between_equal_tables() {
    let table = paper(&["a", "b", "c"]);
    let difference = Difference::between(&table, &table).unwrap();
    assert_eq!((difference.changed, difference.unavoidable, difference.avoidable()), (0, 0, 0));
    assert!(difference.moves.is_empty() && difference.ranges.is_empty());
}

/// Tables by hand: slots a a b c, then a b b b.
#[test]
fn who_lost_what_to_whom() {
    let before: Table<&str> =
        serde_json::from_str(r#"{"backends": ["a", "b", "c"], "entries": [0, 0, 1, 2]}"#).unwrap();
    let after: Table<&str> =
        serde_json::from_str(r#"{"backends": ["b", "a"], "entries": [1, 0, 0, 0]}"#).unwrap();
    let difference = Difference::between(&before, &after).unwrap();
    assert_eq!(
        difference,
        Difference {
            slots: 4,
            changed: 2,
            unavoidable: 2,
            orphaned: 1,
            backends: vec![
                Holding { backend: "a", before: 2, after: 1, lost: 1, gained: 0 },
                Holding { backend: "b", before: 1, after: 3, lost: 0, gained: 2 },
                Holding { backend: "c", before: 1, after: 0, lost: 1, gained: 0 },
            ],
            moves: vec![
                Move { from: Some("a"), to: Some("b"), slots: 1 },
                Move { from: Some("c"), to: Some("b"), slots: 1 },
            ],
            ranges: vec![1..2, 3..4],
        }
    );
    assert!((difference.share() - 0.5).abs() < f64::EPSILON);
}

#[test]
fn slots_of_nobody_are_lost_and_gained_too() {
    let length = vpp::Length::new(64).unwrap();
    let server: IpAddr = "10.0.0.1".parse().unwrap();
    let (up, down) = (vpp::build(length, &[(server, 1)]), vpp::build(length, &[(server, 0)]));
    let drained = Difference::between(&up, &down).unwrap();
    assert_eq!(drained.moves, [Move { from: Some(server), to: None, slots: 64 }]);
    assert_eq!(drained.unavoidable, 64);
    assert_eq!(drained.ranges.iter().cloned().flatten().count(), 64);
    let served = Difference::between(&down, &up).unwrap();
    assert_eq!(served.moves, [Move { from: None, to: Some(server), slots: 64 }]);
}

#[test]
fn a_longer_table_is_compared_flow_by_flow() {
    let servers: Vec<(IpAddr, u8)> = (1..=4).map(|i| (IpAddr::from([10, 0, 0, i]), 1)).collect();
    let short = vpp::build(vpp::Length::new(1024).unwrap(), &servers);
    let long = vpp::build(vpp::Length::new(4096).unwrap(), &servers);
    let difference = Difference::between(&short, &long).unwrap();
    let moved = (0..4096).filter(|&hash| short.lookup(hash) != long.lookup(hash)).count();
    assert_eq!((difference.slots, difference.changed as usize), (4096, moved));
    assert_eq!(difference.unavoidable, 0);
    assert_eq!(
        Difference::between(&paper(&["a"]), &build(Length::LARGE, ["a"]).unwrap()),
        Err(DifferentLengths(65537, 655_373))
    );
}

/// Loses some of a thousand backends, and compares the share of entries that change with that of 200 repetitions of the paper's
/// algorithm. Fewer repetitions here, so a little room.
fn loses(length: Length, expected: [(usize, f64); 6], repetitions: u32) {
    let mut changed = [0_u64; 6];
    for repetition in 0..repetitions {
        let names: Vec<String> = (0..1000).map(|i| format!("pool{repetition}/backend{i}")).collect();
        let before = build(length, names.iter().map(String::as_str)).unwrap();
        let fair = length.get() / 1000;
        assert!(
            before.counts().iter().all(|&count| count == fair || count == fair + 1),
            "{:?}",
            before.counts()
        );
        for ((lost, _), changed) in expected.iter().zip(&mut changed) {
            let after = build(length, names[*lost..].iter().map(String::as_str)).unwrap();
            let difference = Difference::between(&before, &after).unwrap();
            assert_eq!(difference.orphaned, difference.unavoidable, "survivors only gain");
            *changed += u64::from(difference.changed);
        }
    }
    for ((lost, percent), changed) in expected.into_iter().zip(changed) {
        let measured = changed as f64 / f64::from(repetitions) / f64::from(length.get()) * 100.0;
        assert!((measured / percent - 1.0).abs() < 0.1, "{lost} lost: {measured:.3} %, expected {percent} %");
    }
}

#[test]
fn evenness_and_disruption_are_what_the_algorithm_allows() {
    loses(Length::SMALL, [(1, 0.676), (5, 2.316), (10, 3.337), (20, 4.659), (50, 8.26), (100, 13.55)], 20);
}

#[test]
fn so_they_are_in_a_large_table() {
    loses(Length::LARGE, [(1, 0.427), (5, 0.964), (10, 1.575), (20, 2.70), (50, 5.91), (100, 11.05)], 4);
}
