//! Pure. What operators want, in place of what the configuration says.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Time;
use crate::weight::Weight;

/// Who did something, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// Who: the operator and how they came in.
    pub by: String,
    /// When.
    pub at: Time,
    /// Why, in the operator's words; may be empty.
    pub reason: String,
}

/// `by NAME: REASON`, or `by NAME` where none was given.
impl fmt::Display for Attribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {}", self.by)?;
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        Ok(())
    }
}

/// What an operator can ask of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// No probes and no new flows; established flows stay.
    Pause,
    /// End of a pause.
    Resume,
    /// End of a disable, also of one in the configuration.
    Enable,
    /// No probes, no new flows, and established flows are evicted.
    Disable,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Request::Pause => "pause",
            Request::Resume => "resume",
            Request::Enable => "enable",
            Request::Disable => "disable",
        })
    }
}

/// What an operator wants of a backend. It outlives reloads and restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Enabled or disabled in place of what the configuration says.
    pub admin: Option<Admin>,
    /// Paused, and by whom.
    pub paused: Option<Attribution>,
}

/// Enabled or disabled in place of what the configuration says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admin {
    /// Enabled, though the configuration disables it.
    Enabled(Attribution),
    /// Disabled.
    Disabled(Attribution),
}

/// What an operator and the configuration together make of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is watched and takes traffic as its health allows.
    Active,
    /// Paused.
    Paused,
    /// Disabled.
    Disabled,
}

/// The request does not fit the backend's mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be {}d before it is enabled", .0)]
pub struct IsDisabled(pub Request);

impl Intent {
    /// Whether nothing is wanted, so that the configuration alone counts.
    pub const fn is_none(&self) -> bool {
        self.admin.is_none() && self.paused.is_none()
    }

    /// What this and the configuration's `enabled` make of the backend. Disabled beats paused.
    pub const fn mode(&self, enabled: bool) -> Mode {
        let enabled = match self.admin {
            None => enabled,
            Some(Admin::Enabled(_)) => true,
            Some(Admin::Disabled(_)) => false,
        };
        match (enabled, &self.paused) {
            (false, _) => Mode::Disabled,
            (true, Some(_)) => Mode::Paused,
            (true, None) => Mode::Active,
        }
    }

    /// Takes an operator's request. Returns whether it changed anything: asking for what is already so does not.
    ///
    /// ```text
    ///            pause                    disable
    /// Active ──────────► Paused ──────────────────────► Disabled
    ///   ▲  ▲     resume    │                               │  ▲
    ///   │  └───────────────┘            enable             │  │
    ///   └──────────────────────────────────────────────────┘  │
    ///   └────────────────────── disable ──────────────────────┘
    /// ```
    pub fn apply(
        &mut self,
        request: Request,
        enabled: bool,
        attribution: Attribution,
    ) -> Result<bool, IsDisabled> {
        match (self.mode(enabled), request) {
            (Mode::Active, Request::Pause) => self.paused = Some(attribution),
            (Mode::Paused, Request::Resume) => self.paused = None,
            (Mode::Active | Mode::Paused, Request::Disable) => {
                *self = Intent { admin: Some(Admin::Disabled(attribution)), paused: None };
            }
            (Mode::Disabled, Request::Enable) => {
                let admin = (!enabled).then_some(Admin::Enabled(attribution));
                *self = Intent { admin, paused: None };
            }
            (Mode::Disabled, Request::Pause | Request::Resume) => return Err(IsDisabled(request)),
            (Mode::Active, Request::Resume | Request::Enable)
            | (Mode::Paused, Request::Pause | Request::Enable)
            | (Mode::Disabled, Request::Disable) => return Ok(false),
        }
        Ok(true)
    }

    /// Drops what the configuration now says by itself: there is nothing left to enable.
    pub fn settle(&mut self, enabled: bool) {
        if enabled && matches!(self.admin, Some(Admin::Enabled(_))) {
            self.admin = None;
        }
    }
}

/// An operator's weight in place of the configured one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightOverride {
    /// The weight.
    pub weight: Weight,
    /// Who set it, when and why.
    pub attribution: Attribution,
}

#[cfg(test)]
mod tests;
