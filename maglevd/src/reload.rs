//! Edge. The configuration file: reading it, checking it, taking it again.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use maglev_core::config::{self, Change, Config, Diagnostic, Diff, Errors, Parsed};
use thiserror::Error;
use tokio::sync::watch;

use crate::control::{Control, Stopped};

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
    /// The daemon is ending.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl ConfigError {
    /// The exit code of `--check`: 1 for what is not a configuration, 2 for one that makes no sense.
    pub fn exit_code(&self) -> u8 {
        match self {
            ConfigError::Read { .. } | ConfigError::Stopped(_) => 1,
            ConfigError::Invalid { errors, .. } => errors.exit_code(),
        }
    }
}

/// The largest configuration file that is read: some hundred thousand backends.
const SIZE_LIMIT: u64 = 64 << 20;

/// Reads and checks a configuration file.
pub fn load(path: &Path, options: &config::Options) -> Result<Parsed, ConfigError> {
    let bytes = read(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    config::parse(&bytes, options).map_err(|errors| ConfigError::Invalid { path: path.to_owned(), errors })
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path)?.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    if read as u64 > SIZE_LIMIT {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            format!("it is larger than {} MiB", SIZE_LIMIT >> 20),
        ));
    }
    Ok(bytes)
}

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
}

impl ConfigStatus {
    /// Loaded now.
    pub fn loaded() -> Self {
        let loaded = Loaded { last_reload_successful: true, loaded_at: SystemTime::now() };
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
                loaded.loaded_at = SystemTime::now();
            }
        });
    }
}

/// Checks and takes the configuration file again. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reloader {
    path: Arc<Path>,
    options: Arc<config::Options>,
    control: Control,
    status: ConfigStatus,
    /// One at a time: what was read last is what is in force at the end.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// A configuration file that is valid.
#[derive(Debug)]
pub struct Checked {
    /// What taking it changes.
    pub changes: Diff,
    /// What is odd about it.
    pub warnings: Vec<Diagnostic>,
}

impl Reloader {
    /// For the file at `path`, for the engine that `control` speaks to.
    pub fn new(path: &Path, options: config::Options, control: Control, status: ConfigStatus) -> Self {
        Reloader {
            path: path.into(),
            options: Arc::new(options),
            control,
            status,
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

    /// Checks the file, and says what taking it would change.
    pub async fn check(&self) -> Result<Checked, ConfigError> {
        let (_, checked) = self.read().await?;
        Ok(checked)
    }

    /// Takes the file, if it is valid; else everything stays as it is.
    ///
    /// When the future is dropped, the file may or may not be taken.
    pub async fn reload(&self) -> Result<Checked, ConfigError> {
        let _turn = self.turn.lock().await;
        let result = async {
            let (config, checked) = self.read().await?;
            self.control.reload(config).await?;
            Ok(checked)
        }
        .await;
        self.status.set(result.is_ok());
        match &result {
            Ok(Checked { changes, warnings }) => {
                tracing::info!(
                    path = %self.path.display(),
                    backends = %summary(&changes.backends),
                    frontends = %summary(&changes.frontends),
                    healthchecks = %summary(&changes.checks),
                    "configuration reloaded"
                );
                warn(&self.path, warnings);
            }
            Err(error) => {
                tracing::error!(
                    path = %self.path.display(),
                    error = %Chain(error),
                    "configuration not reloaded, the old one stays in force"
                );
            }
        }
        result
    }

    async fn read(&self) -> Result<(Arc<Config>, Checked), ConfigError> {
        let (path, options) = (Arc::clone(&self.path), Arc::clone(&self.options));
        let Ok(parsed) = tokio::task::spawn_blocking(move || load(&path, &options)).await else {
            return Err(Stopped.into());
        };
        let Parsed { config, warnings } = parsed?;
        let config = Arc::new(config);
        let (new, running) =
            (Arc::clone(&config), self.control.read(|view| Arc::clone(view.engine.config())).await?);
        Ok((config, Checked { changes: Diff::between(&running, &new), warnings }))
    }
}

/// `+added ~changed -removed`, by name.
fn summary<N: Display, C>(changes: &BTreeMap<N, Change<C>>) -> impl Display {
    let mark = |change: &Change<C>| match change {
        Change::Added => '+',
        Change::Changed(_) => '~',
        Change::Removed => '-',
    };
    let words: Vec<_> = changes.iter().map(|(name, change)| format!("{}{name}", mark(change))).collect();
    if words.is_empty() { "unchanged".to_owned() } else { words.join(" ") }
}

/// Writes a log line for each warning.
pub fn warn(path: &Path, warnings: &[Diagnostic]) {
    for warning in warnings {
        tracing::warn!(at = %format_args!("{}:{}", path.display(), warning.position), key = warning.path,
            "configuration: {}; {}", warning.message, warning.hint);
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
