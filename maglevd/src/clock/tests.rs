//! The engine's time line never goes back, and what people are shown goes by the wall clock of now.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn time_starts_at_the_wall_clock_and_never_goes_back() {
    let before = Time::ZERO + SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let clock = Clock::start();
    let first = clock.now();
    let second = clock.now();
    assert!(first >= before && first.since(before) < HOUR);
    assert!(second >= first);
}

#[test]
fn times_before_and_after_now_are_shown_on_the_wall_clock() {
    let now = Time::ZERO + 10 * HOUR;
    let wall = UNIX_EPOCH + 100 * HOUR;
    let reading = Reading { now, wall };
    assert_eq!(reading.wall(now), wall);
    assert_eq!(reading.wall(now + HOUR), wall + HOUR);
    assert_eq!(reading.wall(now - HOUR), wall - HOUR);
}

#[test]
fn ages_stay_right_when_the_wall_clock_was_stepped() {
    let clock = Clock::start();
    let happened = clock.now();
    let mut reading = clock.reading();
    reading.wall += 5 * HOUR;
    let age = reading.wall.duration_since(reading.wall(happened)).unwrap();
    assert!(age < HOUR, "{age:?}");
}

#[test]
fn the_same_time_is_shown_alike_each_time() {
    let clock = Clock::start();
    let happened = clock.now();
    let shown = clock.reading().wall(happened);
    for _ in 0..1000 {
        assert_eq!(clock.reading().wall(happened), shown);
    }
}

#[test]
fn a_time_that_the_wall_clock_cannot_show_is_not_a_panic() {
    let reading = Reading { now: Time::ZERO + HOUR, wall: UNIX_EPOCH };
    assert_eq!(reading.wall(Time::ZERO), UNIX_EPOCH);
    assert!(reading.wall(Time::from_nanos(u64::MAX)) > UNIX_EPOCH);
}

#[tokio::test(start_paused = true)]
async fn timers_fire_at_their_time_and_not_in_the_past() {
    let clock = Clock::start();
    let start = tokio::time::Instant::now();
    let deadline = clock.instant(clock.now() + HOUR);
    // The engine's clock goes on by itself while the timers' clock stands still.
    assert!(deadline > start + HOUR - Duration::from_secs(60) && deadline <= start + HOUR);
    assert_eq!(clock.instant(Time::ZERO), start);
    assert!(clock.instant(Time::from_nanos(u64::MAX)) > start + 1000 * HOUR);
}
