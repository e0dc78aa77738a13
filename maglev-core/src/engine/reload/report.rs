//! Pure. What a reload does that is not in the difference of two files, and what it must not do unasked.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::kept::KEPT_FOR;
use crate::engine::guard::frontends_named;
use crate::intent::{Attribution, Intent, Request};
use crate::names::{BackendName, FrontendName, PoolName};
use crate::weight::Weight;

/// With at least this many frontends, a reload that removes more than half of them is taken for a mistake: a file that was
/// cut off, or is another machine's. With fewer, half of them is one, which is an everyday change.
const FRONTENDS_FOR_SHARE: usize = 4;

/// The most reasons that the text of a refusal lists.
const LISTED: usize = 20;

/// What a reload does beside what the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadReport {
    /// What is worth knowing.
    pub notes: Vec<ReloadNote>,
    /// What needs to be forced.
    pub dangers: Vec<ReloadDanger>,
}

/// Something that a reload does beside what the files say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReloadNote {
    /// A backend has another name; its health, history and intent are kept.
    BackendRenamed {
        /// The name before.
        from: BackendName,
        /// The name now.
        to: BackendName,
    },
    /// A frontend has another name; its weights set by operators are kept.
    FrontendRenamed {
        /// The name before.
        from: FrontendName,
        /// The name now.
        to: FrontendName,
    },
    /// A backend with operator intent leaves. The intent is kept for the case that it returns.
    IntentKept {
        /// The backend.
        backend: BackendName,
        /// The intent.
        intent: Intent,
    },
    /// A backend is back, and its intent applies again.
    IntentRestored {
        /// The backend.
        backend: BackendName,
        /// The intent.
        intent: Intent,
    },
    /// A member with an operator's weight leaves. The weight is kept for the case that it returns.
    WeightKept {
        /// The frontend.
        frontend: FrontendName,
        /// Its pool.
        pool: PoolName,
        /// The backend.
        backend: BackendName,
        /// The weight.
        weight: Weight,
        /// Who set it, when and why.
        attribution: Attribution,
    },
    /// A member is back, and the operator's weight applies again.
    WeightRestored {
        /// The frontend.
        frontend: FrontendName,
        /// Its pool.
        pool: PoolName,
        /// The backend.
        backend: BackendName,
        /// The weight.
        weight: Weight,
        /// Who set it, when and why.
        attribution: Attribution,
    },
    /// All servers of a frontend are replaced by servers without a verdict. The old ones keep their weight for so long.
    ServersHeld {
        /// The frontend.
        frontend: FrontendName,
        /// The old servers.
        servers: Vec<IpAddr>,
        /// For how long at most.
        at_most: Duration,
    },
}

/// Something that a reload does only where it is forced to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReloadDanger {
    /// Operator intent would not apply any more, although its server stays: it cannot be told which backend it is now.
    LosesIntent {
        /// The backend.
        backend: BackendName,
        /// Its address.
        address: Option<IpAddr>,
        /// The intent.
        intent: Intent,
        /// The backends that have its address or its name now.
        now: Vec<BackendName>,
    },
    /// An operator's weight would not apply any more, although the backend stays in the frontend.
    LosesWeight {
        /// The frontend.
        frontend: FrontendName,
        /// Its pool.
        pool: PoolName,
        /// The backend.
        backend: BackendName,
        /// The operator's weight.
        weight: Weight,
        /// Who set it, when and why.
        attribution: Attribution,
    },
    /// All frontends are removed, or more than half of four or more.
    RemovesFrontends {
        /// How many.
        removed: usize,
        /// Of how many.
        of: usize,
    },
    /// Frontends stay and have an effective server, and would have none.
    EmptiesFrontends(Vec<FrontendName>),
}

/// A reload was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.0))]
pub struct ReloadRefused(pub Vec<ReloadDanger>);

