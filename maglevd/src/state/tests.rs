//! What is kept is there again; what cannot be read is neither guessed at nor destroyed.

mod crashes;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use maglev_core::engine::{Intents, Verdict, Verdicts};
use maglev_core::intent::{Admin, Attribution, Intent, WeightOverride};
use maglev_core::time::Time;
use maglev_core::weight::Weight;
use tempfile::TempDir;

use super::intent::{FILE, parse};
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
    let disk_swap = Attribution { until: Some(Time::from_nanos(9)), ..attribution("disk swap") };
    let disabled = Intent { admin: Some(Admin::Disabled(disk_swap)), paused: None };
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

fn temporary() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(path: &Path) -> Result<(IntentFile, Intents, Option<SetAside>), StateError> {
    IntentFile::open(Directory::open(path)?)
}

/// What is kept, which has to be whole.
fn kept(path: &Path) -> Intents {
    let (_, intents, aside) = open(path).unwrap();
    assert!(aside.is_none(), "{aside:?}");
    intents
}

/// Opens a directory whose file holds `text`, and expects it to be set aside. Returns why.
fn expect_set_aside(text: &[u8]) -> String {
    let dir = temporary();
    fs::write(dir.path().join(FILE), text).unwrap();
    let (file, found, aside) = open(dir.path()).unwrap();
    assert_eq!(found, Intents::default());
    let aside = aside.expect("it is damaged");
    assert_eq!(aside.kept_as, dir.path().join("intent.json.damaged-1"));
    assert_eq!(fs::read(&aside.kept_as).unwrap(), text, "kept for a person to look at");
    // And life goes on.
    file.keep(&intents()).unwrap();
    assert_eq!(kept(dir.path()), intents());
    crate::reload::Chain(&aside.damage).to_string()
}

/// The bytes of a file that is whole.
fn whole() -> Vec<u8> {
    let dir = temporary();
    open(dir.path()).unwrap().0.keep(&intents()).unwrap();
    fs::read(dir.path().join(FILE)).unwrap()
}

#[test]
fn what_is_kept_is_there_after_a_restart() {
    let dir = temporary();
    let path = dir.path().join("not/there/yet");
    assert_eq!(kept(&path), Intents::default());
    open(&path).unwrap().0.keep(&intents()).unwrap();
    assert_eq!(kept(&path), intents());
    open(&path).unwrap().0.keep(&Intents::default()).unwrap();
    assert_eq!(kept(&path), Intents::default());
}

#[test]
fn only_the_owner_can_read_it() {
    let dir = temporary();
    open(dir.path()).unwrap().0.keep(&intents()).unwrap();
    let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn nothing_is_left_beside_the_file() {
    let dir = temporary();
    fs::write(dir.path().join("intent.json.new"), "half a fi").unwrap();
    let (file, ..) = open(dir.path()).unwrap();
    file.keep(&intents()).unwrap();
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [FILE]);
}

#[test]
fn what_a_crash_left_beside_the_file_is_cleaned_up() {
    let dir = temporary();
    fs::write(dir.path().join("intent.json.new"), "half a fi").unwrap();
    assert_eq!(kept(dir.path()), Intents::default());
    assert!(!dir.path().join("intent.json.new").exists());
}

#[test]
fn a_file_of_the_first_version_is_read_and_written_anew() {
    let dir = temporary();
    let first = serde_json::json!({"version": 1, "intents": intents()});
    fs::write(dir.path().join(FILE), serde_json::to_vec_pretty(&first).unwrap()).unwrap();
    let (file, found, aside) = open(dir.path()).unwrap();
    assert_eq!((&found, aside.is_none()), (&intents(), true));
    file.keep(&found).unwrap();
    assert_eq!(fs::read(dir.path().join(FILE)).unwrap(), whole());
    assert_eq!(kept(dir.path()), intents());
}

/// A file that one version writes has to be read by the next.
#[test]
fn the_format_is_the_one_that_is_documented() {
    let dir = temporary();
    open(dir.path()).unwrap().0.keep(&Intents::default()).unwrap();
    let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
    let expected = "{\"maglevd\":\"intent\",\"version\":2,\"xxh64\":\"9b06ce33c00c581a\"}\n{\n  \"backends\": {},\n  \"weights\": {}\n}\n";
    assert_eq!(text, expected);
}

#[test]
fn a_truncated_file_is_set_aside() {
    let whole = whole();
    for length in [0, 1, 20, whole.len() / 2, whole.len() - 1] {
        expect_set_aside(&whole[..length]);
    }
}

