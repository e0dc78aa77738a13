//! Edge. Lines that come again and again are folded: the first few are written, then a count.
//!
//! Of our own lines those are the same whose place in the code and fields are the same. Libraries put numbers of streams
//! and connections into theirs, which a peer can make as many of as it likes: of those the text without its digits counts.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::hash::Hasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use twox_hash::XxHash64;

use super::queue::on_writer;

/// The time in which lines are counted.
const WINDOW: Duration = Duration::from_secs(10);

/// How many that are the same are written in it.
const BURST: u32 = 5;

/// How many different lines are remembered. One more is written as it is.
const KINDS: usize = 1024;

/// How much of a message is repeated with its count, in bytes.
const LONGEST: usize = 200;

/// Lines that are the same.
type Key = (Identifier, u64);

/// How often a line came that was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeated {
    pub(super) level: Level,
    /// The module that wrote it.
    pub(super) source: &'static str,
    /// The line's message.
    pub(super) text: String,
    pub(super) times: u64,
}

#[derive(Debug)]
struct Seen {
    since: Instant,
    written: u32,
    folded: Option<Repeated>,
}

/// What was written lately.
#[derive(Debug, Default)]
pub(super) struct Folds(Mutex<HashMap<Key, Seen>>);

impl Folds {
    /// Whether to write this event.
    fn passes(&self, event: &Event<'_>, now: Instant) -> bool {
        let metadata = event.metadata();
        let is_ours = is_ours(metadata);
        if is_ours && *metadata.level() > Level::INFO {
            // Whoever asks for every probe wants every probe.
            return true;
        }
        let mut digest = Digest { hash: XxHash64::with_seed(0), is_ours, message: String::new() };
        event.record(&mut digest);
        let key = (metadata.callsite(), digest.hash.finish());
        let mut seen = self.lock();
        if !seen.contains_key(&key) && seen.len() >= KINDS {
            seen.retain(|_, seen| seen.folded.is_some() || now < seen.since + WINDOW);
            if seen.len() >= KINDS {
                return true;
            }
        }
        let seen = seen.entry(key).or_insert(Seen { since: now, written: 0, folded: None });
        if seen.folded.is_none() && now >= seen.since + WINDOW {
            (seen.since, seen.written) = (now, 0);
        }
        if seen.written < BURST {
            seen.written += 1;
            return true;
        }
        let folded = seen.folded.get_or_insert_with(|| {
            digest.message.truncate(digest.message.floor_char_boundary(LONGEST));
            Repeated {
                level: *metadata.level(),
                source: metadata.target(),
                text: std::mem::take(&mut digest.message),
                times: 0,
            }
        });
        folded.times += 1;
        false
    }

    /// What was folded and is to be told by now.
    pub(super) fn due(&self, now: Instant) -> Vec<Repeated> {
        let mut due = Vec::new();
        self.lock().retain(|_, seen| {
            let over = now >= seen.since + WINDOW;
            if over {
                due.extend(seen.folded.take());
            }
            !over
        });
        due
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("maglev")
}

/// What makes two lines the same.
struct Digest {
    hash: XxHash64,
    is_ours: bool,
    message: String,
}

impl Visit for Digest {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let is_message = field.name() == "message";
        if !self.is_ours && !is_message {
            return;
        }
        let start = if is_message { 0 } else { self.message.len() };
        // Writing to a string does not fail.
        let _ = write!(self.message, "{value:?}");
        let text = self.message.get(start..).unwrap_or_default();
        self.hash.write(field.name().as_bytes());
        if self.is_ours {
            self.hash.write(text.as_bytes());
        } else {
            text.split(|c: char| c.is_ascii_digit()).for_each(|part| self.hash.write(part.as_bytes()));
        }
        if !is_message {
            self.message.truncate(start);
        }
    }
}

/// Leaves out what is folded, for all layers.
#[derive(Debug)]
pub(super) struct Fold(pub(super) std::sync::Arc<Folds>);

impl<S: Subscriber> Layer<S> for Fold {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        on_writer() || self.0.passes(event, Instant::now())
    }
}

#[cfg(test)]
mod tests;
