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
        /// Why a reload would be refused unless it is forced; empty where it would not.
        pub(crate) needs_force: Vec<String>,
        /// What a reload would do beside what the file says.
        pub(crate) notes: Vec<String>,
    }

    /// What a reload did.
    pub(crate) struct ConfigReload {
        /// What it changed.
        pub(crate) changes: Changes,
        /// Warnings about the file now in force.
        pub(crate) warnings: Vec<Diagnostic>,
        /// What it did beside what the file says, and what was forced.
        pub(crate) notes: Vec<String>,
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
        /// Every key that differs, at most 1000.
        pub(crate) keys: Vec<KeyChange>,
        /// How many more keys differ.
        pub(crate) more_keys: u32,
    }

    /// A key of the configuration file whose value differs.
    pub(crate) struct KeyChange {
        /// The key, as `maglev.vpp.lb.sync-interval`; the key of the whole for what is added or removed.
        pub(crate) key: String,
        /// The value before; null where the key had none.
        pub(crate) before: Option<String>,
        /// The value after; null where the key has none.
        pub(crate) after: Option<String>,
        /// What a reload does about a key of `healthchecker` or `vpp.lb`.
        pub(crate) effect: Option<String>,
    }

    /// The configuration in force.
    pub(crate) struct ActiveConfig {
        /// As a configuration file, with every default.
        pub(crate) yaml: String,
    }

    /// What differs between the configuration in force and the file.
    pub(crate) struct ConfigDifference {
        /// Every key that differs, at most 1000.
        pub(crate) keys: Vec<KeyChange>,
        /// How many more keys differ.
        pub(crate) more_keys: u32,
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
            needs_force: check.needs_force,
            notes: check.notes,
        }
    }
}

impl From<v1::ReloadConfigResponse> for ConfigReload {
    fn from(reload: v1::ReloadConfigResponse) -> Self {
        Self {
            changes: reload.changes.unwrap_or_default().into(),
            warnings: reload.warnings.into_iter().map(Into::into).collect(),
            notes: reload.notes,
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
            keys: changes.keys.into_iter().map(Into::into).collect(),
            more_keys: changes.more_keys,
        }
    }
}

impl From<v1::ConfigKeyChange> for KeyChange {
    fn from(change: v1::ConfigKeyChange) -> Self {
        let v1::ConfigKeyChange { key, before, after, effect } = change;
        Self { key, before, after, effect: filled(effect) }
    }
}

impl From<v1::GetConfigResponse> for ActiveConfig {
    fn from(config: v1::GetConfigResponse) -> Self {
        Self { yaml: config.yaml }
    }
}

impl From<Changes> for ConfigDifference {
    fn from(changes: Changes) -> Self {
        Self { keys: changes.keys, more_keys: changes.more_keys }
    }
}

impl From<v1::NameChanges> for Names {
    fn from(names: v1::NameChanges) -> Self {
        Self { added: names.added, changed: names.changed, removed: names.removed }
    }
}
