//! Edge. Log lines, to standard error and to those who watch.

use std::collections::BTreeMap;
use std::fmt;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::broadcast;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

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

/// Log lines that a slow watcher can be behind before it misses some.
const BACKLOG: usize = 1024;

/// The log lines as they are written.
#[derive(Clone, Debug)]
pub struct Lines(broadcast::Sender<Arc<Line>>);

impl Lines {
    /// Without anybody who writes yet.
    pub fn new() -> Self {
        Lines(broadcast::Sender::new(BACKLOG))
    }

    /// Every line from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Line>> {
        self.0.subscribe()
    }
}

impl Default for Lines {
    fn default() -> Self {
        Lines::new()
    }
}

/// Sends log lines to standard error and to `lines`. Once a process.
pub fn install(level: Level, format: Format, lines: Lines) -> Result<(), TryInitError> {
    // The libraries below us speak to their own developers on debug.
    let targets = Targets::new().with_default(level.filter().min(LevelFilter::WARN)).with_targets(
        ["maglevd", "maglev_core", "maglev_probe", "maglev_vpp"].map(|target| (target, level.filter())),
    );
    let output = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // Told with eprintln, which panics when standard error itself is gone: the log may end, the daemon must not.
        .log_internal_errors(false);
    let output = match format {
        Format::Json => {
            output.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
        Format::Text => output.with_target(false).boxed(),
    };
    tracing_subscriber::registry().with(targets).with(output).with(Watchers(lines)).try_init()
}

/// Hands log lines to those who watch.
pub(crate) struct Watchers(pub(crate) Lines);

impl<S: Subscriber> Layer<S> for Watchers {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if self.0.0.receiver_count() == 0 {
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
        let _ = self.0.0.send(Arc::new(line));
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
