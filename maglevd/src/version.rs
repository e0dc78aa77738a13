//! Pure. What this program is.

/// The version, as in the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from, or `unknown`.
pub const COMMIT: &str = env!("MAGLEV_BUILD_COMMIT");
/// The date of that commit, or `unknown`.
pub const DATE: &str = env!("MAGLEV_BUILD_DATE");
