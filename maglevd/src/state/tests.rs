//! What is kept is there again; what cannot be read is neither guessed at nor destroyed.

use std::os::unix::fs::PermissionsExt;

use maglev_core::intent::{Admin, Attribution, Intent, WeightOverride};
use maglev_core::time::Time;
use maglev_core::weight::Weight;
use tempfile::TempDir;

use super::*;

fn attribution(reason: &str) -> Attribution {
    Attribution {
        by: "alice (uid 0 on a Unix socket)".into(),
        at: Time::from_nanos(7),
        reason: reason.into(),
        until: None,
    }
}

fn intents() -> Intents {
    let mut intents = Intents::default();
    let disabled = Intent { admin: Some(Admin::Disabled(attribution("disk swap"))), paused: None };
    intents.backends.insert("nginx0".parse().unwrap(), disabled);
    intents.backends.insert(
        "nginx1".parse().unwrap(),
        Intent {
            admin: Some(Admin::Enabled(attribution(""))),
            paused: Some(attribution("deploy \"7\"\u{e9}")),
        },
    );
    let own = WeightOverride { weight: Weight::try_from(7_u8).unwrap(), attribution: attribution("canary") };
    intents
        .weights
        .entry("site".parse().unwrap())
        .or_default()
        .entry("primary".parse().unwrap())
        .or_default()
        .insert("nginx0".parse().unwrap(), own);
    intents
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Opens a directory whose file holds `text`, and expects it to be set aside.
fn expect_set_aside(text: &[u8]) {
    let dir = directory();
    fs::write(dir.path().join(FILE), text).unwrap();
    let (mut state, found) = StateDir::open(dir.path()).unwrap();
    assert_eq!(found, Intents::default());
    assert_eq!(
        fs::read(dir.path().join("intent.json.damaged")).unwrap(),
        text,
        "kept for a person to look at"
    );
    // And life goes on.
    state.keep(&intents()).unwrap();
    assert_eq!(StateDir::open(dir.path()).unwrap().1, intents());
}

#[test]
fn what_is_kept_is_there_after_a_restart() {
    let dir = directory();
    let path = dir.path().join("not/there/yet");
    let (mut state, found) = StateDir::open(&path).unwrap();
    assert_eq!(found, Intents::default());
    state.keep(&intents()).unwrap();
    drop(state);
    let (mut state, found) = StateDir::open(&path).unwrap();
    assert_eq!(found, intents());
    state.keep(&Intents::default()).unwrap();
    assert_eq!(StateDir::open(&path).unwrap().1, Intents::default());
}

#[test]
fn only_the_owner_can_read_it() {
    let dir = directory();
    let (mut state, _) = StateDir::open(dir.path()).unwrap();
    state.keep(&intents()).unwrap();
    let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn nothing_is_left_beside_the_file() {
    let dir = directory();
    let (mut state, _) = StateDir::open(dir.path()).unwrap();
    state.keep(&intents()).unwrap();
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [FILE]);
}

#[test]
fn what_is_already_kept_is_not_written_again() {
    let dir = directory();
    let (mut state, _) = StateDir::open(dir.path()).unwrap();
    state.keep(&intents()).unwrap();
    fs::remove_file(dir.path().join(FILE)).unwrap();
    state.keep(&intents()).unwrap();
    assert!(!dir.path().join(FILE).exists(), "written though nothing changed");
}

#[test]
fn a_truncated_file_is_set_aside() {
    let dir = directory();
    let (mut state, _) = StateDir::open(dir.path()).unwrap();
    state.keep(&intents()).unwrap();
    let whole = fs::read(dir.path().join(FILE)).unwrap();
    // The last byte is the closing brace: every shorter prefix is damaged.
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        expect_set_aside(&whole[..length]);
    }
}

#[test]
fn a_file_that_is_something_else_is_set_aside() {
    expect_set_aside(b"\0\0\0\0\0\0\0\0");
    expect_set_aside(b"[]");
    expect_set_aside(br#"{"version": 1, "intents": {"backends": {"two words": {}}, "weights": {}}}"#);
}

#[test]
fn a_file_of_another_version_is_set_aside() {
    expect_set_aside(br#"{"version": 2, "intents": {"backends": {}, "weights": {}}}"#);
    let reason = parse(br#"{"version": 2, "intents": {"backends": {}, "weights": {}}}"#).unwrap_err();
    assert_eq!(reason, "it has version 2, and this maglevd knows version 1");
}

#[test]
fn a_file_where_the_directory_should_be_is_an_error_that_names_it() {
    let dir = directory();
    let path = dir.path().join("file");
    fs::write(&path, "").unwrap();
    let error = StateDir::open(&path).unwrap_err();
    assert!(matches!(error, StateError::Directory { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot make the state directory {}", path.display()));
}

#[test]
fn what_cannot_be_read_is_not_overwritten() {
    let dir = directory();
    // Root can read every file, but nobody can read a directory as one.
    fs::create_dir(dir.path().join(FILE)).unwrap();
    assert!(matches!(StateDir::open(dir.path()).unwrap_err(), StateError::Read { .. }));
}

#[test]
fn a_directory_that_cannot_be_written_still_counts() {
    let dir = directory();
    let (mut state, _) = StateDir::open(dir.path()).unwrap();
    state.keep(&intents()).unwrap();
    // Where the new file would be written there is a directory: like a full disk, this stops root too.
    let obstacle = dir.path().join("intent.json.new");
    fs::create_dir(&obstacle).unwrap();

    let (mut state, found) = StateDir::open(dir.path()).unwrap();
    assert_eq!(found, intents(), "a full disk must not put a disabled server back into service");
    assert!(matches!(state.check().unwrap_err(), StateError::Write { .. }));
    assert!(state.keep(&Intents::default()).is_err());

    // Once there is room again, the next change writes everything.
    fs::remove_dir(&obstacle).unwrap();
    state.check().unwrap();
    state.keep(&Intents::default()).unwrap();
    assert_eq!(StateDir::open(dir.path()).unwrap().1, Intents::default());
}
