//! What the status line says.

use maglev_core::engine::MayEmpty;
use maglev_core::intent::{Attribution, Request};
use maglev_core::time::Time;

use super::*;
use crate::fixture::{self, STATIC, WEB};

#[test]
fn the_line_counts_what_there_is_and_leaves_out_what_there_is_not() {
    let mut engine = fixture::engine(WEB);
    assert_eq!(counts(&engine), "1 of 3 backends up, 2 unknown; 0 of 1 frontends up, 1 unknown");
    let who = || Attribution { by: "test".into(), at: Time::ZERO, reason: String::new(), until: None };
    engine.request(Time::ZERO, "static0", Request::Disable, who(), MayEmpty::Anything).unwrap();
    engine.request(Time::ZERO, "nginx0", Request::Pause, who(), MayEmpty::Anything).unwrap();
    assert_eq!(
        counts(&engine),
        "0 of 3 backends up, 1 unknown, 1 paused, 1 disabled; 0 of 1 frontends up, 1 unknown"
    );
    assert_eq!(counts(&fixture::engine(STATIC)), "2 of 2 backends up; 2 of 2 frontends up");
    assert_eq!(counts(&fixture::engine("maglev: {}")), "0 of 0 backends up; 0 of 0 frontends up");
}
