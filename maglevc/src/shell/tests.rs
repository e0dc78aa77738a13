use std::path::Path;

use crate::shell::history;

#[test]
fn the_history_is_kept_where_state_belongs() {
    let kept = |set: &[(&str, &str)]| {
        history(|name| set.iter().find(|(there, _)| *there == name).map(|(_, value)| (*value).to_owned()))
    };
    let home = ("HOME", "/home/alice");
    let of_home = Path::new("/home/alice/.local/state/maglevc/history");
    assert_eq!(kept(&[home]).as_deref(), Some(of_home));
    assert_eq!(kept(&[home, ("XDG_STATE_HOME", "")]).as_deref(), Some(of_home));
    assert_eq!(kept(&[home, ("XDG_STATE_HOME", "not/absolute")]).as_deref(), Some(of_home));
    let state = Path::new("/var/state/maglevc/history");
    assert_eq!(kept(&[home, ("XDG_STATE_HOME", "/var/state")]).as_deref(), Some(state));
    assert_eq!(kept(&[]), None);
}
