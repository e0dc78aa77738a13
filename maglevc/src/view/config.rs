//! Pure. Checking and reloading the configuration.

use maglev_api::v1;

use crate::view::words::Severity;
use crate::view::{counted, filled, view};

view! {
    /// What a check of the configuration file found.
    pub(crate) struct ConfigCheck {
        /// Whether the file would be taken.
        pub(crate) valid: bool,
        /// Every error and warning, in the order of the file.
        pub(crate) diagnostics: Vec<Diagnostic>,
        /// What a reload would change; null when the file is not valid.
        pub(crate) changes: Option<Changes>,
    }

    /// What a reload did.
    pub(crate) struct ConfigReload {
        /// What it changed.
        pub(crate) changes: Changes,
        /// Warnings about the file now in force.
        pub(crate) warnings: Vec<Diagnostic>,
    }

    /// Something wrong with a configuration file.
    pub(crate) struct Diagnostic {
        /// How bad it is.
        pub(crate) severity: Severity,
        /// The file.
        pub(crate) file: String,
        /// The line, from 1; null for the file as a whole.
        pub(crate) line: Option<u32>,
        /// The column, from 1; null for the file as a whole.
        pub(crate) column: Option<u32>,
        /// The key at fault.
        pub(crate) key: Option<String>,
        /// What is wrong and what to write instead.
        pub(crate) message: String,
    }

    /// What differs between two configurations.
    pub(crate) struct Changes {
        /// Backends.
        pub(crate) backends: Names,
        /// Frontends.
        pub(crate) frontends: Names,
        /// Health checks.
        pub(crate) health_checks: Names,
    }

    /// Names that came, changed or went.
    pub(crate) struct Names {
        /// New ones.
        pub(crate) added: Vec<String>,
        /// Those that are not what they were.
        pub(crate) changed: Vec<String>,
        /// Those that are gone.
        pub(crate) removed: Vec<String>,
    }
}

impl From<v1::CheckConfigResponse> for ConfigCheck {
    fn from(check: v1::CheckConfigResponse) -> Self {
        Self {
            valid: check.valid,
            diagnostics: check.diagnostics.into_iter().map(Into::into).collect(),
            changes: check.changes.map(Into::into),
        }
    }
}

impl From<v1::ReloadConfigResponse> for ConfigReload {
    fn from(reload: v1::ReloadConfigResponse) -> Self {
        Self {
            changes: reload.changes.unwrap_or_default().into(),
            warnings: reload.warnings.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<v1::Diagnostic> for Diagnostic {
    fn from(diagnostic: v1::Diagnostic) -> Self {
        Self {
            severity: diagnostic.severity().into(),
            file: diagnostic.file,
            line: counted(diagnostic.line),
            column: counted(diagnostic.column),
            key: filled(diagnostic.key),
            message: diagnostic.message,
        }
    }
}

impl From<v1::ConfigChanges> for Changes {
    fn from(changes: v1::ConfigChanges) -> Self {
        Self {
            backends: changes.backends.unwrap_or_default().into(),
            frontends: changes.frontends.unwrap_or_default().into(),
            health_checks: changes.health_checks.unwrap_or_default().into(),
        }
    }
}

impl From<v1::NameChanges> for Names {
    fn from(names: v1::NameChanges) -> Self {
        Self { added: names.added, changed: names.changed, removed: names.removed }
    }
}
