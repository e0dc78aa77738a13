//! Pure. Something that keeps failing: the last error, and the time of the first in a row.

use std::sync::Arc;
use std::time::SystemTime;

/// An operation whose last attempts all failed. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The time of the first failure since the last success.
    pub since: SystemTime,
    /// The last error with its causes, in a sentence.
    pub error: Arc<str>,
}

impl Failing {
    /// What is known after another failure at `now`.
    pub fn again(before: Option<Failing>, error: &str, now: SystemTime) -> Failing {
        Failing { since: before.map_or(now, |before| before.since), error: error.into() }
    }
}
