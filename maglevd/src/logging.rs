//! Edge. Log lines, to standard error and to those who watch.

mod fold;
mod queue;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use thiserror::Error;

use tokio::sync::broadcast;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use self::fold::{Fold, Folds, Repeated};
use self::queue::Queue;

/// The least severe log lines wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What is broken.
    Error,
    /// What may break.
    Warn,
    /// What an operator wants to see.
    Info,
    /// Every probe too.
    Debug,
}

impl Level {
    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "error" => Some(Level::Error),
            "warn" => Some(Level::Warn),
            "info" => Some(Level::Info),
            "debug" => Some(Level::Debug),
            _ => None,
        }
    }

    const fn filter(self) -> LevelFilter {
        match self {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
        }
    }
}

impl From<&tracing::Level> for Level {
    fn from(level: &tracing::Level) -> Self {
        match *level {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG | tracing::Level::TRACE => Level::Debug,
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    Text,
}

impl Format {
    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Format::Json),
            "text" => Some(Format::Text),
            _ => None,
        }
    }
}

/// A log line for those who watch.
#[derive(Clone, Debug)]
pub struct Line {
    /// When.
    pub at: SystemTime,
    /// How severe.
    pub level: Level,
    /// The text.
    pub message: String,
    /// The fields.
    pub fields: BTreeMap<&'static str, String>,
}

/// The target of log lines for the host alone: they show parts of the access file, and whoever may read may watch.
pub const PRIVATE: &str = "maglevd::private";

/// Log lines that a slow watcher can be behind before it misses some.
const BACKLOG: usize = 1024;

/// How long ago the last log line may have been lost for it to be a problem still.
const LOSING: Duration = Duration::from_secs(300);

/// The log lines as they are written. Cheap to clone; all clones are the same log.
#[derive(Clone, Debug)]
pub struct Lines {
    watchers: broadcast::Sender<Arc<Line>>,
    output: Queue,
}

impl Lines {
    /// A log that is written nowhere until [`install`].
    pub fn new() -> Self {
        Lines { watchers: broadcast::Sender::new(BACKLOG), output: Queue::default() }
    }

    /// Every line from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Line>> {
        self.watchers.subscribe()
    }

    /// Log lines that were dropped since the start, since standard error was not read fast enough or is gone.
    pub fn lost(&self) -> u64 {
        self.output.lost()
    }

    /// When the last log line was lost, if that is less than five minutes ago.
    pub fn losing(&self) -> Option<SystemTime> {
        let ago = self.output.lost_at()?.elapsed();
        (ago < LOSING).then(|| SystemTime::now().checked_sub(ago)).flatten()
    }

    /// Puts text into the log as it is, beside its lines.
    pub fn print(&self, text: &str) {
        self.output.push(format!("{text}\n").as_bytes());
    }

    /// Waits until everything is written, but not longer than this.
    pub fn flush(&self, within: Duration) {
        self.output.flush(within);
    }
}

impl Default for Lines {
    fn default() -> Self {
        Lines::new()
    }
}

/// Why there can be no log.
#[derive(Debug, Error)]
pub enum InstallError {
    /// There is one already.
    #[error("cannot install the log")]
    Installed(#[from] TryInitError),
    /// No thread for it.
    #[error(
        "cannot start the thread that writes the log: raise the limit of processes (TasksMax=, pids.max)"
    )]
    Thread(#[source] io::Error),
}

/// Sends log lines to standard error and to `lines`, and panics too. Once a process.
///
/// # Errors
/// [`InstallError`].
pub fn install(level: Level, format: Format, lines: Lines) -> Result<(), InstallError> {
    let folds = Arc::new(Folds::default());
    let report = {
        let folds = Arc::clone(&folds);
        move |lost| {
            if lost > 0 {
                tracing::warn!(
                    lines = lost,
                    "{lost} log lines lost: standard error was not read fast enough"
                );
            }
            folds.due(Instant::now()).iter().for_each(log_repeated);
        }
    };
    lines.output.start(io::stderr(), report).map_err(InstallError::Thread)?;
    // The libraries below us speak to their own developers on debug.
    let targets = Targets::new().with_default(level.filter().min(LevelFilter::WARN)).with_targets(
        ["maglevd", "maglev_core", "maglev_probe", "maglev_vpp"].map(|target| (target, level.filter())),
    );
    let output = tracing_subscriber::fmt::layer()
        .with_writer(lines.output.clone())
        .with_ansi(io::stderr().is_terminal())
        // Told with eprintln, which blocks while standard error is full, and panics when it is gone.
        .log_internal_errors(false);
    let output = match format {
        Format::Json => {
            output.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
        Format::Text => output.with_target(false).boxed(),
    };
    let layers = tracing_subscriber::registry().with(targets).with(Fold(folds)).with(output);
    layers.with(Watchers(lines)).try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn log_repeated(repeated: &Repeated) {
    let Repeated { level, source, text, times } = repeated;
    match Level::from(level) {
        Level::Error => tracing::error!(times, source, line = text, "message repeated {times} times"),
        Level::Warn => tracing::warn!(times, source, line = text, "message repeated {times} times"),
        Level::Info | Level::Debug => {
            tracing::info!(times, source, line = text, "message repeated {times} times");
        }
    }
}

/// Instead of the default hook, which waits for standard error.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let backtrace = std::backtrace::Backtrace::capture();
    let backtrace = match backtrace.status() {
        std::backtrace::BacktraceStatus::Captured => backtrace.to_string(),
        _ => String::new(),
    };
    tracing::error!(thread = thread.name().unwrap_or_default(), backtrace, "bug: {panic}");
}

/// Hands log lines to those who watch.
pub(crate) struct Watchers(pub(crate) Lines);

impl<S: Subscriber> Layer<S> for Watchers {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if self.0.watchers.receiver_count() == 0 || event.metadata().target() == PRIVATE {
            return;
        }
        let mut line = Line {
            at: SystemTime::now(),
            level: event.metadata().level().into(),
            message: String::new(),
            fields: BTreeMap::new(),
        };
        event.record(&mut line);
        // Nobody listens any more: nothing is lost.
        let _ = self.0.watchers.send(Arc::new(line));
    }
}

impl Line {
    fn take(&mut self, field: &Field, value: String) {
        if field.name() == "message" {
            self.message = value;
        } else {
            self.fields.insert(field.name(), value);
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}"));
    }
}
