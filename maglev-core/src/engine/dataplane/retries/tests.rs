use std::sync::Arc;

use super::*;
use crate::config::Config;
use crate::engine::tests::{backend, by, config, frontend};
use crate::engine::{Intents, MayEmpty};
use crate::intent::Request;
use crate::plan::model::{Model, ModelVip};

const START: Time = Time::from_nanos(1_000_000_000_000);

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    Refused,
    /// It is acknowledged and not done.
    Pretended,
}

const FATES: [Fate; 3] = [Fate::Done, Fate::Refused, Fate::Pretended];

/// A pool with two servers and one that stands by, with two as well. Nothing is probed.
fn two_pools() -> Config {
    let backends = (1..=4).map(|n| backend(&format!("s{n}"), n, None)).collect();
    let pools: [(&str, &[(&str, u8)]); 2] =
        [("primary", &[("s1", 100), ("s2", 100)]), ("spare", &[("s3", 100), ("s4", 100)])];
    let mut config = config(backends, vec![frontend("site", &pools)]);
    config.vpp.startup_min_delay = Duration::ZERO;
    config.vpp.startup_max_delay = Duration::ZERO;
    config
}

struct World {
    engine: Engine,
    model: Model,
    now: Time,
    /// What becomes of the steps to come; done when there are no more.
    fates: std::vec::IntoIter<Fate>,
    rounds: usize,
    /// Whether the model may be empty.
    may_be_empty: bool,
    reports: Vec<SyncReport>,
}

impl World {
    fn new() -> Self {
        let mut world = World {
            engine: Engine::new(Arc::new(two_pools()), Intents::default(), 1, START),
            model: Model::empty(),
            now: START,
            fates: Vec::new().into_iter(),
            rounds: 0,
            may_be_empty: true,
            reports: Vec::new(),
        };
        world.engine.dataplane_connected(START);
        world.run(Duration::ZERO);
        // What was written is seen to be there.
        world.engine.sync(START);
        world.run(Duration::ZERO);
        assert_eq!(world.weights(), [1, 1, 0, 0]);
        world.may_be_empty = false;
        world.reports.clear();
        world
    }

    /// The whole first pool goes at once, so that the spare has to take over.
    fn fail_over(&mut self, fates: &[Fate]) {
        self.fates = Vec::from(fates).into_iter();
        self.rounds = 0;
        for name in ["s1", "s2"] {
            let who = by("ann", self.now);
            self.engine.request(self.now, name, Request::Pause, who, MayEmpty::Nothing).unwrap();
        }
    }

    /// Does what the engine wants for a while, and tells after how long the last write was made.
    fn run(&mut self, span: Duration) -> Duration {
        let (begin, end) = (self.now, self.now + span);
        let mut last = begin;
        loop {
            while let Some(effect) = self.engine.poll_effect() {
                match effect {
                    Effect::Observe => {
                        let observed = self.model.observe();
                        self.engine.observed(self.now, Some(observed));
                    }
                    Effect::Apply(steps) => {
                        (last, self.rounds) = (self.now, self.rounds + 1);
                        let results = steps.iter().map(|step| self.carry_out(step)).collect();
                        self.engine.applied(self.now, results);
                    }
                    Effect::Synced(report) => self.reports.push(report),
                    Effect::Event(_) | Effect::StartProbe(_) | Effect::CancelProbe(_) => {}
                }
            }
            match self.engine.poll_timeout().filter(|due| *due <= end) {
                Some(due) => {
                    self.now = due.max(self.now);
                    self.engine.handle_timeout(self.now);
                }
                None => break,
            }
        }
        self.now = end;
        last.since(begin)
    }

    fn carry_out(&mut self, step: &Step) -> Result<(), String> {
        assert!(!step.waits);
        let result = match self.fates.next().unwrap_or(Fate::Done) {
            Fate::Done => self.model.apply(&step.operation),
            Fate::Refused => Err("no".to_owned()),
            Fate::Pretended => Ok(()),
        };
        let total: u32 = self.model.vips.values().map(ModelVip::total).sum();
        assert!(self.may_be_empty || total > 0, "{} emptied the VIP", step.operation);
        result
    }

    fn weights(&self) -> Vec<u8> {
        self.model.vips.values().flat_map(|vip| vip.servers.values().copied()).collect()
    }

    fn error(&self) -> Option<&str> {
        self.engine.sync_status("site").and_then(|status| status.error.as_deref())
    }
}

#[test]
fn a_reduction_waits_for_the_spare() {
    let mut world = World::new();
    world.fail_over(&[]);
    assert_eq!(world.run(Duration::ZERO), Duration::ZERO);
    assert_eq!(
        (world.weights(), world.rounds),
        (vec![0, 0, 1, 1], 3),
        "s1 has s2 beside it, which has nobody"
    );
    let steps: usize = world.reports.iter().map(|report| report.steps.len()).sum();
    assert_eq!(steps, 4);
    assert!(world.reports.iter().flat_map(|report| &report.steps).all(|(_, result)| result.is_ok()));
    assert_eq!(world.error(), None);
}

