//! Edge. Whom to trust: certificate authorities read once and shared by all probes that trust the same.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::reader::Reader;
use super::unverified::AnyCertificate;
use crate::fault;

#[cfg(test)]
mod tests;

/// How long a file is believed to be what it was, and how long a failure lasts before the next try. New authorities
/// take effect within this time; reading a file for every probe would cost more than the probe.
const FRESH: Duration = Duration::from_secs(5);

/// How long an entry nobody asks for is kept after it went stale, so that reloads do not pile up old files.
const KEEP: Duration = Duration::from_secs(600);

/// The largest file of authorities. Debian's has 200 kB; a path to a disk image by mistake should not be read whole.
const MAX_FILE: u64 = 4 << 20;

/// Whom to trust.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Trust {
    /// Any certificate.
    Anyone,
    /// The authorities of the operating system, read once.
    System,
    /// Those in a PEM file, read again when it changes.
    File(PathBuf),
}

/// Why there is nobody to trust.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum TrustError {
    #[error("cannot read the ca-file {}", path.display())]
    Read { path: PathBuf, source: Arc<io::Error> },
    #[error("the ca-file {} is no file", .0.display())]
    NoFile(PathBuf),
    #[error("the ca-file {} is larger than {} MiB", .0.display(), MAX_FILE >> 20)]
    TooLarge(PathBuf),
    #[error("the ca-file {} has no usable certificate in it, it should hold PEM blocks of authorities", .0.display())]
    NoCertificate(PathBuf),
    #[error("this system has no certificate authorities: install ca-certificates or set ca-file")]
    NoSystem,
    #[error("the TLS library refused its own settings")]
    Library(#[source] rustls::Error),
    #[error("reading the certificate authorities was given up")]
    GivenUp,
}

impl TrustError {
    /// The error and its cause as part of a sentence.
    pub(super) fn sentence(&self) -> String {
        match self {
            TrustError::Read { source, .. } => format!("{self}: {}", fault::words(source)),
            TrustError::Library(source) => format!("{self}: {source}"),
            TrustError::NoFile(_)
            | TrustError::TooLarge(_)
            | TrustError::NoCertificate(_)
            | TrustError::NoSystem
            | TrustError::GivenUp => self.to_string(),
        }
    }
}

type Loaded = Result<Arc<ClientConfig>, TrustError>;

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
    stamp: Option<Stamp>,
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

/// The TLS configurations in use, one for each kind of [`Trust`].
pub(super) struct TrustStore {
    provider: Arc<CryptoProvider>,
    entries: Arc<Mutex<HashMap<Trust, Entry>>>,
    reader: Reader,
}

impl TrustStore {
    pub(super) fn new(provider: Arc<CryptoProvider>) -> Self {
        TrustStore { provider, entries: Arc::default(), reader: Reader::start() }
    }

    /// The configuration for `trust`. Files are read on a thread for blocking work, one at a time for each path, so a
    /// file system that hangs holds up one thread and the probes that need it.
    pub(super) async fn config(&self, trust: Trust) -> Loaded {
        let reading = {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(loaded) = entries.get(&trust).and_then(Entry::fresh) {
                return loaded;
            }
            entries.retain(|_, entry| !entry.is_abandoned());
            entries.entry(trust.clone()).or_default().reading.clone()
        };
        let guard = reading.lock_owned().await;
        let (entries, provider) = (self.entries.clone(), self.provider.clone());
        let read = self.reader.run(move || {
            let _guard = guard;
            // The first random byte of a process takes aws-lc some 60 ms. Here it is not on a backend's time, and an
            // error comes back in the handshake.
            let _ = provider.secure_random.fill(&mut [0]);
            refresh(&entries, trust, provider)
        });
        read.await.unwrap_or(Err(TrustError::GivenUp))
    }
}

/// Reads `trust` unless another has just done it or nothing changed, and keeps the result.
fn refresh(entries: &Mutex<HashMap<Trust, Entry>>, trust: Trust, provider: Arc<CryptoProvider>) -> Loaded {
    let lock = || entries.lock().unwrap_or_else(PoisonError::into_inner);
    let known = match lock().get(&trust) {
        Some(entry) => match (entry.fresh(), &entry.loaded) {
            (Some(loaded), _) => return loaded,
            (None, Some(Ok(config))) => entry.stamp.map(|stamp| (stamp, config.clone())),
            (None, Some(Err(_)) | None) => None,
        },
        None => None,
    };
    let (loaded, stamp) = match &trust {
        Trust::Anyone => (anyone(provider), None),
        Trust::System => (system().and_then(|roots| trusting(roots, provider)), None),
        Trust::File(path) => {
            let stamp = stamp(path);
            match (known, stamp) {
                (Some((before, config)), Some(now)) if before == now => (Ok(config), stamp),
                _ => (from_file(path).and_then(|roots| trusting(roots, provider)), stamp),
            }
        }
    };
    let for_ever = loaded.is_ok() && !matches!(trust, Trust::File(_));
    let mut entries = lock();
    let entry = entries.entry(trust).or_default();
    entry.loaded = Some(loaded.clone());
    entry.stamp = stamp;
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

fn anyone(provider: Arc<CryptoProvider>) -> Loaded {
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(TrustError::Library)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Ok(finished(config))
}

fn trusting(roots: RootCertStore, provider: Arc<CryptoProvider>) -> Loaded {
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TrustError::Library)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(finished(config))
}

fn finished(mut config: ClientConfig) -> Arc<ClientConfig> {
    // A resumed session shows no certificate, and a check that does not see the certificate misses that it expired.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

fn system() -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    // A few that webpki cannot read are usual.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TrustError::NoSystem) } else { Ok(roots) }
}

fn from_file(path: &Path) -> Result<RootCertStore, TrustError> {
    let unreadable = |source| TrustError::Read { path: path.to_owned(), source: Arc::new(source) };
    // Looked at before it is opened: opening a FIFO waits for somebody to write to it.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(TrustError::NoFile(path.to_owned()));
    }
    let mut pem = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut pem)).map_err(unreadable)?;
    if pem.len() as u64 > MAX_FILE {
        return Err(TrustError::TooLarge(path.to_owned()));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
    if roots.is_empty() { Err(TrustError::NoCertificate(path.to_owned())) } else { Ok(roots) }
}
