//! One has it, another does not, and the next does.

use std::path::Path;

use argh::FromArgs;
use tempfile::TempDir;

use super::*;
use crate::settings::Arguments;
use crate::state::LOCK;

fn settings(state: &Path) -> Settings {
    let state = state.display().to_string();
    let arguments = ["--state-dir", &state, "--vpp-api-addr", ""];
    let arguments = Arguments::from_args(&["maglevd"], &arguments).unwrap();
    Settings::resolve(arguments, |_| None, false).unwrap()
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn one_state_directory_is_for_one() {
    let state = directory();
    let locked = state_directory(&settings(state.path())).unwrap();

    let refused = state_directory(&settings(state.path())).unwrap_err().to_string();
    let (pid, path) = (std::process::id(), state.path().display());
    let begin = format!("another maglevd (pid {pid}) runs with the state directory {path}: ");
    assert!(refused.starts_with(&begin), "{refused}");

    drop(locked);
    state_directory(&settings(state.path())).unwrap();
}

#[test]
fn file_that_a_crash_left_behind_is_no_lock() {
    let state = directory();
    std::fs::write(state.path().join(LOCK), "1\n").unwrap();
    let _locked = state_directory(&settings(state.path())).unwrap();
    let pid = std::fs::read_to_string(state.path().join(LOCK)).unwrap();
    assert_eq!(pid, format!("{}\n", std::process::id()));
}

#[test]
fn directory_that_cannot_be_made_is_reported_later() {
    let state = directory();
    let file = state.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(state_directory(&settings(&file)).unwrap().unwrap().is_err());
}
