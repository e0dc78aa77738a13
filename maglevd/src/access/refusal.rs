//! Edge. What is refused, why, and how often.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tonic::{Code, Status};

use crate::peer::Origin;
use crate::throttle::Throttle;

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It comes in plain text where there is TLS.
    Plaintext,
    /// It has a token, and nobody has that.
    UnknownToken,
    /// Its token is not written as one.
    MalformedToken,
    /// It has a token where everybody on the way can read it.
    TokenInTheClear,
    /// It shows nothing, and that allows nothing.
    Anonymous,
    /// Its role does not allow it.
    Role,
    /// Its patterns do not allow it.
    Pattern,
}

impl Reason {
    /// Every one there is.
    pub const ALL: [Reason; 7] = [
        Reason::Plaintext,
        Reason::UnknownToken,
        Reason::MalformedToken,
        Reason::TokenInTheClear,
        Reason::Anonymous,
        Reason::Role,
        Reason::Pattern,
    ];

    /// What metrics call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Plaintext => "plaintext",
            Reason::UnknownToken => "unknown_token",
            Reason::MalformedToken => "malformed_token",
            Reason::TokenInTheClear => "token_in_the_clear",
            Reason::Anonymous => "anonymous",
            Reason::Role => "role",
            Reason::Pattern => "pattern",
        }
    }
}

/// A call that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The same for a person, with what to do.
    pub message: String,
}

impl Refusal {
    fn new(reason: Reason, message: impl Into<String>) -> Self {
        Refusal { reason, message: message.into() }
    }

    pub(super) fn plaintext() -> Self {
        let words = "this port speaks TLS, and nothing is answered to plain TCP from the network: use TLS, as with \
                     maglevc --tls-ca";
        Refusal::new(Reason::Plaintext, words)
    }

    pub(super) fn unknown_token(has_file: bool) -> Self {
        let words = if has_file {
            "this token is in no user of the access file of maglevd: it is mistyped, or was taken out"
        } else {
            "maglevd knows no tokens: it runs without --access-file"
        };
        Refusal::new(Reason::UnknownToken, words)
    }

    pub(super) fn malformed_token() -> Self {
        let words = "there has to be one header `authorization`, and it has to be `Bearer` and a token";
        Refusal::new(Reason::MalformedToken, words)
    }

    pub(super) fn token_in_the_clear() -> Self {
        let words = "a token is not taken over plain TCP, where everybody on the way can read it: use TLS, and make a \
                     new token, since this one was sent in the clear";
        Refusal::new(Reason::TokenInTheClear, words)
    }

    pub(super) fn anonymous(message: String) -> Self {
        Refusal::new(Reason::Anonymous, message)
    }

    pub(super) fn role(message: String) -> Self {
        Refusal::new(Reason::Role, message)
    }

    pub(super) fn pattern(message: String) -> Self {
        Refusal::new(Reason::Pattern, message)
    }

    /// What the caller is told.
    pub fn status(&self) -> Status {
        let code = match self.reason {
            Reason::Plaintext
            | Reason::UnknownToken
            | Reason::MalformedToken
            | Reason::TokenInTheClear
            | Reason::Anonymous => Code::Unauthenticated,
            Reason::Role | Reason::Pattern => Code::PermissionDenied,
        };
        Status::new(code, self.message.clone())
    }
}

/// What was refused.
#[derive(Debug)]
pub struct Denials {
    counts: [AtomicU64; Reason::ALL.len()],
    throttle: Throttle,
}

impl Default for Denials {
    fn default() -> Self {
        Denials { counts: Default::default(), throttle: Throttle::new(20, Duration::from_secs(5)) }
    }
}

impl Denials {
    /// How many there were for a reason.
    pub fn count(&self, reason: Reason) -> u64 {
        self.counts.get(reason as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Counts one, and logs it unless there are too many. The call and the origin are all that is told of what came: what
    /// was shown stays out of the log.
    pub fn add(&self, call: &str, origin: &Origin, reason: Reason) {
        if let Some(count) = self.counts.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(left_out) = self.throttle.pass(Instant::now()) {
            tracing::warn!(call, from = %origin, reason = reason.as_str(), left_out, "call refused");
        }
    }
}
