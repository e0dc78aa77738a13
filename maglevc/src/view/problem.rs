//! Pure. What is not as it should be.

use crate::view::{Time, view};

view! {
    /// Something that is not as it should be.
    pub(crate) struct Problem {
        /// How bad it is.
        pub(crate) severity: ProblemSeverity,
        /// What kind of thing it is about.
        pub(crate) kind: ProblemKind,
        /// Which of them: the name of a frontend or backend, a file with line and column; null for VPP and the daemon.
        pub(crate) name: Option<String>,
        /// What it is, in a word or two.
        pub(crate) what: String,
        /// Since when; null where nobody knows.
        pub(crate) since: Option<Time>,
        /// When it ends by itself; null where it does not.
        pub(crate) until: Option<Time>,
        /// Why, in a sentence.
        pub(crate) because: String,
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProblemSeverity {
    /// Something does not work.
    Bad,
    /// Something works, but not as the configuration says: an operator wants it so, or it is under way.
    Notice,
}

/// What kind of thing a problem is about, in the order in which problems are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProblemKind {
    /// The daemon.
    Daemon,
    /// The configuration file.
    Config,
    /// VPP.
    Vpp,
    /// What VPP has of a frontend.
    Sync,
    /// A frontend.
    Frontend,
    /// A backend.
    Backend,
}

impl ProblemKind {
    /// The word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Daemon => "daemon",
            Self::Config => "config",
            Self::Vpp => "vpp",
            Self::Sync => "sync",
            Self::Frontend => "frontend",
            Self::Backend => "backend",
        }
    }
}
