//! Edge. PEM files, and what rustls makes of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, RootCertStore, ServerConfig};
use thiserror::Error;

use super::certificate;
use crate::ownership;

/// The largest file that is read. A chain has some kilobytes, the authorities of a whole system 200.
const SIZE_LIMIT: u64 = 4 << 20;

/// Where the certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate and those between it and its authority, as PEM, its own first.
    pub certificate: PathBuf,
    /// Its key, as PEM.
    pub key: PathBuf,
    /// The authorities that clients' certificates are verified against, as PEM. Absent: clients are not asked for one.
    pub client_ca: Option<PathBuf>,
}

/// Why TLS cannot be served with these files.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}, which {flag} names")]
    Read {
        /// The flag.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no certificate in a file that should hold some.
    #[error("{path} holds no certificate: {flag} wants a PEM file with BEGIN CERTIFICATE in it")]
    NoCertificate {
        /// The flag.
        flag: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// There is no key in the file.
    #[error(
        "{path} holds no private key: --tls-key wants a PEM file with BEGIN PRIVATE KEY in it, without a passphrase"
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is of another certificate.
    #[error(
        "the key in {key} does not belong to the first certificate in {certificate}: give files that were made \
             together, with the server's own certificate before those of authorities"
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate cannot be used.
    #[error("the certificate in {certificate} with the key in {key} cannot be used")]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// The certificate does not say until when it is valid.
    #[error("the first certificate in {path} is damaged: its expiry cannot be read")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Clients cannot be verified against these authorities.
    #[error("clients cannot be verified against {path}, which --tls-client-ca names")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::server::VerifierBuilderError,
    },
    /// The system has no thread left.
    #[error(
        "cannot start the thread that reads TLS files: raise the limit of processes (TasksMax=, pids.max)"
    )]
    Thread(#[source] io::Error),
    /// rustls refuses its own settings.
    #[error("the TLS library refused its own settings")]
    Library(#[source] rustls::Error),
}

/// What the files hold.
#[derive(PartialEq, Eq)]
pub(super) struct Content {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// A key is in it.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").finish_non_exhaustive()
    }
}

/// What was made of them.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) http2: Arc<ServerConfig>,
    pub(super) http1: Arc<ServerConfig>,
    pub(super) expires: SystemTime,
}

impl Files {
    pub(super) fn read(&self) -> Result<Content, TlsError> {
        let one = |flag, path: &Path| {
            maglev_file::read_settled(path, SIZE_LIMIT).map_err(|source| TlsError::Read {
                flag,
                path: path.to_owned(),
                source,
            })
        };
        // Whoever can change these can be the server, or any client.
        let guarded = |flag, path: &Path| {
            let owned = ownership::check(path);
            owned.map_err(|source| TlsError::Read { flag, path: path.to_owned(), source })?;
            one(flag, path)
        };
        Ok(Content {
            certificate: one("--tls-cert", &self.certificate)?,
            key: guarded("--tls-key", &self.key)?,
            client_ca: self.client_ca.as_deref().map(|path| guarded("--tls-client-ca", path)).transpose()?,
        })
    }

    pub(super) fn load(&self, content: &Content) -> Result<Loaded, TlsError> {
        // Given to rustls explicitly: its idea of a default is for the whole process, and that is not ours to set.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = certificates("--tls-cert", &self.certificate, &content.certificate)?;
        let first = chain.first();
        let expires = first.and_then(|own| certificate::expiry(own));
        let expires = expires.ok_or_else(|| TlsError::Damaged { path: self.certificate.clone() })?;
        let key = PrivateKeyDer::from_pem_slice(&content.key)
            .map_err(|_| TlsError::NoKey { path: self.key.clone() })?;
        let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|source| match source {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::Mismatch { certificate: self.certificate.clone(), key: self.key.clone() }
            }
            source => {
                TlsError::Unusable { certificate: self.certificate.clone(), key: self.key.clone(), source }
            }
        })?;
        let http1 = self.config(content, &provider, Arc::new(certified))?;
        let mut http2 = http1.clone();
        http2.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Loaded { http2: Arc::new(http2), http1: Arc::new(http1), expires })
    }

    fn config(
        &self,
        content: &Content,
        provider: &Arc<CryptoProvider>,
        certified: Arc<CertifiedKey>,
    ) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Library)?;
        let builder = match (&self.client_ca, &content.client_ca) {
            (Some(path), Some(pem)) => {
                let mut roots = RootCertStore::empty();
                let authorities = certificates("--tls-client-ca", path, pem)?;
                roots.add_parsable_certificates(authorities);
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                        // Who shows none is anonymous, or has a token.
                        .allow_unauthenticated()
                        .build()
                        .map_err(|source| TlsError::Authorities { path: path.clone(), source })?;
                builder.with_client_cert_verifier(verifier)
            }
            (None, _) | (_, None) => builder.with_no_client_auth(),
        };
        let resolver = rustls::sign::SingleCertAndKey::from(certified);
        let mut config = builder.with_cert_resolver(Arc::new(resolver));
        // A resumed session shows no certificate: one that has expired meanwhile would be believed.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn certificates(
    flag: &'static str,
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.unwrap_or_default();
    if found.is_empty() { Err(TlsError::NoCertificate { flag, path: path.to_owned() }) } else { Ok(found) }
}
