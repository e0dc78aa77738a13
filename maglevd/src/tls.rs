//! Edge. The certificate the daemon shows, whom it believes, and both again when the files change.

mod certificate;
mod files;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use self::files::{Content, Loaded};
pub use self::files::{Files, TlsError};
use crate::failing::Failing;
use crate::reload::Chain;
use crate::worker::Worker;

/// How often the files are looked at. Renewals come days before they are needed.
const LOOK: Duration = Duration::from_secs(30);

/// How long reading them may take. A file system that takes longer hangs.
const READ: Duration = Duration::from_secs(10);

/// How long before its end a certificate is complained about at each load.
const SOON: Duration = Duration::from_secs(7 * 24 * 3600);

/// How often the same complaint is repeated.
const REPEAT: Duration = Duration::from_secs(3600);

/// What is spoken over a TLS session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC.
    Http2,
    /// Metrics.
    Http1,
}

/// The certificate in force. Cheap to clone; all clones show the same.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: Files,
    loaded: RwLock<Arc<Loaded>>,
    state: Mutex<State>,
    /// Why the files on disk were refused.
    refused: Mutex<Option<Failing>>,
    /// Reads the files.
    reader: Worker,
}

#[derive(Debug)]
struct State {
    /// What the files held when they were last taken or refused.
    seen: Option<Content>,
    /// The last complaint, and when it was made.
    complaint: Option<(String, tokio::time::Instant)>,
}

/// How the certificate in force is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsStatus {
    /// The file of the certificate.
    pub certificate: PathBuf,
    /// When the certificate expires.
    pub expires: SystemTime,
    /// Why the files on disk were refused, and since when; absent where the last load succeeded.
    pub refused: Option<Failing>,
}

impl Tls {
    /// Reads the files. Blocks while it does.
    pub fn load(files: Files) -> Result<Self, TlsError> {
        let content = files.read()?;
        let loaded = files.load(&content)?;
        warn_of_expiry(&files, &loaded);
        let state = State { seen: Some(content), complaint: None };
        let inner = Inner {
            files,
            loaded: RwLock::new(Arc::new(loaded)),
            state: Mutex::new(state),
            refused: Mutex::default(),
            reader: Worker::start("tls-files", 2).map_err(TlsError::Thread)?,
        };
        Ok(Tls(Arc::new(inner)))
    }

    /// What a new session is set up with.
    pub fn config(&self, protocol: Protocol) -> Arc<ServerConfig> {
        let loaded = self.0.loaded.read().unwrap_or_else(PoisonError::into_inner);
        match protocol {
            Protocol::Http2 => Arc::clone(&loaded.http2),
            Protocol::Http1 => Arc::clone(&loaded.http1),
        }
    }

    /// How it is doing.
    pub fn status(&self) -> TlsStatus {
        let expires = self.0.loaded.read().unwrap_or_else(PoisonError::into_inner).expires;
        let refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        TlsStatus { certificate: self.0.files.certificate.clone(), expires, refused }
    }

    /// Takes the files again if they hold something else than before. What cannot be taken is refused, and the old
    /// certificate stays in force. Connections that are open keep the one they were made with.
    ///
    /// Dropping the future is safe.
    pub async fn reload(&self) {
        let tls = self.clone();
        if let Err(error) = self.0.reader.read(READ, move || tls.take()).await {
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.refuse(&mut state, Chain(&error).to_string());
        }
    }

    fn take(&self) {
        // Read before the lock is taken, which others wait for. Only the thread of the files comes here, so what was read
        // last is in force at the end.
        let content = self.0.files.read();
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = content.and_then(|content| {
            if state.seen.as_ref() == Some(&content) {
                return Ok(None);
            }
            let loaded = self.0.files.load(&content)?;
            Ok(Some((content, loaded)))
        });
        match result {
            Ok(None) => {
                if self.status().refused.is_some() {
                    tracing::info!("the TLS files are again those in force");
                }
            }
            Ok(Some((content, loaded))) => {
                tracing::info!(
                    certificate = %self.0.files.certificate.display(),
                    expires = %humantime::format_rfc3339_seconds(loaded.expires),
                    "TLS certificate reloaded"
                );
                warn_of_expiry(&self.0.files, &loaded);
                state.seen = Some(content);
                *self.0.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
            }
            Err(error) => {
                self.refuse(&mut state, Chain(&error).to_string());
                return;
            }
        }
        *self.0.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
        state.complaint = None;
    }

    /// Keeps and logs why the files are not taken; the same is not logged again and again.
    fn refuse(&self, state: &mut State, words: String) {
        let mut refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused = Some(Failing::again(refused.take(), &words, SystemTime::now()));
        drop(refused);
        let told = state.complaint.as_ref();
        if told.is_none_or(|(before, at)| *before != words || at.elapsed() >= REPEAT) {
            tracing::error!(error = words, "TLS certificate not reloaded, the old one stays in force");
            state.complaint = Some((words, tokio::time::Instant::now()));
        }
    }

    /// Looks at the files every now and then until `stop`, so that renewals need nobody to tell of them.
    pub async fn watch(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => self.reload().await,
            }
        }
    }
}

/// The names in a verified client's certificate.
pub fn client_names(certificate: &CertificateDer<'_>) -> Vec<String> {
    certificate::names(certificate)
}

fn warn_of_expiry(files: &Files, loaded: &Loaded) {
    let (file, expires) = (files.certificate.display(), humantime::format_rfc3339_seconds(loaded.expires));
    match loaded.expires.duration_since(SystemTime::now()) {
        Err(_) => tracing::warn!(
            certificate = %file, %expires,
            "the TLS certificate has expired, and clients will refuse it: renew it, it is taken within half a minute"
        ),
        Ok(left) if left < SOON => {
            tracing::warn!(certificate = %file, %expires, "the TLS certificate expires within a week");
        }
        Ok(_) => {}
    }
}

#[cfg(test)]
mod tests;
