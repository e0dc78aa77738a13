//! Pure. Watching the messages go by, for metrics.

/// How an answer turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// VPP did it.
    Ok,
    /// VPP would not.
    Refused,
    /// It could not be read.
    Malformed,
    /// It did not come: too late, or the connection ended.
    Missing,
}

impl Outcome {
    /// A word for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Refused => "refused",
            Outcome::Malformed => "malformed",
            Outcome::Missing => "missing",
        }
    }
}

/// Told of each message. Called from the tasks that make the requests: it must not block.
pub trait Monitor: Send + Sync {
    /// A request was handed to the connection.
    fn sent(&self, message: &'static str);

    /// An answer came, or was given up. A dump's details count as one.
    fn received(&self, message: &'static str, outcome: Outcome);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn sent(&self, _message: &'static str) {}

    fn received(&self, _message: &'static str, _outcome: Outcome) {}
}
