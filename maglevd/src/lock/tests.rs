//! One has it, another does not, and the next does.

use argh::FromArgs;
use tempfile::TempDir;

use super::*;
use crate::settings::Arguments;

fn settings(state: &Path, vpp: &Path) -> Settings {
    let (state, api) = (state.display().to_string(), vpp.join("api.sock").display().to_string());
    let arguments = ["--state-dir", &state, "--vpp-api-addr", &api];
    let arguments = Arguments::from_args(&["maglevd"], &arguments).unwrap();
    Settings::resolve(arguments, |_| None, false).unwrap()
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The message of a refusal.
fn refusal(settings: &Settings) -> String {
    Locks::take(settings).unwrap_err().to_string()
}

#[test]
fn one_state_directory_is_for_one() {
    let (state, one, other) = (directory(), directory(), directory());
    let locks = Locks::take(&settings(state.path(), one.path())).unwrap();

    let refused = refusal(&settings(state.path(), other.path()));
    let (pid, path) = (std::process::id(), state.path().display());
    let begin = format!("another maglevd (pid {pid}) runs with the state directory {path}: ");
    assert!(refused.starts_with(&begin), "{refused}");

    drop(locks);
    Locks::take(&settings(state.path(), other.path())).unwrap();
}

#[test]
fn one_vpp_is_for_one_by_whatever_path() {
    let (one, other, vpp) = (directory(), directory(), directory());
    let link = other.path().join("vpp");
    std::os::unix::fs::symlink(vpp.path(), &link).unwrap();
    let locks = Locks::take(&settings(one.path(), vpp.path())).unwrap();

    for path in [vpp.path(), &link] {
        let refused = refusal(&settings(&other.path().join("state"), path));
        let pid = std::process::id();
        let begin = format!("another maglevd (pid {pid}) drives the VPP at {}/api.sock: ", path.display());
        assert!(refused.starts_with(&begin), "{refused}");
    }

    // Another VPP in the same directory is another VPP.
    let mut beside = settings(&other.path().join("state"), vpp.path());
    beside.vpp.as_mut().unwrap().api = vpp.path().join("api2.sock");
    Locks::take(&beside).unwrap();

    drop(locks);
    Locks::take(&settings(other.path(), vpp.path())).unwrap();
}

#[test]
fn what_is_left_of_one_that_is_gone_is_in_nobodys_way() {
    let (state, vpp) = (directory(), directory());
    std::fs::write(state.path().join(FILE), "1\n").unwrap();
    std::fs::write(vpp.path().join("api.sock.maglevd.lock"), "1\n").unwrap();
    let _locks = Locks::take(&settings(state.path(), vpp.path())).unwrap();
    let pid = std::fs::read_to_string(state.path().join(FILE)).unwrap();
    assert_eq!(pid, format!("{}\n", std::process::id()));
}

#[test]
fn a_directory_of_vpp_that_is_not_there_yet_is_locked_by_its_path() {
    let (one, other, vpp) = (directory(), directory(), directory());
    let missing = vpp.path().join("not/there");
    let _locks = Locks::take(&settings(one.path(), &missing)).unwrap();
    assert!(refusal(&settings(other.path(), &missing)).contains("drives the VPP"));
}

#[test]
fn a_directory_of_vpp_is_locked_as_soon_as_it_is_there() {
    let (one, other, vpp) = (directory(), directory(), directory());
    let missing = vpp.path().join("run");
    // By another path, which leads nowhere yet, as in another mount namespace.
    let elsewhere = other.path().join("run");
    std::os::unix::fs::symlink(&missing, &elsewhere).unwrap();
    let mut first = Locks::take(&settings(one.path(), &missing)).unwrap().vpp.unwrap();
    let mut second = Locks::take(&settings(other.path(), &elsewhere)).unwrap().vpp.unwrap();

    std::fs::create_dir(&missing).unwrap();
    first.renew().unwrap();
    let refused = second.renew().unwrap_err().to_string();
    assert!(refused.contains(&format!("(pid {}) drives the VPP at", std::process::id())), "{refused}");

    // VPP's directory is made anew, and whoever comes first has it again.
    std::fs::rename(&missing, vpp.path().join("old")).unwrap();
    std::fs::create_dir(&missing).unwrap();
    first.renew().unwrap();
    second.renew().unwrap_err();
    drop(first);
    second.renew().unwrap();
}

#[test]
fn a_directory_that_cannot_be_written_is_done_without() {
    let (state, vpp) = (directory(), directory());
    let file = state.path().join("file");
    std::fs::write(&file, "").unwrap();
    Locks::take(&settings(&file, vpp.path())).unwrap();
}
