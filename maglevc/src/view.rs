//! Pure. What commands answer, between the contract and the output.
//!
//! Text and JSON are made from the same types, so they cannot disagree. The fields, their names and their comments are the
//! documented JSON of `docs/maglevc.md`: fields may be added, and are never renamed. A field that has nothing to say is
//! `null`. Times are RFC 3339 in UTC, durations are in seconds, states are lower-case words.

use jiff::Timestamp;

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod backend;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod daemon;
pub(crate) mod event;
pub(crate) mod explanation;
pub(crate) mod frontend;
pub(crate) mod look;
pub(crate) mod plan;
pub(crate) mod problem;
pub(crate) mod server;
pub(crate) mod token;
pub(crate) mod vpp;
pub(crate) mod words;

/// A type that is part of the documented JSON.
macro_rules! view {
    ($($(#[$meta:meta])* pub(crate) struct $name:ident { $($body:tt)* })+) => {
        $(
            #[derive(Clone, Debug, serde::Serialize)]
            #[cfg_attr(test, derive(schemars::JsonSchema))]
            $(#[$meta])*
            pub(crate) struct $name { $($body)* }
        )+
    };
}
pub(crate) use view;

/// A time, as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, serde::Serialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(crate) struct Time(#[cfg_attr(test, schemars(with = "String"))] pub(crate) Timestamp);

/// A time of the contract. One that no calendar has is none.
pub(crate) fn time(at: Option<prost_types::Timestamp>) -> Option<Time> {
    let at = at?;
    Timestamp::new(at.seconds, at.nanos).ok().map(Time)
}

/// A duration of the contract in seconds.
pub(crate) fn seconds(duration: Option<prost_types::Duration>) -> Option<f64> {
    let duration = duration?;
    // Whole nanoseconds first: adding two floats would show as 0.30000000000000004.
    let nanos = i128::from(duration.seconds) * 1_000_000_000 + i128::from(duration.nanos);
    #[expect(clippy::cast_precision_loss, reason = "a hundred days are exact to the nanosecond")]
    Some(nanos as f64 / 1e9)
}

/// A text of the contract, where empty means none.
pub(crate) fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// A number of the contract, where zero means none.
pub(crate) fn counted(number: u32) -> Option<u32> {
    Some(number).filter(|number| *number != 0)
}
