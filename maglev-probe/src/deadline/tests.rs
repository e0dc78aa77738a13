use std::time::Duration;

use super::{Deadline, Passed};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn deadline_on_time_is_a_timeout() {
    let mut deadline = Deadline::new(ms(300));
    assert_eq!(deadline.at(), ms(300));
    assert_eq!(deadline.passed(ms(301), ms(0)), Passed::TimedOut);
    // A tenth of the timeout is within what machines do.
    assert_eq!(Deadline::new(ms(300)).passed(ms(330), ms(0)), Passed::TimedOut);
    assert_eq!(Deadline::new(ms(300)).passed(ms(301), ms(25)), Passed::TimedOut);
}

#[test]
fn lost_time_is_given_back() {
    let mut deadline = Deadline::new(ms(300));
    assert_eq!(deadline.passed(ms(301), ms(200)), Passed::Extended);
    assert_eq!(deadline.at(), ms(301 + 199));
    assert_eq!(deadline.passed(ms(500), ms(200)), Passed::TimedOut, "now it had its time");
}

#[test]
fn timeout_after_a_stall_longer_than_itself_says_nothing() {
    let mut deadline = Deadline::new(ms(300));
    assert_eq!(deadline.passed(ms(5300), ms(5200)), Passed::Extended);
    assert_eq!(deadline.at(), ms(5300 + 200));
    assert_eq!(deadline.passed(ms(5500), ms(5200)), Passed::Stalled);
}

#[test]
fn late_timer_counts_as_lost_time() {
    let mut deadline = Deadline::new(ms(300));
    assert_eq!(deadline.passed(ms(400), ms(0)), Passed::TimedOut, "it had 300 ms and was looked at late");
    let mut deadline = Deadline::new(ms(300));
    assert_eq!(deadline.passed(ms(1300), ms(50)), Passed::Stalled, "a second late");
}

#[test]
fn stall_after_stall_ends() {
    let mut deadline = Deadline::new(ms(300));
    assert_eq!(deadline.passed(ms(400), ms(395)), Passed::Extended);
    assert_eq!(deadline.passed(ms(800), ms(780)), Passed::Extended);
    assert_eq!(deadline.passed(ms(1200), ms(1170)), Passed::Stalled);
}
