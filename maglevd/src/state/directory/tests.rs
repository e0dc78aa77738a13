//! A directory that is moved, removed, replaced, or holds what it should not.

use std::os::unix::fs::symlink;

use super::super::disk::replace;
use super::*;

#[test]
fn symbolic_link_in_place_of_the_temporary_file_is_not_followed() {
    let at = tempfile::tempdir().unwrap();
    let victim = at.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    let state = at.path().join("state");
    let directory = Directory::open(&state).unwrap();
    symlink(&victim, state.join("intent.json.new")).unwrap();

    replace(&directory, "intent.json", b"ours", true).unwrap();

    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(std::fs::read_to_string(state.join("intent.json")).unwrap(), "ours");
    assert!(!std::fs::symlink_metadata(state.join("intent.json")).unwrap().is_symlink());
}

#[test]
fn symbolic_links_and_fifos_are_not_read() {
    let at = tempfile::tempdir().unwrap();
    let directory = Directory::open(at.path()).unwrap();
    symlink("/dev/zero", at.path().join("link")).unwrap();
    nix::unistd::mkfifo(&at.path().join("fifo"), Mode::S_IRWXU).unwrap();
    directory.read("link").unwrap_err();
    assert_eq!(directory.read("fifo").unwrap_err().to_string(), "it is not a regular file");
    assert_eq!(directory.read("nothing").unwrap(), None);
}

#[test]
fn removed_directory_is_made_again_and_locked() {
    let at = tempfile::tempdir().unwrap();
    let state = at.path().join("state");
    let directory = Directory::open(&state).unwrap();
    directory.lock().unwrap();
    directory.verify().unwrap();
    assert_eq!(directory.generation(), 0);

    std::fs::remove_dir_all(&state).unwrap();
    directory.verify().unwrap();

    assert_eq!(directory.generation(), 1);
    Directory::open(&state).unwrap().lock().unwrap_err();
    replace(&directory, "intent.json", b"ours", true).unwrap();
    assert_eq!(std::fs::read_to_string(state.join("intent.json")).unwrap(), "ours");
}

#[test]
fn removed_lock_is_taken_again() {
    let at = tempfile::tempdir().unwrap();
    let directory = Directory::open(at.path()).unwrap();
    directory.lock().unwrap();
    std::fs::remove_file(at.path().join(LOCK)).unwrap();
    directory.verify().unwrap();
    Directory::open(at.path()).unwrap().lock().unwrap_err();
}

#[test]
fn directory_that_another_process_took_meanwhile_is_left_alone() {
    let at = tempfile::tempdir().unwrap();
    let (state, moved) = (at.path().join("state"), at.path().join("moved"));
    let directory = Directory::open(&state).unwrap();
    directory.lock().unwrap();
    std::fs::rename(&state, &moved).unwrap();
    let other = Directory::open(&state).unwrap();
    other.lock().unwrap();

    let error = directory.verify().unwrap_err();
    let pid = std::process::id();
    let expected = format!("another maglevd (pid {pid}) uses the state directory {}", state.display());
    assert!(error.to_string().starts_with(&expected), "{error}");
    // Writes that were under way go where they began.
    directory.write("file", b"old").unwrap();
    assert!(!state.join("file").exists() && moved.join("file").exists());

    drop(other);
    directory.verify().unwrap();
    assert_eq!(directory.generation(), 1);
}

#[test]
fn directory_that_everybody_can_write_to_is_noticed() {
    let at = tempfile::tempdir().unwrap();
    let directory = Directory::open(at.path()).unwrap();
    for (mode, expected) in [(0o700, false), (0o770, false), (0o777, true), (0o1777, false)] {
        std::fs::set_permissions(at.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(directory.is_writable_by_others(), expected, "{mode:o}");
    }
}
