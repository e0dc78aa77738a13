//! Pure. Where diagnostics are collected, and the places they point at.

use std::fmt;
use std::rc::Rc;

use super::diagnostic::{Class, Diagnostic, Position, Severity};
use super::suggest;

/// The way from the root of the file to a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(Option<Rc<Link>>);

#[derive(Debug)]
struct Link {
    parent: Path,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Key(Rc<str>),
    Index(usize),
}

impl Path {
    pub(super) fn key(&self, key: &str) -> Path {
        Path(Some(Rc::new(Link { parent: self.clone(), step: Step::Key(key.into()) })))
    }

    pub(super) fn index(&self, index: usize) -> Path {
        Path(Some(Rc::new(Link { parent: self.clone(), step: Step::Index(index) })))
    }

    /// The last key on the way.
    pub(super) fn last(&self) -> &str {
        match self.0.as_deref() {
            None => "maglev",
            Some(Link { step: Step::Key(key), .. }) => key,
            Some(Link { parent, step: Step::Index(_) }) => parent.last(),
        }
    }
}

/// `maglev.frontends.site.pools[0].name`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Link { parent, step }) = self.0.as_deref() else { return Ok(()) };
        write!(f, "{parent}")?;
        match step {
            Step::Key(key) => {
                let separator = if parent.0.is_none() { "" } else { "." };
                let plain =
                    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "-_.<:/".contains(c));
                if plain && key.len() <= suggest::SHOWN {
                    write!(f, "{separator}{key}")
                } else {
                    write!(f, "{separator}{}", suggest::quoted(key))
                }
            }
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A position in the file together with the key found there.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) position: Position,
    pub(super) path: Path,
}

/// A value and where it was written. A default has the place of the section it was left out of.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// How many names are looked for a neighbour of in one file. The search compares with every known name, so a large file
/// full of dangling references would take minutes; after this many nobody misses the suggestion.
const SUGGESTIONS: u32 = 50;

/// The diagnostics found so far. Whoever finds something wrong says so here and goes on.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) found: Vec<Diagnostic>,
    suggestions: u32,
}

impl Report {
    pub(super) fn new() -> Report {
        Report { found: Vec::new(), suggestions: SUGGESTIONS }
    }

    pub(super) fn shape(&mut self, place: &Place, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, Class::Shape, place, message.into(), hint.into());
    }

    pub(super) fn meaning(&mut self, place: &Place, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, Class::Meaning, place, message.into(), hint.into());
    }

    pub(super) fn warning(&mut self, place: &Place, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Warning, Class::Meaning, place, message.into(), hint.into());
    }

    pub(super) fn has_errors(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }

    /// The known word nearest to a mistyped one.
    pub(super) fn nearest<'k>(
        &mut self,
        word: &str,
        known: impl Iterator<Item = &'k str>,
    ) -> Option<&'k str> {
        self.suggestions = self.suggestions.checked_sub(1)?;
        suggest::nearest(word, known)
    }

    fn add(&mut self, severity: Severity, class: Class, place: &Place, message: String, hint: String) {
        let Place { position, path } = place;
        self.found.push(Diagnostic {
            position: *position,
            severity,
            class,
            path: path.to_string(),
            message,
            hint,
        });
    }
}
