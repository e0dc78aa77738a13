//! Edge. The configuration file: reading it, checking it, taking it again.

mod disclosure;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use maglev_core::access::Access as Rules;
use maglev_core::check::{ProbeSpec, TlsSpec};
use maglev_core::config::{self, Change, Config, Diagnostic, Diff, Errors, KeyChange, Parsed, ParsedAccess};
use maglev_core::engine::{ReloadRefused, ReloadReport};
use maglev_probe::TlsFileError;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::watch;

use crate::access::{self, Access, Tokens, TokensError};
use crate::audit::{Audit, Note};
use crate::control::{Control, Stopped};
use crate::logging::PRIVATE;
use crate::tls::Tls;
use crate::worker::{Worker, WorkerError};

/// Why a configuration file is not taken.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not valid.
    #[error("{}", errors.in_file(&path.display().to_string()))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Every error.
        errors: Errors,
    },
    /// The tokens for metrics are not valid.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// Two files are not taken, each for its own reason.
    #[error("{}\n{}", Chain(one), Chain(other))]
    Both {
        /// The first.
        one: Box<ConfigError>,
        /// The second.
        other: Box<ConfigError>,
    },
    /// The files were not read in time, or too many wait to read them.
    #[error("cannot read the configuration")]
    Reader(#[from] WorkerError),
    /// It is valid, and taking it needs to be forced.
    #[error(
        "{0}; `maglevc config check` shows all of it, and where it is meant, `maglevc config reload force` does it"
    )]
    NeedsForce(ReloadRefused),
    /// The daemon is ending.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl ConfigError {
    /// The exit code of `--check`: 1 for what is not a configuration, 2 for one that makes no sense.
    pub fn exit_code(&self) -> u8 {
        match self {
            ConfigError::Read { .. }
            | ConfigError::Reader(_)
            | ConfigError::NeedsForce(_)
            | ConfigError::Stopped(_) => 1,
            ConfigError::Invalid { errors, .. } => errors.exit_code(),
            ConfigError::Tokens(_) => 1,
            ConfigError::Both { one, other } => one.exit_code().min(other.exit_code()),
        }
    }

    /// Every error with its file, where all that is wrong stands in files.
    pub fn diagnostics(&self) -> Option<Box<dyn Iterator<Item = (&Path, &Diagnostic)> + '_>> {
        match self {
            ConfigError::Invalid { path, errors } => {
                Some(Box::new(errors.diagnostics().iter().map(|found| (path.as_path(), found))))
            }
            ConfigError::Both { one, other } => {
                Some(Box::new(one.diagnostics()?.chain(other.diagnostics()?)))
            }
            ConfigError::Read { .. }
            | ConfigError::Tokens(_)
            | ConfigError::Reader(_)
            | ConfigError::NeedsForce(_)
            | ConfigError::Stopped(_) => None,
        }
    }
}

/// Both results, or every error there is.
pub fn both<A, B>(one: Result<A, ConfigError>, other: Result<B, ConfigError>) -> Result<(A, B), ConfigError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(ConfigError::Both { one: Box::new(one), other: Box::new(other) }),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// The largest configuration file that is read: some hundred thousand backends.
const SIZE_LIMIT: u64 = 64 << 20;

