//! Pure. Everything that is wrong with the daemon and with what it watches, as data.
//!
//! One list feeds `maglevc show problems`, the metric `maglev_problems` and the runbooks of the alerts. Each area has a
//! function that reads what the daemon knows already and appends what it finds: none of them waits for VPP, a disk or a
//! peer. To add a problem, add its [`ProblemCode`] and append it in the function of its area.

mod areas;
mod code;
mod file;
mod lister;
mod text;

use std::cmp::Ordering;
use std::time::SystemTime;

pub use self::code::ProblemCode;
pub use self::file::{FileCheck, FileState};
pub use self::lister::{Aside, Damage, Problems, Sources};
use self::text::printable;

/// The most problems in one answer, so that its size has a bound. The most severe are kept, and the last entry has the
/// number of the others.
pub const MAX_LISTED: usize = 2000;

/// How severe a problem is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something does not work: traffic is lost, or a failure would go unnoticed.
    Bad,
    /// Something works and is about to stop, or works without its safety.
    Warning,
    /// Something is not as configured because an operator asked for it, or because work is in progress.
    Notice,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Severity; 3] = [Severity::Bad, Severity::Warning, Severity::Notice];

    /// The label value of metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Bad => "bad",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
        }
    }
}

/// The part of the system that a problem is about, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The process: processor time, threads, its log.
    Daemon,
    /// The state directory.
    State,
    /// The daemon's certificate and TLS connections.
    Tls,
    /// The audit log.
    Audit,
    /// The configuration file and the files beside it.
    Config,
    /// The connection to VPP.
    Vpp,
    /// What VPP has, compared with what it should have.
    Sync,
    /// A frontend.
    Frontend,
    /// A backend.
    Backend,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which problem it is.
    pub code: ProblemCode,
    /// How severe it is.
    pub severity: Severity,
    /// The frontend, the backend, or the file with line and column; `None` for VPP and the daemon.
    pub name: Option<String>,
    /// The problem in a few words.
    pub what: String,
    /// The time it began, where the daemon knows it.
    pub since: Option<SystemTime>,
    /// The time it ends by itself, where it does.
    pub until: Option<SystemTime>,
    /// The cause, in a sentence.
    pub because: String,
    /// What to do, in a sentence.
    pub remedy: String,
}

impl Problem {
    /// A problem with the severity, the words and the remedy of its code.
    pub fn new(code: ProblemCode, because: impl Into<String>) -> Self {
        Problem {
            code,
            severity: code.severity(),
            name: None,
            what: code.what().to_owned(),
            since: None,
            until: None,
            because: because.into(),
            remedy: code.remedy().to_owned(),
        }
    }

    /// Sets the object or the file that it is about.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the time it began.
    #[must_use]
    pub fn since(mut self, since: impl Into<Option<SystemTime>>) -> Self {
        self.since = since.into();
        self
    }

    /// Sets the time it ends by itself.
    #[must_use]
    pub fn until(mut self, until: Option<SystemTime>) -> Self {
        self.until = until;
        self
    }

    /// Replaces the severity of its code.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Replaces the words of its code.
    #[must_use]
    pub fn described_as(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }

    /// Replaces the remedy of its code.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// The order of the list: severity, kind, name. Problems that are equal in all three keep the order they were found in.
    fn order(&self, other: &Self) -> Ordering {
        let key = |problem: &Self| (problem.severity, problem.code.kind());
        key(self).cmp(&key(other)).then_with(|| self.name.cmp(&other.name))
    }

    /// Escapes what a terminal would interpret: parts of the text come from servers, peers and files.
    fn escape(&mut self) {
        for text in
            [Some(&mut self.what), Some(&mut self.because), Some(&mut self.remedy), self.name.as_mut()]
                .into_iter()
                .flatten()
        {
            if let Some(clean) = printable(text) {
                *text = clean;
            }
        }
    }
}

/// The number of problems of each severity, in the order of [`Severity::ALL`].
pub fn count(found: &[Problem]) -> [(Severity, usize); 3] {
    Severity::ALL
        .map(|severity| (severity, found.iter().filter(|problem| problem.severity == severity).count()))
}

/// Sorts a list, limits its length and escapes its texts.
pub fn arrange(mut found: Vec<Problem>) -> Vec<Problem> {
    // Stable.
    found.sort_by(Problem::order);
    let more = found.len().saturating_sub(MAX_LISTED);
    if more > 0 {
        found.truncate(MAX_LISTED);
        let because = format!("{more} more problems are not listed; these are the most severe");
        found.push(Problem::new(ProblemCode::ListTruncated, because));
    }
    found.iter_mut().for_each(Problem::escape);
    found
}

#[cfg(test)]
mod tests;
