//! Pure. What is valid and rarely meant.

use super::Config;
use super::raw::Raw;
use super::report::Report;

/// Warns of all of it.
pub(super) fn lint(_raw: &Raw, _config: &Config, _report: &mut Report) {}
