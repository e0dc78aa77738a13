//! What the canned server answers: a small site on an ordinary bad day.

use maglev_api::v1::*;
use prost_types::{Duration, Timestamp};

mod access;
mod backends;
mod config;
mod events;
mod frontends;
mod problems;

pub(crate) use access::{access, audit};
pub(crate) use backends::{HOSTILE, backends, calm_backends, crowd, hostile_backend};
pub(crate) use config::{active, check, health_checks, reload, version};
pub(crate) use events::{events, hostile_event};
pub(crate) use frontends::{calm_frontends, frontends};
pub(crate) use problems::{hostile_problem, problems, problems_of_operators, problems_of_vpp};

/// The time of all fixtures: 2026-03-14 15:09:26 UTC.
pub(crate) const NOW: i64 = 1_773_500_966;

/// Some time ago.
pub(crate) fn ago(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: NOW - seconds, nanos: 0 })
}

fn ms(milliseconds: f64) -> Option<Duration> {
    let nanos = (milliseconds * 1e6) as i64;
    Some(Duration { seconds: nanos / 1_000_000_000, nanos: (nanos % 1_000_000_000) as i32 })
}

fn attribution(by: &str, seconds: i64, reason: &str) -> Option<Attribution> {
    Some(Attribution { by: by.to_owned(), at: ago(seconds), reason: reason.to_owned(), expires_at: None })
}

/// The same for a while.
fn attribution_until(by: &str, seconds: i64, reason: &str, left: i64) -> Option<Attribution> {
    attribution(by, seconds, reason).map(|who| Attribution { expires_at: ago(-left), ..who })
}

fn transition(
    from: BackendState,
    to: BackendState,
    seconds: i64,
    cause: Cause,
    code: &str,
    detail: &str,
) -> Transition {
    Transition {
        from: from.into(),
        to: to.into(),
        at: ago(seconds),
        cause: cause.into(),
        code: code.into(),
        detail: detail.into(),
    }
}
