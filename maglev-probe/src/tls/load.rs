//! Edge. From PEM files to the configuration of a TLS client.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use maglev_core::check::ClientCertificate;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, InconsistentKeys, RootCertStore};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::unverified::AnyCertificate;
use super::verified::Verifier;
use crate::fault;

/// The largest file that is read. Debian's authorities have 200 kB; a path to a disk image by mistake should not be read
/// whole.
const MAX_FILE: u64 = 4 << 20;

/// The certificates to accept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Trust {
    /// Any certificate.
    Anyone,
    /// Those issued by the authorities of the operating system.
    System,
    /// Those issued by the authorities in a PEM file.
    File(PathBuf),
}

/// What the sessions of a check have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Session {
    /// The certificates to accept.
    pub(super) trust: Trust,
    /// The certificate to show.
    pub(super) client: Option<ClientCertificate>,
}

impl From<Trust> for Session {
    fn from(trust: Trust) -> Self {
        Session { trust, client: None }
    }
}

impl Session {
    /// The files it is made from.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let authorities = match &self.trust {
            Trust::File(path) => Some(path.as_path()),
            Trust::Anyone | Trust::System => None,
        };
        let client = self.client.iter().flat_map(|client| [client.certificate.as_path(), &client.key]);
        authorities.into_iter().chain(client)
    }

    /// Reads the files and makes a configuration of them. Blocks while it reads.
    pub(super) fn load(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<ClientConfig>, LoadError> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()
            .map_err(LoadError::Library)?;
        let roots = match &self.trust {
            Trust::Anyone => None,
            Trust::System => Some(system()?),
            Trust::File(path) => Some(authorities(path)?),
        };
        let builder = match roots {
            None => builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate)),
            Some(roots) => {
                let roots = Arc::new(roots);
                let webpki =
                    WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider))
                        .build()
                        .map_err(|error| LoadError::Library(rustls::Error::General(error.to_string())))?;
                let verifier = Arc::new(Verifier::new(webpki, roots));
                builder.dangerous().with_custom_certificate_verifier(verifier)
            }
        };
        let mut config = match &self.client {
            None => builder.with_no_client_auth(),
            Some(files) => {
                let certified = client_certificate(files, provider)?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
        };
        // A resumed session shows no certificate, and a check that does not see the certificate misses that it expired.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

/// Why there is no configuration.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("cannot read the {param} {}", path.display())]
    Read { param: &'static str, path: PathBuf, source: Arc<io::Error> },
    #[error("the ca-file {} has no usable certificate in it, it should hold PEM blocks of authorities", .0.display())]
    NoAuthority(PathBuf),
    #[error("the client-cert {} has no certificate in it, it should hold PEM blocks with BEGIN CERTIFICATE", .0.display())]
    NoCertificate(PathBuf),
    #[error(
        "the client-key {} has no private key in it, it should hold a PEM block with BEGIN PRIVATE KEY, without a passphrase", .0.display()
    )]
    NoKey(PathBuf),
    #[error("the client-key {} does not belong to the first certificate in {}", .0.key.display(), .0.certificate.display())]
    Mismatch(ClientCertificate),
    #[error("the client-key {} cannot be used with the certificate in {}", files.key.display(), files.certificate.display())]
    Unusable { files: ClientCertificate, source: rustls::Error },
    #[error("this system has no certificate authorities: install ca-certificates or set ca-file")]
    NoSystem,
    #[error("the TLS library refused its own settings")]
    Library(#[source] rustls::Error),
    #[error("reading the certificates was given up")]
    GivenUp,
}

impl LoadError {
    /// The error and its cause as part of a sentence.
    pub(super) fn sentence(&self) -> String {
        match self {
            LoadError::Read { source, .. } => format!("{self}: {}", fault::words(source)),
            LoadError::Library(source) | LoadError::Unusable { source, .. } => format!("{self}: {source}"),
            LoadError::NoAuthority(_)
            | LoadError::NoCertificate(_)
            | LoadError::NoKey(_)
            | LoadError::Mismatch(_)
            | LoadError::NoSystem
            | LoadError::GivenUp => self.to_string(),
        }
    }

    /// The parameter of the check and the file that are at fault, if a file is.
    pub(super) fn file(&self) -> Option<(&'static str, &Path)> {
        match self {
            LoadError::Read { param, path, .. } => Some((param, path)),
            LoadError::NoAuthority(path) => Some(("ca-file", path)),
            LoadError::NoCertificate(path) => Some(("client-cert", path)),
            LoadError::NoKey(path) => Some(("client-key", path)),
            LoadError::Mismatch(files) | LoadError::Unusable { files, .. } => {
                Some(("client-key", &files.key))
            }
            LoadError::NoSystem | LoadError::Library(_) | LoadError::GivenUp => None,
        }
    }
}

fn read(param: &'static str, path: &Path) -> Result<Vec<u8>, LoadError> {
    maglev_file::read_settled(path, MAX_FILE).map_err(|source| LoadError::Read {
        param,
        path: path.to_owned(),
        source: Arc::new(source),
    })
}

fn system() -> Result<RootCertStore, LoadError> {
    let mut roots = RootCertStore::empty();
    // A few that webpki cannot read are usual.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(LoadError::NoSystem) } else { Ok(roots) }
}

fn authorities(path: &Path) -> Result<RootCertStore, LoadError> {
    let pem = read("ca-file", path)?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
    if roots.is_empty() { Err(LoadError::NoAuthority(path.to_owned())) } else { Ok(roots) }
}

fn client_certificate(
    files: &ClientCertificate,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, LoadError> {
    let ClientCertificate { certificate, key } = files;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read("client-cert", certificate)?)
        .collect::<Result<_, _>>()
        .unwrap_or_default();
    if chain.is_empty() {
        return Err(LoadError::NoCertificate(certificate.clone()));
    }
    let key = PrivateKeyDer::from_pem_slice(&read("client-key", key)?)
        .map_err(|_| LoadError::NoKey(key.clone()))?;
    let unusable = |source| LoadError::Unusable { files: files.clone(), source };
    let key = provider.key_provider.load_private_key(key).map_err(unusable)?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(LoadError::Mismatch(files.clone()))
        }
        // webpki cannot read each certificate, such as those of X.509 version 1, and the server need not use webpki.
        Err(_) if certified.cert.first().is_some_and(|own| X509Certificate::from_der(own).is_ok()) => {
            Ok(certified)
        }
        Err(source) => Err(unusable(source)),
    }
}