impl ReloadReport {
    /// Takes note of removed frontends.
    pub(super) fn removed_frontends(&mut self, removed: usize, of: usize) {
        let many = of >= FRONTENDS_FOR_SHARE && removed * 2 > of;
        if removed > 0 && (removed == of || many) {
            self.dangers.insert(0, ReloadDanger::RemovesFrontends { removed, of });
        }
    }

    /// Why it is refused unless it is forced.
    pub fn refusal(&self) -> Option<ReloadRefused> {
        (!self.dangers.is_empty()).then(|| ReloadRefused(self.dangers.clone()))
    }
}

fn list(dangers: &[ReloadDanger]) -> String {
    let mut lines: Vec<String> = dangers.iter().take(LISTED).map(ToString::to_string).collect();
    if let Some(more) = dangers.len().checked_sub(LISTED).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    format!("this reload needs to be forced: {}", lines.join("; "))
}

/// `disabled by ann: new kernel`
struct Words<'a>(&'a Intent);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.in_force() {
            Some((Request::Disable, who)) => write!(f, "disabled {who}"),
            Some((Request::Pause, who)) => write!(f, "paused {who}"),
            Some((Request::Enable | Request::Resume, who)) => write!(f, "enabled {who}"),
            None => f.write_str("as configured"),
        }
    }
}

const fn days(span: Duration) -> u64 {
    span.as_secs() / (24 * 3600)
}

impl fmt::Display for ReloadNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReloadNote::BackendRenamed { from, to } => {
                write!(
                    f,
                    "backend {from} is renamed to {to} and keeps its health, history and operator intent"
                )
            }
            ReloadNote::FrontendRenamed { from, to } => {
                write!(f, "frontend {from} is renamed to {to} and keeps the weights set by operators")
            }
            ReloadNote::IntentKept { backend, intent } => write!(
                f,
                "backend {backend} is removed; it is {}, which applies again if it returns within {} days",
                Words(intent),
                days(KEPT_FOR)
            ),
            ReloadNote::IntentRestored { backend, intent } => {
                write!(f, "backend {backend} returns and is {}", Words(intent))
            }
            ReloadNote::WeightKept { frontend, pool, backend, weight, attribution } => write!(
                f,
                "weight {weight} of backend {backend} in pool {pool} of frontend {frontend}, set {attribution}, applies again \
                 if the member returns within {} days",
                days(KEPT_FOR)
            ),
            ReloadNote::WeightRestored { frontend, pool, backend, weight, attribution } => write!(
                f,
                "backend {backend} returns to pool {pool} of frontend {frontend} with weight {weight}, set {attribution}"
            ),
            ReloadNote::ServersHeld { frontend, servers, at_most } => {
                let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "frontend {frontend} keeps {} until a new server has a verdict, for at most {at_most:?}",
                    servers.join(", ")
                )
            }
        }
    }
}

impl fmt::Display for ReloadDanger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReloadDanger::LosesIntent { backend, address, intent, now } => {
                write!(f, "backend {backend}")?;
                if let Some(address) = address {
                    write!(f, " at {address}")?;
                }
                let now: Vec<String> = now.iter().map(ToString::to_string).collect();
                write!(f, " is {}, and that would not apply to {}", Words(intent), now.join(", "))
            }
            ReloadDanger::LosesWeight { frontend, pool, backend, weight, attribution } => write!(
                f,
                "weight {weight} of backend {backend} in pool {pool} of frontend {frontend}, set {attribution}, would not \
                 apply any more"
            ),
            ReloadDanger::RemovesFrontends { removed: 1, of: 1 } => {
                f.write_str("the only frontend would be removed")
            }
            ReloadDanger::RemovesFrontends { removed, of } if removed == of => {
                write!(f, "all {of} frontends would be removed")
            }
            ReloadDanger::RemovesFrontends { removed, of } => {
                write!(f, "{removed} of {of} frontends would be removed")
            }
            ReloadDanger::EmptiesFrontends(frontends) => {
                write!(f, "{} would have no server left", frontends_named(frontends))
            }
        }
    }
}
