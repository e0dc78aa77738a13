use std::time::Duration;

use super::Shortage;
use crate::time::Time;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A process that may use `share` per mille of a processor and needs `cost` for each start, with `backends` that want a probe each
/// second. What it lacks is lost in each step of 10 ms. Returns the starts and the steps with a loss of each second.
struct Machine {
    shortage: Shortage,
    now: Time,
    waiting: u64,
    debt: u64,
}

const BACKENDS: u64 = 200;

impl Machine {
    fn new() -> Self {
        let now = Time::from_nanos(1_000_000_000_000);
        Machine { shortage: Shortage::new(now), now, waiting: 0, debt: 0 }
    }

    /// Runs for a second with starts that cost `cost` microseconds on a share of `share` per mille.
    fn second(&mut self, share: u64, cost: u64) -> u64 {
        let mut starts = 0;
        for _ in 0..100 {
            self.now += ms(10);
            self.waiting = (self.waiting + BACKENDS / 100).min(BACKENDS);
            // What a step of 10 ms gives, in microseconds.
            self.debt = self.debt.saturating_sub(10 * share);
            if self.debt > 0 {
                self.shortage.handle_stall(ms(10));
                continue;
            }
            self.shortage.handle_timeout(self.now, BACKENDS as usize);
            while self.waiting > 0 && self.debt < 10 * share && self.shortage.start(self.now) {
                self.waiting -= 1;
                self.debt += cost;
                starts += 1;
            }
        }
        starts
    }
}

#[test]
fn without_a_shortage_nothing_is_limited() {
    let mut machine = Machine::new();
    for _ in 0..30 {
        assert_eq!(machine.second(1000, 100), BACKENDS);
    }
    assert_eq!(machine.shortage.since(), None);
}

#[test]
fn too_little_processor_time_slows_starts_down_until_none_is_lost() {
    let mut machine = Machine::new();
    machine.second(1000, 1000);
    machine.second(1000, 1000);
    // 200 starts of 1 ms each need 20 %, and 5 % is 50 of them.
    for _ in 0..30 {
        machine.second(50, 1000);
    }
    assert!(machine.shortage.since().is_some());
    let starts: u64 = (0..10).map(|_| machine.second(50, 1000)).sum();
    assert!((100..=600).contains(&starts), "{starts} in 10 s");

    for _ in 0..60 {
        machine.second(1000, 1000);
    }
    assert_eq!(machine.shortage.since(), None, "it recovers by itself");
    assert_eq!(machine.second(1000, 1000), BACKENDS);
}

#[test]
fn starts_after_a_stop_are_spread() {
    let mut machine = Machine::new();
    for _ in 0..5 {
        machine.second(1000, 10);
    }
    // Stopped for 5 s: all are due at once.
    machine.now += ms(5000);
    machine.shortage.handle_stall(ms(5000));
    machine.waiting = BACKENDS;
    machine.shortage.handle_timeout(machine.now, BACKENDS as usize);
    let mut burst = 0;
    while machine.shortage.start(machine.now) {
        burst += 1;
    }
    assert!(burst <= BACKENDS / 4, "{burst} at once");
    for _ in 0..20 {
        machine.second(1000, 10);
    }
    assert_eq!(machine.shortage.since(), None);
    assert_eq!(machine.second(1000, 10), BACKENDS);
}
