//! Pure. The way from a file to a [`Config`].

use super::diagnostic::{Diagnostic, Errors};
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
        Some(config) if !report.has_errors() => Ok(Parsed { config, warnings: report.into_warnings() }),
        Some(_) | None => Err(report.into_errors()),
    }
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
