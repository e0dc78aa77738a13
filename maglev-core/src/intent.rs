//! Pure. What operators want, in place of what the configuration says.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Time;
use crate::weight::Weight;

/// Who did something, when and why, and until when it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// Who: the operator and how they came in.
    pub by: String,
    /// When.
    pub at: Time,
    /// Why, in the operator's words; may be empty.
    pub reason: String,
    /// When it ends by itself; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

impl Attribution {
    /// The same on another time line.
    pub(crate) fn map_times(&mut self, map: impl Fn(Time) -> Time) {
        self.at = map(self.at);
        self.until = self.until.map(map);
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self, now: Time) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
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

impl Admin {
    /// Who asked for it, when and why.
    pub const fn attribution(&self) -> &Attribution {
        match self {
            Admin::Enabled(who) | Admin::Disabled(who) => who,
        }
    }

    const fn attribution_mut(&mut self) -> &mut Attribution {
        match self {
            Admin::Enabled(who) | Admin::Disabled(who) => who,
        }
    }
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

/// Why a request does not fit the backend. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is disabled, and the request needs it not to be.
    #[error("it cannot be {0}d before it is enabled")]
    Disabled(Request),
    /// The request is to end by itself, and then nothing would change: the configuration says the same.
    #[error(
        "the configuration {0}s it in any case, so there is nothing to go back to: ask for it without an end"
    )]
    NothingToGoBackTo(Request),
    /// The request is itself the end of something.
    #[error("a {0} has no end: ask for it without one")]
    Endless(Request),
}

/// An operator's request that ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What had been asked.
    pub request: Request,
    /// Who had asked, when and why.
    pub attribution: Attribution,
}

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

    /// Takes an operator's request. Returns whether it changed anything: asking for what is already so does not, but for
    /// a request that ends at another time than the one before it, which takes its place.
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
    ) -> Result<bool, Unfit> {
        let mode = self.mode(enabled);
        if attribution.until.is_some() {
            match request {
                Request::Resume => return Err(Unfit::Endless(request)),
                Request::Enable if enabled => return Err(Unfit::NothingToGoBackTo(request)),
                Request::Disable if !enabled => return Err(Unfit::NothingToGoBackTo(request)),
                Request::Pause | Request::Enable | Request::Disable => {}
            }
        }
        match (mode, request) {
            (Mode::Active, Request::Pause) => self.paused = Some(attribution),
            (Mode::Paused, Request::Resume) => self.paused = None,
            (Mode::Active | Mode::Paused, Request::Disable) => {
                *self = Intent { admin: Some(Admin::Disabled(attribution)), paused: None };
            }
            (Mode::Disabled, Request::Enable) => {
                let admin = (!enabled).then_some(Admin::Enabled(attribution));
                *self = Intent { admin, paused: None };
            }
            (Mode::Disabled, Request::Pause | Request::Resume) => return Err(Unfit::Disabled(request)),
            (Mode::Active, Request::Resume) => return Ok(false),
            (Mode::Paused, Request::Pause) => return Ok(extend(self.paused.as_mut(), attribution)),
            (Mode::Active | Mode::Paused, Request::Enable) | (Mode::Disabled, Request::Disable) => {
                let present = self.admin.as_mut().map(Admin::attribution_mut);
                return Ok(extend(present, attribution));
            }
        }
        Ok(true)
    }

    pub(crate) fn attributions_mut(&mut self) -> impl Iterator<Item = &mut Attribution> {
        self.admin.as_mut().map(Admin::attribution_mut).into_iter().chain(&mut self.paused)
    }

    /// What was asked that counts now, and who asked for it. A disable beats a pause.
    pub fn in_force(&self) -> Option<(Request, &Attribution)> {
        match (&self.admin, &self.paused) {
            (Some(Admin::Disabled(who)), _) => Some((Request::Disable, who)),
            (_, Some(who)) => Some((Request::Pause, who)),
            (Some(Admin::Enabled(who)), None) => Some((Request::Enable, who)),
            (None, None) => None,
        }
    }

    /// When the first of what is wanted ends by itself.
    pub fn until(&self) -> Option<Time> {
        let admin = self.admin.as_ref().and_then(|admin| admin.attribution().until);
        [admin, self.paused.as_ref().and_then(|who| who.until)].into_iter().flatten().min()
    }

    /// Drops what has ended by itself, and returns it. What ends leaves the backend as its opposite would: a pause as a
    /// resume, a disable as an enable, and an enable as a disable, with which a pause ends too.
    pub fn expire(&mut self, now: Time) -> Option<Ended> {
        match &self.admin {
            Some(Admin::Enabled(who)) if who.has_ended(now) => {
                let ended = Ended { request: Request::Enable, attribution: who.clone() };
                *self = Intent::default();
                return Some(ended);
            }
            Some(Admin::Disabled(who)) if who.has_ended(now) => {
                let ended = Ended { request: Request::Disable, attribution: who.clone() };
                self.admin = None;
                return Some(ended);
            }
            Some(Admin::Enabled(_) | Admin::Disabled(_)) | None => {}
        }
        let attribution = self.paused.take_if(|who| who.has_ended(now))?;
        Some(Ended { request: Request::Pause, attribution })
    }

    /// Drops what the configuration now says by itself: there is nothing left to enable.
    pub fn settle(&mut self, enabled: bool) {
        if enabled && matches!(self.admin, Some(Admin::Enabled(_))) {
            self.admin = None;
        }
    }
}

/// Puts another request of the same kind in the place of the present one, if it ends at another time.
fn extend(present: Option<&mut Attribution>, attribution: Attribution) -> bool {
    match present {
        Some(present) if present.until != attribution.until => {
            *present = attribution;
            true
        }
        Some(_) | None => false,
    }
}

/// An operator's weight in place of the configured one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightOverride {
    /// The weight.
    pub weight: Weight,
    /// Who set it, when and why, and until when it holds.
    pub attribution: Attribution,
}

#[cfg(test)]
mod tests;
