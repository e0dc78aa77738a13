//! Driver. The configuration file on disk: checked in the background whenever it changes, for those who list problems.
//!
//! A file system may hang, so nobody who lists problems waits for it longer than [`PATIENCE`]: one task looks at the files
//! and keeps what it found. It checks them only when their size, time or inode differ from those it checked last.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::reload::{Chain, ConfigError, Reloader};

/// How often the files are looked at when nobody lists problems.
const PERIOD: Duration = Duration::from_secs(10);

/// How long those who list problems wait for a look at the files.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long one look may take before the files count as unreadable.
const LOOK: Duration = Duration::from_secs(5);

/// How the configuration file on disk compares with what is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FileState {
    /// Nothing is known yet.
    #[default]
    NotChecked,
    /// It means what is in force.
    Same,
    /// It is valid and means something else.
    Changed {
        /// When the file was written.
        since: Option<SystemTime>,
    },
    /// It is not valid.
    Invalid {
        /// Each error: the file with line and column, and the message.
        errors: Vec<(String, String)>,
        /// When the file was written.
        since: Option<SystemTime>,
    },
    /// It cannot be read.
    Unreadable {
        /// Why.
        sentence: String,
        /// When this was found first.
        since: Option<SystemTime>,
    },
}

/// Device, inode, size, and time of the last write in seconds and nanoseconds.
type Identity = (u64, u64, u64, i64, i64);

/// What tells one content of the files from another without reading them: the identity of each that is there, and when
/// the first was written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp(Vec<Option<Identity>>, Option<SystemTime>);

impl Stamp {
    /// Blocks while the file system takes its time.
    fn of(paths: &[PathBuf]) -> Self {
        let metadata: Vec<_> = paths.iter().map(|path| std::fs::metadata(path).ok()).collect();
        let written = metadata.first().and_then(|first| first.as_ref()?.modified().ok());
        let stamp = |m: &std::fs::Metadata| (m.dev(), m.ino(), m.size(), m.mtime(), m.mtime_nsec());
        Stamp(metadata.iter().map(|one| one.as_ref().map(stamp)).collect(), written)
    }
}

/// What the last look at the files found. Cheap to clone; all clones show the same.
#[derive(Clone, Debug)]
pub struct FileCheck {
    wanted: Arc<Notify>,
    found: watch::Receiver<FileState>,
}

impl FileCheck {
    /// Looks at the files of `reloader` until `stop`, on the task that is returned.
    pub fn new(reloader: Reloader, stop: CancellationToken) -> (Self, impl Future<Output = ()>) {
        let (sender, found) = watch::channel(FileState::default());
        let wanted = Arc::new(Notify::new());
        let look = Looker { reloader, wanted: Arc::clone(&wanted), found: sender };
        let run = async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = look.run() => {}
            }
        };
        (FileCheck { wanted, found }, run)
    }

    /// What is known of the files, after a look at them if that takes no longer than 500 ms.
    pub async fn read(&self) -> FileState {
        let mut found = self.found.clone();
        found.mark_unchanged();
        self.wanted.notify_one();
        // In time or not: what is known is the answer.
        let _ = tokio::time::timeout(PATIENCE, found.changed()).await;
        let known = found.borrow();
        known.clone()
    }

    /// What is known of the files.
    pub fn last(&self) -> FileState {
        self.found.borrow().clone()
    }
}

struct Looker {
    reloader: Reloader,
    wanted: Arc<Notify>,
    found: watch::Sender<FileState>,
}

impl Looker {
    async fn run(self) {
        let mut reloads = self.reloader.status().subscribe();
        let mut checked = None;
        loop {
            self.look(&mut checked).await;
            tokio::select! {
                () = self.wanted.notified() => {}
                () = tokio::time::sleep(PERIOD) => {}
                reloaded = reloads.changed() => {
                    if reloaded.is_err() {
                        return;
                    }
                    // Compared with another configuration, the same file has other differences.
                    checked = None;
                }
            }
        }
    }

    /// Looks once. One look at a time: a file system that hangs takes no second thread.
    async fn look(&self, checked: &mut Option<Stamp>) {
        let look = self.compare(checked);
        tokio::pin!(look);
        let found = match tokio::time::timeout(LOOK, &mut look).await {
            Ok(found) => found,
            Err(_) => {
                let sentence = format!("the file system has not answered for {LOOK:?}");
                self.found.send_replace(FileState::Unreadable { sentence, since: self.unreadable_since() });
                look.await
            }
        };
        match found {
            Some(found) => drop(self.found.send_replace(found)),
            // The same as before, and those who wait are told so.
            None => self.found.send_modify(|_| {}),
        }
    }

    /// What is found; `None` where it is what was found before.
    async fn compare(&self, checked: &mut Option<Stamp>) -> Option<FileState> {
        let mut paths = vec![self.reloader.path().to_owned()];
        paths.extend(self.reloader.access().path().map(|path| Path::to_owned(path)));
        // With a result however long it takes: what comes late is told as late by the caller.
        let stamp = self.reloader.checker().submit(move || Stamp::of(&paths)).ok()?.await.ok()?;
        if checked.as_ref() == Some(&stamp) && !matches!(&*self.found.borrow(), FileState::Unreadable { .. })
        {
            return None;
        }
        let since = stamp.1;
        let found = match self.reloader.check().await {
            Ok(result) if result.changes.is_empty() => FileState::Same,
            Ok(_) => FileState::Changed { since },
            Err(error) => self.failed(&error, since),
        };
        *checked = Some(stamp);
        Some(found)
    }

    fn failed(&self, error: &ConfigError, since: Option<SystemTime>) -> FileState {
        let own = self.reloader.path();
        match error.diagnostics() {
            Some(found) => {
                let place = |file: &Path, line, column| format!("{}:{line}:{column}", file.display());
                let errors = found.map(|(file, error)| {
                    let position = error.position;
                    let place = place(file, position.line, position.column);
                    // Who looks may not know the users of the access file.
                    let message = match file == own {
                        true => format!("{}: {}; {}", error.path, error.message, error.hint),
                        false => "the access file is not valid; `maglevd --check` says why".to_owned(),
                    };
                    (place, message)
                });
                FileState::Invalid { errors: errors.collect(), since }
            }
            None => {
                let sentence = match error.is_public(own) {
                    true => Chain(error).to_string(),
                    false => "a file beside it cannot be read or is not valid; `maglevd --check` says why"
                        .to_owned(),
                };
                FileState::Unreadable { sentence, since: self.unreadable_since() }
            }
        }
    }

    fn unreadable_since(&self) -> Option<SystemTime> {
        match &*self.found.borrow() {
            FileState::Unreadable { since, .. } => *since,
            FileState::NotChecked
            | FileState::Same
            | FileState::Changed { .. }
            | FileState::Invalid { .. } => Some(SystemTime::now()),
        }
    }
}

#[cfg(test)]
mod tests;
