//! Pure. The way from a file to a [`Config`].

use super::diagnostic::{Class, Diagnostic, Errors, FileReference, Severity};
use super::options::Options;
use super::report::Report;
use super::section::Cursor;
use super::{Config, lint, raw, resolve, syntax, tree};

/// A valid file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// What it says.
    pub config: Config,
    /// What in it is rarely meant, in the order of the file.
    pub warnings: Vec<Diagnostic>,
    /// The files that it names, which were not opened.
    pub files: Vec<FileReference>,
}

/// Reads a configuration file: YAML, as `docs/config.md` has it.
///
/// The bytes may be anything at all; they cost time and memory in proportion to their number, and at most a few hundred
/// megabytes.
///
/// # Errors
/// Everything that is wrong with the file, up to a hundred errors, so that it can be mended in one go. Two things hide others: where the file is
/// not YAML, nothing is known of what it says; and where a value is wrong, nothing is known of what depends on it.
pub fn parse(bytes: impl AsRef<[u8]>, options: &Options) -> Result<Parsed, Errors> {
    let mut report = Report::new();
    match read(bytes.as_ref(), options, &mut report) {
        Some(config) if !report.has_errors() => {
            let files = std::mem::take(&mut report.files);
            Ok(Parsed { config, warnings: report.into_warnings(), files })
        }
        Some(_) | None => Err(report.into_errors()),
    }
}

/// The errors of files that a configuration names and that cannot be used, each with why and what to do. `None` if there
/// is none.
pub fn file_errors<'f>(
    found: impl IntoIterator<Item = (&'f FileReference, String, &'static str)>,
) -> Option<Errors> {
    let mut report = Report::new();
    for (file, message, hint) in found {
        report.push(Diagnostic {
            position: file.position,
            severity: Severity::Error,
            class: Class::Meaning,
            path: file.path.clone(),
            message,
            hint: hint.to_owned(),
        });
    }
    report.has_errors().then(|| report.into_errors())
}

/// `None` only if the report says why.
fn read(bytes: &[u8], options: &Options, report: &mut Report) -> Option<Config> {
    let text = syntax::decode(bytes, report)?;
    let root = tree::build(text, report)?;
    let raw = raw::file(&Cursor::root(&root), options, report);
    let config = resolve::resolve(&raw, options, report);
    if !report.has_errors() {
        lint::lint(&raw, &config, report);
    }
    Some(config)
}
