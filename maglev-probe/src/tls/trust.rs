//! Edge. Configurations of TLS clients, made once and shared by all probes that want the same.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;

use super::load::{LoadError, Session};
use super::reader::Reader;

#[cfg(test)]
mod tests;

/// How long a file is believed to be what it was, and how long a failure lasts before the next try. New authorities
/// take effect within this time; reading a file for every probe would cost more than the probe.
const FRESH: Duration = Duration::from_secs(5);

/// How long an entry nobody asks for is kept after it went stale, so that reloads do not pile up old files.
const KEEP: Duration = Duration::from_secs(600);

type Loaded = Result<Arc<ClientConfig>, LoadError>;

/// What tells a file from the one that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    len: u64,
    modified: (i64, i64),
}

#[derive(Default)]
struct Entry {
    loaded: Option<Loaded>,
    /// Of each file; none where one is not there.
    stamps: Option<Vec<Stamp>>,
    /// `None` is for ever.
    fresh_until: Option<Instant>,
    /// Held by whoever reads, so that a thousand probes read a file once.
    reading: Arc<tokio::sync::Mutex<()>>,
}

impl Entry {
    fn fresh(&self) -> Option<Loaded> {
        let fresh = self.fresh_until.is_none_or(|until| Instant::now() < until);
        self.loaded.clone().filter(|_| fresh)
    }

    fn is_abandoned(&self) -> bool {
        self.fresh_until.is_some_and(|until| until.elapsed() > KEEP)
    }
}

/// The TLS configurations in use, one for each kind of [`Session`].
pub(super) struct TrustStore {
    provider: Arc<CryptoProvider>,
    entries: Arc<Mutex<HashMap<Session, Entry>>>,
    reader: Reader,
}

impl TrustStore {
    pub(super) fn new(provider: Arc<CryptoProvider>) -> Self {
        TrustStore { provider, entries: Arc::default(), reader: Reader::start() }
    }

    /// Reads the authorities of the system and every file again before the next session that needs them.
    pub(super) fn reload(&self) {
        let now = Instant::now();
        for entry in self.entries.lock().unwrap_or_else(PoisonError::into_inner).values_mut() {
            (entry.fresh_until, entry.stamps) = (Some(now), None);
        }
    }

    /// The configuration for a session. Files are read on a thread for blocking work, one at a time for each session, so a
    /// file system that hangs holds up one thread and the probes that need it.
    pub(super) async fn config(&self, session: impl Into<Session>) -> Loaded {
        let session = session.into();
        let reading = {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(loaded) = entries.get(&session).and_then(Entry::fresh) {
                return loaded;
            }
            entries.retain(|_, entry| !entry.is_abandoned());
            entries.entry(session.clone()).or_default().reading.clone()
        };
        let guard = reading.lock_owned().await;
        let (entries, provider) = (self.entries.clone(), self.provider.clone());
        let read = self.reader.run(move || {
            let _guard = guard;
            // The first random byte of a process takes aws-lc some 60 ms. Here it is not on a backend's time, and an
            // error comes back in the handshake.
            let _ = provider.secure_random.fill(&mut [0]);
            refresh(&entries, session, &provider)
        });
        read.await.unwrap_or(Err(LoadError::GivenUp))
    }
}

/// Loads a session unless another probe has just done it or nothing changed, and keeps the result.
fn refresh(
    entries: &Mutex<HashMap<Session, Entry>>,
    session: Session,
    provider: &Arc<CryptoProvider>,
) -> Loaded {
    let lock = || entries.lock().unwrap_or_else(PoisonError::into_inner);
    let known = match lock().get(&session) {
        Some(entry) => match (entry.fresh(), &entry.loaded) {
            (Some(loaded), _) => return loaded,
            (None, Some(Ok(config))) => entry.stamps.clone().map(|stamps| (stamps, config.clone())),
            (None, Some(Err(_)) | None) => None,
        },
        None => None,
    };
    let stamps: Option<Vec<Stamp>> = session.files().map(stamp).collect();
    let has_files = session.files().next().is_some();
    let loaded = match (known, &stamps) {
        (Some((before, config)), Some(now)) if has_files && before == *now => Ok(config),
        _ => session.load(provider),
    };
    let for_ever = loaded.is_ok() && !has_files;
    let mut entries = lock();
    let entry = entries.entry(session).or_default();
    entry.loaded = Some(loaded.clone());
    entry.stamps = stamps;
    entry.fresh_until = (!for_ever).then(|| Instant::now() + FRESH);
    loaded
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp {
        inode: metadata.ino(),
        len: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
    })
}