/// Reads and checks a configuration file, and the files that its health checks name: authorities, and certificates to
/// show. Blocks while it does.
pub fn load(path: &Path, options: &config::Options) -> Result<Parsed, ConfigError> {
    let bytes = read(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let invalid = |errors| ConfigError::Invalid { path: path.to_owned(), errors };
    let parsed = config::parse(&bytes, options).map_err(invalid)?;
    match unusable_files(&parsed) {
        None => Ok(parsed),
        Some(errors) => Err(invalid(errors)),
    }
}

/// The errors of files that the configuration names and that no probe could use.
fn unusable_files(parsed: &Parsed) -> Option<Errors> {
    let sessions = parsed.config.checks.values().filter_map(|check| match &check.probe {
        ProbeSpec::Tcp { tls, .. } | ProbeSpec::Http { tls, .. } => tls.as_ref(),
        ProbeSpec::Icmp | ProbeSpec::Custom(_) => None,
    });
    // Many checks have the same files, which are read once.
    let sessions: BTreeSet<_> =
        sessions.map(|tls| (tls.verify, tls.ca_file.as_ref(), tls.client.as_ref())).collect();
    let unusable: BTreeMap<(&'static str, PathBuf), String> = sessions
        .into_iter()
        .filter_map(|(verify, ca_file, client)| {
            let (ca_file, client) = (ca_file.cloned(), client.cloned());
            maglev_probe::check_tls_files(&TlsSpec { server_name: None, verify, ca_file, client }).err()
        })
        .map(|TlsFileError { param, file, reason }| ((param, file), reason))
        .collect();
    let unusable = &unusable;
    config::file_errors(parsed.files.iter().flat_map(|reference| {
        let found = unusable
            .iter()
            .find(move |((param, file), _)| *param == reference.key && *file == reference.file);
        found.map(|(_, reason)| {
            (reference, reason.clone(), "write the path of a PEM file that maglevd can read")
        })
    }))
}

pub(crate) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    maglev_file::read_settled(path, SIZE_LIMIT)
}

/// How long reading and checking the files may take. One of a hundred thousand backends takes some seconds; a file system
/// that takes longer hangs.
const READ: Duration = Duration::from_secs(30);

/// How the configuration in force came to be. Cheap to clone; all clones show the same.
#[derive(Clone, Debug)]
pub struct ConfigStatus(Arc<watch::Sender<Loaded>>);

/// How the configuration in force came to be.
#[derive(Clone, Copy, Debug)]
pub struct Loaded {
    /// Whether the last reload was taken; true before the first.
    pub last_reload_successful: bool,
    /// When the configuration in force was loaded.
    pub loaded_at: SystemTime,
    /// When a reload was refused first since then; absent where none was.
    pub refused_at: Option<SystemTime>,
}

impl ConfigStatus {
    /// Loaded now.
    pub fn loaded() -> Self {
        let loaded = Loaded { last_reload_successful: true, loaded_at: SystemTime::now(), refused_at: None };
        ConfigStatus(Arc::new(watch::Sender::new(loaded)))
    }

    /// How it is now.
    pub fn read(&self) -> Loaded {
        *self.0.borrow()
    }

    /// Each time a file has been taken or refused from now on.
    pub fn subscribe(&self) -> watch::Receiver<Loaded> {
        self.0.subscribe()
    }

    fn set(&self, successful: bool) {
        self.0.send_modify(|loaded| {
            loaded.last_reload_successful = successful;
            if successful {
                (loaded.loaded_at, loaded.refused_at) = (SystemTime::now(), None);
            } else {
                loaded.refused_at.get_or_insert_with(SystemTime::now);
            }
        });
    }
}

/// The files that are taken again together with the configuration.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Who may do what.
    pub access: Access,
    /// The tokens for metrics, if any are asked for.
    pub tokens: Option<Tokens>,
    /// The certificate, if there is one.
    pub tls: Option<Tls>,
    /// The audit log.
    pub audit: Audit,
    /// Reads the files to check them.
    pub checks: Worker,
    /// Reads the files to take them: checks that wait for a disk must not keep a reload waiting.
    pub reloads: Worker,
}

/// Checks and takes the configuration file again, and with it the access file and the tokens for metrics: all of them or
/// none. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reloader {
    path: Arc<Path>,
    options: Arc<config::Options>,
    control: Control,
    status: ConfigStatus,
    beside: Beside,
    /// One at a time: what was read last is what is in force at the end.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// A configuration file that is valid, with the files beside it.
