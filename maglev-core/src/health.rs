//! Pure. What the probes say about one backend, and when to send the next one.
//!
//! [`Counter`] is HAProxy's single counter with its thresholds, [`Watch`] adds time: it is the machine that the engine
//! runs one of for each watched backend.

mod counter;
mod watch;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::counter::Counter;
pub use self::watch::{Change, ProbeId, Watch};

/// What the probes say about a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthState {
    /// No verdict yet.
    #[default]
    Unknown,
    /// It answers.
    Up,
    /// It does not.
    Down,
}

impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            HealthState::Unknown => "unknown",
            HealthState::Up => "up",
            HealthState::Down => "down",
        })
    }
}
