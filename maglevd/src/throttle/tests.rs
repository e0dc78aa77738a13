//! A burst, then a trickle, and nothing is forgotten.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_burst_passes_and_then_one_each_interval() {
    let throttle = Throttle::new(3, SECOND);
    let start = Instant::now();
    assert_eq!([0, 0, 0, 0, 0].map(|_| throttle.pass(start)), [Some(0), Some(0), Some(0), None, None]);
    assert_eq!(throttle.pass(start + SECOND / 2), None);
    assert_eq!(throttle.pass(start + SECOND), Some(3), "what was left out is told");
    assert_eq!(throttle.pass(start + SECOND), None);
    assert_eq!(throttle.pass(start + SECOND * 2), Some(1));
}

#[test]
fn a_long_pause_earns_no_more_than_a_burst() {
    let throttle = Throttle::new(2, SECOND);
    let start = Instant::now();
    let later = start + SECOND * 1_000_000;
    assert_eq!([0, 0, 0].map(|_| throttle.pass(start)), [Some(0), Some(0), None]);
    assert_eq!([0, 0, 0].map(|_| throttle.pass(later)), [Some(1), Some(0), None]);
}
