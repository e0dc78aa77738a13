//! Modes that are refused, and those that are not.

use super::*;

#[test]
fn file_that_others_can_write_is_refused() {
    let (root, ours, another) = (0, 100, 200);
    for (mode, gid) in [(0o600, another), (0o640, another), (0o644, another), (0o444, another)] {
        assert_eq!(problem(mode, gid, ours), None, "{mode:o}");
    }
    // A user's own group, as Debian gives each user one.
    for gid in [root, ours] {
        assert_eq!(problem(0o664, gid, ours), None);
    }
    assert_eq!(problem(0o664, another, ours), Some("its group can write to it: chmod g-w it"));
    for gid in [root, ours, another] {
        assert_eq!(problem(0o666, gid, ours), Some("every user can write to it: chmod o-w it"));
    }
}

#[test]
fn link_is_judged_by_where_it_leads() {
    // As Kubernetes mounts secrets: a link, in a directory that everybody could write to but for its sticky bit.
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("file"), directory.path().join("link"));
    std::fs::write(&file, "").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for (mode, accepted) in [(0o644, true), (0o600, true), (0o646, false)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(check(&link).is_ok(), accepted, "{mode:o}");
    }
}