#[test]
fn a_file_in_which_one_bit_is_another_is_set_aside() {
    let whole = whole();
    // Every byte, but not every bit of each.
    for (index, bit) in (0..whole.len()).zip((0..8).cycle()) {
        let mut damaged = whole.clone();
        damaged[index] ^= 1 << bit;
        // But for what does not matter to the meaning of the first line, such as the case of a digit.
        match parse(&damaged) {
            Ok(found) => assert_eq!(found, intents(), "bit {bit} of byte {index}"),
            Err(_) => assert!(index < whole.len()),
        }
    }
    let at = whole.windows(9).position(|window| window == b"disk swap").unwrap();
    let mut edited = whole;
    edited[at] = b'D';
    let reason = expect_set_aside(&edited);
    assert!(reason.contains("checksum"), "{reason}");
}

#[test]
fn a_file_that_is_something_else_is_set_aside() {
    expect_set_aside(b"\0\0\0\0\0\0\0\0");
    expect_set_aside(b"[]");
    expect_set_aside(b"{}");
    expect_set_aside(br#"{"version": 1, "intents": {"backends": {"two words": {}}, "weights": {}}}"#);
    let verdicts = envelope::encode("health", 2, &Intents::default()).unwrap();
    assert_eq!(expect_set_aside(&verdicts), "it is maglevd's file of \"health\"");
}

#[test]
fn a_file_of_another_version_is_set_aside() {
    let newer = envelope::encode("intent", 3, &intents()).unwrap();
    assert_eq!(expect_set_aside(&newer), "it has version 3, and this maglevd knows version 2");
    let reason = expect_set_aside(br#"{"version": 7, "anything": {}}"#);
    assert_eq!(reason, "it has version 7, and this maglevd knows version 2");
}

#[test]
fn damaged_files_are_kept_apart_and_not_for_ever() {
    let dir = temporary();
    for round in 1..=8 {
        fs::write(dir.path().join(FILE), format!("round {round}")).unwrap();
        let aside = open(dir.path()).unwrap().2.unwrap();
        assert_eq!(aside.kept_as, dir.path().join(format!("intent.json.damaged-{round}")));
    }
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        [4, 5, 6, 7, 8].map(|round| format!("intent.json.damaged-{round}").into()) as [std::ffi::OsString; 5]
    );
}

#[test]
fn a_file_where_the_directory_should_be_is_an_error_that_names_it() {
    let dir = temporary();
    let path = dir.path().join("file");
    fs::write(&path, "").unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, StateError::Directory { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot make the state directory {}", path.display()));
}

#[test]
fn what_cannot_be_read_is_not_overwritten() {
    let dir = temporary();
    // Root can read every file, but nobody can read a directory as one.
    fs::create_dir(dir.path().join(FILE)).unwrap();
    assert!(matches!(open(dir.path()).unwrap_err(), StateError::Read { .. }));
}

#[test]
fn a_directory_that_cannot_be_written_still_counts() {
    let dir = temporary();
    open(dir.path()).unwrap().0.keep(&intents()).unwrap();
    // Where the new file would be written there is a directory: like a full disk, this stops root too.
    let obstacle = dir.path().join("intent.json.new");
    fs::create_dir(&obstacle).unwrap();

    let (file, found, _) = open(dir.path()).unwrap();
    assert_eq!(found, intents(), "a full disk must not put a disabled server back into service");
    assert!(matches!(file.keep(&Intents::default()).unwrap_err(), StateError::Write { .. }));

    // Once there is room again, the next change writes everything.
    fs::remove_dir(&obstacle).unwrap();
    file.keep(&Intents::default()).unwrap();
    assert_eq!(kept(dir.path()), Intents::default());
}

#[test]
fn verdicts_are_kept_and_damaged_ones_are_set_aside() {
    let dir = temporary();
    let opened = || HealthFile::open(Directory::open(dir.path()).unwrap()).unwrap();
    let verdict = Verdict {
        question: "00000000000000ff".parse().unwrap(),
        counter: 4,
        at: Time::from_nanos(9),
        since: Time::from_nanos(7),
        credited: false,
    };
    let verdicts = Verdicts::from([("nginx0".parse().unwrap(), verdict)]);
    opened().0.keep(&verdicts).unwrap();
    assert_eq!(opened().1, verdicts);

    let path = dir.path().join("health.json");
    let mut bytes = fs::read(&path).unwrap();
    // As a power cut leaves it: nobody is to look for what is damaged.
    fs::write(&path, []).unwrap();
    let (_, found, aside) = opened();
    assert_eq!((found, aside.is_none()), (Verdicts::default(), true));

    bytes.pop();
    fs::write(&path, bytes).unwrap();
    let (_, found, aside) = opened();
    assert_eq!(found, Verdicts::default());
    assert_eq!(aside.unwrap().kept_as, dir.path().join("health.json.damaged-1"));
}