/// Whatever becomes of the first steps: each may be done, refused, or acknowledged and not done. What was refused is done
/// within a second; what was acknowledged, and nothing hangs on it, is found by the next full comparison.
#[test]
fn no_subset_of_failed_steps_empties_a_vip_and_all_converge() {
    for number in 0..FATES.len().pow(6) {
        let fates: Vec<Fate> = (0..6).map(|place| FATES[number / FATES.len().pow(place) % 3]).collect();
        let mut world = World::new();
        world.fail_over(&fates);
        if fates.contains(&Fate::Pretended) {
            world.run(Duration::from_secs(121));
        } else {
            let took = world.run(Duration::from_secs(2));
            assert!(took < Duration::from_secs(1), "{fates:?} took {took:?}");
        }
        assert_eq!(world.weights(), [0, 0, 1, 1], "{fates:?}");
        assert_eq!(world.error(), None, "{fates:?}");
    }
}

/// The connection breaks after any number of steps, whatever became of them.
#[test]
fn no_prefix_of_failed_steps_empties_a_vip() {
    for number in 0..FATES.len().pow(4) {
        let fates: Vec<Fate> = (0..4).map(|place| FATES[number / FATES.len().pow(place) % 3]).collect();
        for prefix in 0..4 {
            let mut world = World::new();
            world.fail_over(&fates);
            let mut done = 0;
            'connected: while let Some(effect) = world.engine.poll_effect() {
                match effect {
                    Effect::Observe => {
                        let observed = world.model.observe();
                        world.engine.observed(world.now, Some(observed));
                    }
                    Effect::Apply(steps) => {
                        let mut results = Vec::new();
                        for step in &steps {
                            if done == prefix {
                                world.engine.dataplane_lost();
                                break 'connected;
                            }
                            done += 1;
                            results.push(world.carry_out(step));
                        }
                        world.engine.applied(world.now, results);
                    }
                    Effect::Synced(_) | Effect::Event(_) | Effect::StartProbe(_) | Effect::CancelProbe(_) => {
                    }
                }
            }
            world.engine.dataplane_lost();
            while world.engine.poll_effect().is_some() {}
            world.engine.dataplane_connected(world.now);
            world.run(Duration::from_secs(61));
            assert_eq!(world.weights(), [0, 0, 1, 1], "{fates:?} up to {prefix}");
        }
    }
}

#[test]
fn a_raise_that_is_pretended_is_found_before_the_reduction() {
    let mut world = World::new();
    // s1 is drained, which is done; then both raises are acknowledged and not done, twice.
    world.fail_over(&[Fate::Done, Fate::Pretended, Fate::Pretended, Fate::Pretended, Fate::Pretended]);
    let took = world.run(Duration::from_secs(2));
    assert_eq!(world.weights(), [0, 0, 1, 1]);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_raise_that_was_pretended_earlier_carries_no_reduction() {
    let mut world = World::new();
    // s2 leaves and comes back; its return is acknowledged and not done, while s1 serves.
    let ask = |world: &mut World, name, request| {
        let who = by("ann", world.now);
        world.engine.request(world.now, name, request, who, MayEmpty::Nothing).unwrap();
    };
    ask(&mut world, "s2", Request::Pause);
    world.run(Duration::ZERO);
    ask(&mut world, "s2", Request::Resume);
    world.fates = vec![Fate::Pretended].into_iter();
    world.run(Duration::ZERO);
    assert_eq!(world.weights(), [1, 0, 0, 0]);
    // Now s1 is drained onto s2, which is not there.
    ask(&mut world, "s1", Request::Pause);
    world.run(Duration::ZERO);
    assert_eq!(world.weights(), [0, 1, 0, 0]);
}

#[test]
fn what_is_never_done_is_tried_less_and_less_often_and_named() {
    for (fate, error) in [
        (Fate::Refused, "no"),
        (Fate::Pretended, "weight 1 of server 192.0.2.3 was acknowledged and is not set"),
    ] {
        let mut world = World::new();
        world.fail_over(&[]);
        // The spare never gets its weight.
        world.fates = vec![fate; 10_000].into_iter();
        world.run(Duration::from_secs(300));
        assert!(world.weights()[..2].contains(&1), "{fate:?}");
        assert!(world.rounds < 25, "{fate:?}: {} rounds in five minutes", world.rounds);
        assert!(
            world.error().is_some_and(|said| said.starts_with(error.split(" of ").next().unwrap())),
            "{fate:?}"
        );
        let withheld = |report: &SyncReport| {
            report.steps.iter().any(|(_, result)| result.as_ref().is_err_and(|error| error == WITHHELD))
        };
        assert!(world.reports.iter().any(withheld), "{fate:?}");
        world.fates = Vec::new().into_iter();
        world.run(Duration::from_secs(60));
        assert_eq!((world.weights(), world.error()), (vec![0, 0, 1, 1], None), "{fate:?}");
    }
}