#[derive(Debug)]
pub struct Checked {
    /// What taking it changes.
    pub changes: Diff,
    /// Every key that differs.
    pub keys: Vec<KeyChange>,
    /// What is odd about it.
    pub warnings: Vec<Diagnostic>,
    /// What is odd about the access file.
    pub access_warnings: Vec<Diagnostic>,
    /// What taking it does beside what the file says, and what of that needs to be forced.
    pub report: ReloadReport,
}

/// What was read, to be put in force.
struct Ready {
    config: Arc<Config>,
    access: Option<Rules>,
    put_tokens: Option<Box<dyn FnOnce() + Send>>,
}

impl Reloader {
    /// Reloads `path` into the engine that `control` speaks to, and what is beside it.
    pub fn new(
        path: &Path,
        options: config::Options,
        control: Control,
        status: ConfigStatus,
        beside: Beside,
    ) -> Self {
        Reloader {
            path: path.into(),
            options: Arc::new(options),
            control,
            status,
            beside,
            turn: Arc::new(tokio::sync::Mutex::new(())),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the reader of the file must know.
    pub const fn options(&self) -> &Arc<config::Options> {
        &self.options
    }

    /// How the configuration in force came to be.
    pub const fn status(&self) -> &ConfigStatus {
        &self.status
    }

    /// The thread that reads files to check them.
    pub const fn checker(&self) -> &Worker {
        &self.beside.checks
    }

    /// Who may do what.
    pub const fn access(&self) -> &Access {
        &self.beside.access
    }

    /// Checks the files, and says what taking them would change.
    pub async fn check(&self) -> Result<Checked, ConfigError> {
        let (Ready { config, .. }, mut checked) = self.read(&self.beside.checks).await?;
        // On a copy, beside the engine.
        let (mut engine, now) = self.control.read(|seen| (seen.engine.clone(), seen.reading.now())).await?;
        checked.report = engine.reload(now, config);
        Ok(checked)
    }

    /// Takes the files, if all are valid; else everything stays as it is. Notes what changed. A renewed certificate is
    /// taken or refused by itself, so that neither waits for the other to be mended; and the audit log is opened anew. What
    /// needs to be forced is refused unless it is.
    ///
    /// When the future is dropped, the files may or may not be taken.
    pub async fn reload(&self, force: bool, note: &Note) -> Result<Checked, ConfigError> {
        let _turn = self.turn.lock().await;
        self.beside.audit.reopen().await;
        if let Some(tls) = &self.beside.tls {
            tls.reload().await;
        }
        let result: Result<Checked, ConfigError> = async {
            let (Ready { config, access, put_tokens }, mut checked) = self.read(&self.beside.reloads).await?;
            checked.report = self.control.reload(config, force).await?.map_err(ConfigError::NeedsForce)?;
            if let Some(access) = access {
                self.beside.access.put(access);
            }
            if let Some(put_tokens) = put_tokens {
                put_tokens();
            }
            Ok(checked)
        }
        .await;
        self.status.set(result.is_ok());
        match &result {
            Ok(Checked { changes, keys, warnings, access_warnings, report }) => {
                let [backends, frontends, checks] = [
                    summary(&changes.backends).to_string(),
                    summary(&changes.frontends).to_string(),
                    summary(&changes.checks).to_string(),
                ];
                let settings = settings(keys);
                tracing::info!(
                    path = %self.path.display(),
                    backends,
                    frontends,
                    healthchecks = checks,
                    settings,
                    "configuration reloaded"
                );
                warn(&self.path, warnings);
                log_report(report);
                if let Some(path) = self.beside.access.path() {
                    tracing::info!(path = %path.display(), "access file reloaded");
                    warn_privately(path, access_warnings);
                }
                let after = json!({
                    "backends": backends, "frontends": frontends, "healthchecks": checks, "settings": settings
                });
                note.set(Value::Null, after, false);
            }
            Err(error) if error.is_public(&self.path) => {
                tracing::error!(
                    path = %self.path.display(),
                    error = %Chain(error),
                    "configuration not reloaded, the old one stays in force"
                );
            }
            Err(error) => {
                tracing::error!(
                    target: PRIVATE,
                    path = %self.path.display(),
                    error = %Chain(error),
                    "configuration not reloaded, the old one stays in force"
                );
            }
        }
        result
    }

    async fn read(&self, reader: &Worker) -> Result<(Ready, Checked), ConfigError> {
        let (path, options) = (Arc::clone(&self.path), Arc::clone(&self.options));
        let (access, tokens) = (self.beside.access.path().cloned(), self.beside.tokens.clone());
        let read = reader.read(READ, move || {
            let access = access.map(|path| access::load(&path)).transpose();
            let tokens = tokens.map(|tokens| tokens.reread()).transpose().map_err(ConfigError::from);
            both(load(&path, &options), both(access, tokens))
        });
        let (Parsed { config, warnings, files: _ }, (access, tokens)) = read.await??;
        let config = Arc::new(config);
        let (new, running) =
            (Arc::clone(&config), self.control.read(|view| Arc::clone(view.engine.config())).await?);
        let (access, access_warnings) = match access {
            Some(ParsedAccess { access, warnings }) => (Some(access), warnings),
            None => (None, Vec::new()),
        };
        let put_tokens = tokens.map(|put| Box::new(put) as Box<dyn FnOnce() + Send>);
        let report = ReloadReport::default();
        let changes = Diff::between(&running, &new);
        let keys = changes.keys(&running, &new);
        let checked = Checked { changes, keys, warnings, access_warnings, report };
        Ok((Ready { config, access, put_tokens }, checked))
    }
}

/// How many names a list in a log line or a record of the audit log holds.
const LISTED: usize = 100;

/// `+added ~changed -removed`, by name; after a hundred names, how many more.
fn summary<N: Display, C>(changes: &BTreeMap<N, Change<C>>) -> impl Display {
    let mark = |change: &Change<C>| match change {
        Change::Added => '+',
        Change::Changed(_) => '~',
        Change::Removed => '-',
    };
    let mut words: Vec<_> =
        changes.iter().take(LISTED).map(|(name, change)| format!("{}{name}", mark(change))).collect();
    match changes.len().saturating_sub(LISTED) {
        0 => {}
        more => words.push(format!("and {more} more")),
    }
    if words.is_empty() { "unchanged".to_owned() } else { words.join(" ") }
}

/// The settings that differ, with both values: `vpp.lb.sync-interval: 30s -> 10s`.
fn settings(keys: &[KeyChange]) -> String {
    let of_settings = |change: &&KeyChange| change.effect.is_some();
    let line = |KeyChange { key, before, after, .. }: &KeyChange| {
        let [before, after] = [before, after].map(|value| value.as_deref().unwrap_or("none"));
        format!("{}: {before} -> {after}", key.strip_prefix("maglev.").unwrap_or(key))
    };
    let lines: Vec<String> = keys.iter().filter(of_settings).map(line).collect();
    if lines.is_empty() { "unchanged".to_owned() } else { lines.join("; ") }
}

/// Writes a log line for each thing that a start or a reload does beside what the file says.
pub fn log_report(report: &ReloadReport) {
    for note in &report.notes {
        tracing::info!("configuration: {note}");
    }
    for danger in &report.dangers {
        tracing::warn!("configuration: {danger}");
    }
}

/// Writes a log line for each warning.
pub fn warn(path: &Path, warnings: &[Diagnostic]) {
    for warning in warnings {
        tracing::warn!(at = %format_args!("{}:{}", path.display(), warning.position), key = warning.path,
            "configuration: {}; {}", warning.message, warning.hint);
    }
}

/// The same for what only the log of the host may show.
pub fn warn_privately(path: &Path, warnings: &[Diagnostic]) {
    for warning in warnings {
        tracing::warn!(target: PRIVATE, at = %format_args!("{}:{}", path.display(), warning.position),
            key = warning.path, "access file: {}; {}", warning.message, warning.hint);
    }
}

/// An error with its causes, in one line.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a dyn std::error::Error);

impl Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
