//! Pure. What is not as it should be.

use maglev_api::v1;

pub(crate) use crate::view::words::{ProblemKind, ProblemSeverity};
use crate::view::{Time, filled, time, view};

view! {
    /// Something that is not as it should be.
    pub(crate) struct Problem {
        /// How severe it is.
        pub(crate) severity: ProblemSeverity,
        /// The part of the system it is about.
        pub(crate) kind: ProblemKind,
        /// Which problem it is, such as `frontend-down`; null from a server that does not say.
        pub(crate) code: Option<String>,
        /// The frontend, the backend, or the file with line and column; null for VPP and the daemon.
        pub(crate) name: Option<String>,
        /// The problem in a few words.
        pub(crate) what: String,
        /// The time it began; null where the daemon does not know.
        pub(crate) since: Option<Time>,
        /// The time it ends by itself; null where it does not.
        pub(crate) until: Option<Time>,
        /// The cause, in a sentence.
        pub(crate) because: String,
        /// What to do, in a sentence; null where the server does not say.
        pub(crate) remedy: Option<String>,
        /// The Prometheus alert of the problem, with a section in docs/troubleshooting.md; null where it has none.
        pub(crate) alert: Option<String>,
    }
}

impl ProblemSeverity {
    /// The exit code of `show problems exit-status`, as monitoring plugins have it: 1 warning, 2 critical, 3 unknown.
    pub(crate) fn exit_status(self) -> u8 {
        match self {
            Self::Notice | Self::Warning => 1,
            Self::Bad => 2,
            Self::Unspecified => 3,
        }
    }
}

/// The severity that decides the exit code; `None` where there is no problem.
pub(crate) fn worst(found: &[Problem]) -> Option<ProblemSeverity> {
    let rank = |severity: &ProblemSeverity| match severity {
        ProblemSeverity::Notice => 0,
        ProblemSeverity::Warning => 1,
        // A severity that this client does not know may be anything but bad: that has a word.
        ProblemSeverity::Unspecified => 2,
        ProblemSeverity::Bad => 3,
    };
    found.iter().map(|problem| problem.severity).max_by_key(rank)
}

impl From<v1::Problem> for Problem {
    fn from(problem: v1::Problem) -> Self {
        Self {
            severity: problem.severity().into(),
            kind: problem.kind().into(),
            code: filled(problem.code),
            name: filled(problem.name),
            what: problem.what,
            since: time(problem.since),
            until: time(problem.until),
            because: problem.because,
            remedy: filled(problem.remedy),
            alert: filled(problem.alert),
        }
    }
}
