use std::time::Duration;

use super::Time;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn arithmetic_stops_at_the_ends_of_the_line() {
    let end = Time::from_nanos(u64::MAX);
    assert_eq!(end + SECOND, end);
    assert_eq!(Time::ZERO + Duration::MAX, end);
    assert_eq!(Time::ZERO - SECOND, Time::ZERO);
    assert_eq!(end - Duration::MAX, Time::ZERO);
    let mut time = Time::ZERO;
    time += SECOND;
    assert_eq!(time.as_nanos(), 1_000_000_000);
}

#[test]
fn a_time_that_is_not_later_is_no_time_ago() {
    let (early, late) = (Time::from_nanos(5), Time::from_nanos(8));
    assert_eq!(late.since(early), Duration::from_nanos(3));
    assert_eq!(early.since(late), Duration::ZERO);
    assert_eq!(late.since(late), Duration::ZERO);
}

#[test]
fn it_is_written_in_seconds_with_milliseconds() {
    for (nanos, text) in [(0, "0.000s"), (1_500_999_999, "1.500s"), (86_400_007_000_000, "86400.007s")] {
        assert_eq!(Time::from_nanos(nanos).to_string(), text);
    }
}
