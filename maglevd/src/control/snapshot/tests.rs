//! What a reader sees: no less than what was answered before, no event twice, and one snapshot for many.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use maglev_core::engine::Event;
use maglev_core::weight::Weight;

use super::*;
use crate::control::{Change, Force, Who};
use crate::fixture::{Running, STATIC, run, soon};

async fn set_weight(running: &Running, weight: u8) {
    let change = Change::Weight {
        frontend: "site".to_owned(),
        pool: "primary".to_owned(),
        backend: "static0".to_owned(),
        weight: Weight::try_from(weight).unwrap(),
        flush: false,
    };
    let who = Who { force: Some(Force::default()), ..Who::default() };
    soon(running.control.change(change, who)).await.unwrap();
}

fn weight(snapshot: &Snapshot) -> u8 {
    let frontend = snapshot.engine.frontend("site").unwrap();
    let overrides = frontend.overrides().values().flat_map(|pool| pool.values()).next();
    overrides.map_or(100, |own| own.weight.get())
}

#[tokio::test]
async fn change_is_seen_by_every_snapshot_after_its_answer() {
    let running = run(STATIC);
    for wanted in 1..=50 {
        set_weight(&running, wanted).await;
        let snapshot = soon(running.control.snapshot()).await.unwrap();
        assert_eq!(weight(&snapshot), wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_and_its_events_miss_nothing_and_repeat_nothing() {
    let running = run(STATIC);
    let watched = async {
        for _ in 0..20 {
            let (snapshot, mut events) = soon(running.control.watch()).await.unwrap();
            let mut seen = weight(&snapshot);
            while seen < 99 {
                if let Event::WeightSet { from, to, .. } = &*soon(events.recv()).await.unwrap() {
                    assert_eq!(from.get(), seen, "the next change begins where the last ended");
                    seen = to.get();
                }
            }
        }
    };
    let changes = async {
        for wanted in 1..=99 {
            set_weight(&running, wanted).await;
        }
    };
    set_weight(&running, 0).await;
    tokio::join!(watched, changes);
}

#[tokio::test]
async fn readers_that_wait_together_share_a_snapshot() {
    let running = run(STATIC);
    let readers = (0..2000).map(|_| running.control.snapshot());
    let snapshots = soon(join_all(readers)).await;
    let distinct: BTreeSet<_> = snapshots.iter().map(|s| Arc::as_ptr(s.as_ref().unwrap())).collect();
    assert!(distinct.len() <= 10, "{} snapshots for 2000 readers", distinct.len());
}

#[tokio::test]
async fn readers_are_told_when_the_engine_has_stopped() {
    let running = run(STATIC);
    running.stop.cancel();
    soon(async { while running.control.snapshot().await.is_ok() {} }).await;
    assert!(running.control.watch().await.is_err());
}
