//! Pure. Where diagnostics are collected, and the places they point at.

use std::fmt;
use std::rc::Rc;

use super::diagnostic::{Class, Diagnostic, Errors, FileReference, Position, Severity};
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

/// How many errors and how many warnings of one file are kept. A file with more has one mistake in many places, such as
/// a key renamed by a script, and a log line with all of them would be as long as the file.
const LIMIT: usize = 100;

/// The diagnostics found so far. A function that finds an error reports it here and goes on.
#[derive(Debug)]
pub(super) struct Report {
    errors: Found,
    warnings: Found,
    /// The files that the configuration names.
    pub(super) files: Vec<FileReference>,
    suggestions: u32,
}

/// The diagnostics of one severity: the first of them, and how many more there were.
#[derive(Debug, Default)]
struct Found {
    kept: Vec<Diagnostic>,
    /// The first one that was not kept, with no text of its own.
    omitted: Option<Diagnostic>,
    omitted_count: usize,
}

impl Found {
    /// Keeps `diagnostic`, or counts it. A merge key brings one mistake to several places; it is kept for the first.
    fn add(&mut self, diagnostic: Diagnostic) {
        let same = |other: &Diagnostic| {
            (other.position, &other.message, &other.hint)
                == (diagnostic.position, &diagnostic.message, &diagnostic.hint)
        };
        if self.kept.iter().any(same) {
            return;
        }
        if self.kept.len() < LIMIT {
            self.kept.push(diagnostic);
            return;
        }
        self.omitted_count += 1;
        // The exit code depends on whether any error is one of shape.
        let class =
            self.omitted.as_ref().map_or(diagnostic.class, |omitted| omitted.class.min(diagnostic.class));
        let position = self.omitted.as_ref().map_or(diagnostic.position, |omitted| omitted.position);
        self.omitted = Some(Diagnostic {
            position,
            class,
            path: String::new(),
            message: String::new(),
            hint: String::new(),
            ..diagnostic
        });
    }

    /// All that was kept in the order of the file, and last, how many more there were.
    fn finish(mut self) -> Vec<Diagnostic> {
        self.kept.sort_by(|a, b| (a.position, &a.message, &a.hint).cmp(&(b.position, &b.message, &b.hint)));
        if let Some(mut omitted) = self.omitted {
            let kind = match omitted.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let (plural, are) = if self.omitted_count == 1 { ("", "is") } else { ("s", "are") };
            omitted.message = format!("{} more {kind}{plural} {are} not listed", self.omitted_count);
            omitted.hint = "correct those above and check again".to_owned();
            self.kept.push(omitted);
        }
        self.kept
    }
}

impl Report {
    pub(super) fn new() -> Report {
        Report {
            errors: Found::default(),
            warnings: Found::default(),
            files: Vec::new(),
            suggestions: SUGGESTIONS,
        }
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

    /// Takes note of a file that the configuration names. Whether it can be read is for others to find out.
    pub(super) fn file(&mut self, place: &Place, file: &std::path::Path) {
        let Place { position, path } = place;
        let (position, key) = (*position, path.last().to_owned());
        self.files.push(FileReference { position, path: path.to_string(), key, file: file.to_owned() });
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.errors.kept.is_empty()
    }

    /// The errors, of which there is at least one.
    pub(super) fn into_errors(self) -> Errors {
        Errors::new(self.errors.finish())
    }

    /// The warnings, in the order of the file.
    pub(super) fn into_warnings(self) -> Vec<Diagnostic> {
        self.warnings.finish()
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
        self.push(Diagnostic { position: *position, severity, class, path: path.to_string(), message, hint });
    }

    /// Adds a diagnostic that was made elsewhere.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        let found = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        found.add(diagnostic);
    }
}
