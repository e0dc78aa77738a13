//! Pure. What can be wrong with a command line, and what to write instead.

use std::fmt;
use std::ops::Range;

/// Why a command line could not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The line as it was typed.
    pub(crate) line: String,
    /// The part at fault, in bytes; empty at the end of the line when something is missing.
    pub(crate) span: Range<usize>,
    /// What is wrong.
    pub(crate) what: What,
    /// What could stand there, each with its help.
    pub(crate) expected: Vec<(String, String)>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Nothing that may stand there; the nearest thing that may, if one is near.
    Wrong { found: String, nearest: Option<String> },
    /// The beginning of several.
    Ambiguous { found: String, matches: Vec<String> },
    /// The line ends too early.
    Incomplete,
    /// The line goes on after its command is complete.
    Extra { found: String },
    /// Not a number in this range.
    NotInRange { found: String, min: u64, max: u64 },
    /// Not a span of time, or too long a one.
    NotADuration { found: String },
    /// A quote that is not closed.
    OpenQuote,
}

impl Problem {
    /// A problem with this part of the line.
    pub(crate) fn new(line: &str, span: Range<usize>, what: What) -> Self {
        Self { line: line.to_owned(), span, what, expected: Vec::new() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Wrong { found, nearest: Some(nearest) } => {
                write!(f, "{found:?} cannot stand here, did you mean {nearest:?}?")
            }
            What::Wrong { found, nearest: None } => write!(f, "{found:?} cannot stand here"),
            What::Ambiguous { found, matches } => {
                write!(f, "{found:?} is ambiguous: {}", list(matches))
            }
            What::Incomplete if self.line.is_empty() => f.write_str("a command is missing"),
            What::Incomplete => f.write_str("the command is not complete"),
            What::Extra { found } => write!(f, "the command is complete before {found:?}"),
            What::NotInRange { found, min, max: u64::MAX } => {
                write!(f, "{found:?} is not a number of at least {min}")
            }
            What::NotInRange { found, min, max } => {
                write!(f, "{found:?} is not a number from {min} to {max}")
            }
            What::NotADuration { found } => {
                write!(f, "{found:?} is not a time of at most 366 days, such as 30m, 2h or 1d12h")
            }
            What::OpenQuote => f.write_str("the quote is not closed"),
        }
    }
}

impl std::error::Error for Problem {}

/// Several things in a sentence: `a, b or c`. Long lists are cut.
pub(crate) fn list(items: &[String]) -> String {
    /// More than this many names are no help to anybody.
    const SHOWN: usize = 12;
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [many @ .., last] if items.len() <= SHOWN => format!("{} or {last}", many.join(", ")),
        _ => format!("{} and {} more", items[..SHOWN].join(", "), items.len() - SHOWN),
    }
}

/// The candidate nearest to what was written, if it is near enough to have been meant.
pub(crate) fn nearest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, nearest) = candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(found, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)?;
    // A third of the letters, and at least one: `bakcend` is near `backend`, `x` is near nothing of five letters.
    (distance <= (nearest.chars().count() / 3).max(1)).then_some(nearest)
}
