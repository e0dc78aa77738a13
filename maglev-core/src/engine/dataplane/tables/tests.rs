use super::*;
use crate::engine::dataplane::tests::{World, later, plain};

fn kept(world: &World) -> Vec<(String, u32, u32)> {
    let length = |kept: KeptLength| (kept.frontend.to_string(), kept.present, kept.wanted);
    world.engine.kept_lengths().map(length).collect()
}

fn fingerprints(world: &World, name: &str) -> (Option<TableFingerprint>, TableFingerprint) {
    let frontend = world.engine.frontend(name).unwrap();
    (world.engine.table_fingerprint(frontend), world.engine.desired_fingerprint(frontend))
}

#[test]
fn fingerprints_are_unknown_without_a_dataplane() {
    let mut world = World::new(plain());
    assert_eq!((fingerprints(&world, "site").0, world.engine.all_tables_fingerprint()), (None, None));
    world.engine.dataplane_connected(later(0));
    world.settle(later(0));
    let (present, desired) = fingerprints(&world, "site");
    assert_eq!(present, Some(desired));
    assert_ne!(Some(fingerprints(&world, "mail").1), present);
    let all = world.engine.all_tables_fingerprint();
    assert_eq!(
        all,
        Some(TableFingerprint::of_all(["mail", "site"].map(|name| fingerprints(&world, name).1)))
    );
    world.engine.dataplane_lost();
    assert_eq!((fingerprints(&world, "site").0, world.engine.all_tables_fingerprint()), (None, None));
}

#[test]
fn a_kept_length_is_reported_and_ends_on_request() {
    let mut world = World::connected(plain());
    assert_eq!(kept(&world), []);
    let before = world.engine.all_tables_fingerprint();
    for state in world.model.vips.values_mut() {
        state.table_length = 8192;
    }
    world.engine.sync(later(1));
    world.settle(later(1));
    assert_eq!(kept(&world), [("mail".to_owned(), 8192, 1024), ("site".to_owned(), 8192, 2048)]);
    let (present, desired) = fingerprints(&world, "site");
    assert_ne!(present, Some(desired));
    assert_ne!(world.engine.all_tables_fingerprint(), before);

    assert!(!world.engine.recreate("none"));
    assert!(world.engine.recreate("site"));
    world.engine.sync(later(2));
    world.settle(later(2));
    assert_eq!(kept(&world), [("mail".to_owned(), 8192, 1024)]);
    let (present, desired) = fingerprints(&world, "site");
    assert_eq!(present, Some(desired));

    let state = world.model.vips.values_mut().next_back().unwrap();
    state.table_length = 512;
    world.engine.sync(later(3));
    world.settle(later(3));
    assert_eq!(kept(&world).len(), 2, "it was asked for once");
}

#[test]
fn a_request_to_recreate_ends_with_the_connection() {
    let mut world = World::connected(plain());
    assert!(world.engine.recreate("site"));
    world.engine.dataplane_lost();
    for state in world.model.vips.values_mut() {
        state.table_length = 8192;
    }
    world.engine.dataplane_connected(later(1));
    world.settle(later(1));
    assert_eq!(kept(&world).len(), 2);
}
