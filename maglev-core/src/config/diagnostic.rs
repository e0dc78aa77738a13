//! Pure. What is wrong with a configuration file, where, and what to write instead.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// A place in a file, as editors count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// The first character of a file.
    pub const START: Position = Position { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Whether the file can be used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is valid, but does something that is rarely meant.
    Warning,
}

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The file does not have the shape of a configuration: not YAML, an unknown or duplicate key, a value of the wrong
    /// type. The types are mapping, list, text, whole number, true or false, and duration.
    Shape,
    /// The shape is right, but what is written makes no sense: a value out of range, a reference to nothing, two things
    /// that contradict each other.
    Meaning,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// Where: at a value, or at a key when the key is wrong or something is missing below it.
    pub position: Position,
    /// Whether the file is refused for it.
    pub severity: Severity,
    /// What kind of thing is wrong.
    pub class: Class,
    /// The key, as `maglev.backends.nginx0.address`; empty when the file is not YAML.
    pub path: String,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to write instead, without a full stop.
    pub hint: String,
}

impl Diagnostic {
    /// The diagnostic as one line, `file:line:column: what; what to write instead`.
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| write!(f, "{file}:{self}"))
    }
}

/// `line:column: what; what to write instead`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.position)?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.message, self.hint)
    }
}

/// A file that a configuration names. The reader of the configuration does not open it; whoever does reports what is wrong
/// with it by [`file_errors`](crate::config::file_errors).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReference {
    /// Where it is named.
    pub position: Position,
    /// The key, as `maglev.healthchecks.web.params.ca-file`.
    pub path: String,
    /// The last word of the key: `ca-file`, `client-cert` or `client-key`.
    pub key: String,
    /// The file.
    pub file: PathBuf,
}

/// Everything that makes a file unusable, in the order of the file. Never empty. After a hundred errors, the last
/// diagnostic states how many more there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Errors(Vec<Diagnostic>);

impl Errors {
    pub(super) const fn new(errors: Vec<Diagnostic>) -> Errors {
        Errors(errors)
    }

    /// The errors in the order of the file.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0
    }

    /// The exit code of `--check`: 1 if anything is wrong with the shape of the file, else 2.
    pub fn exit_code(&self) -> u8 {
        if self.0.iter().any(|d| d.class == Class::Shape) { 1 } else { 2 }
    }

    /// One line for each error, each `file:line:column: what; what to write instead`.
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            for (i, diagnostic) in self.0.iter().enumerate() {
                let separator = if i == 0 { "" } else { "\n" };
                write!(f, "{separator}{file}:{diagnostic}")?;
            }
            Ok(())
        })
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
