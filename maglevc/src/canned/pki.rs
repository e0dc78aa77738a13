//! Certificates of a small world, and a TLS door before a canned server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, UnixStream};

/// Whose certificate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// The server `localhost` and `lb1.example.org`.
    Server,
    /// A server of another name.
    Elsewhere,
    /// The server, until the year 2001.
    Past,
    /// The server, from the year 3001 on.
    Future,
    /// The client `alice`.
    Client,
    /// The client `alice`, until the year 2001.
    PastClient,
}

/// Whether the door asks for a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// No.
    Nothing,
    /// Yes, and goes without.
    Maybe,
    /// Yes, and lets nobody in without.
    Certificate,
}

/// Two CAs, and the files of what they signed.
pub(crate) struct Pki {
    /// Where all files are.
    pub(crate) directory: tempfile::TempDir,
    ca: CertifiedIssuer<'static, KeyPair>,
    other: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    /// With `ca.pem` and `other-ca.pem` written.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (ca, other) = (authority("Site CA"), authority("Other CA"));
        let pki = Self { directory, ca, other };
        pki.write("ca.pem", &pki.ca.as_ref().pem(), 0o644);
        pki.write("other-ca.pem", &pki.other.as_ref().pem(), 0o644);
        pki
    }

    /// The path of a file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file with these permissions.
    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Writes `NAME.pem` and `NAME-key.pem`, signed by the first CA or the other.
    pub(crate) fn issue(&self, name: &str, whose: For, by_other: bool) {
        let key = KeyPair::generate().unwrap();
        let names: &[&str] = match whose {
            For::Server | For::Past | For::Future => &["localhost", "lb1.example.org"],
            For::Elsewhere => &["lb2.example.org", "192.0.2.2", "*.example.net"],
            For::Client | For::PastClient => &["alice"],
        };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![match whose {
            For::Client | For::PastClient => ExtendedKeyUsagePurpose::ClientAuth,
            _ => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        match whose {
            For::Past | For::PastClient => {
                (params.not_before, params.not_after) =
                    (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 2, 3));
            }
            For::Future => {
                (params.not_before, params.not_after) =
                    (date_time_ymd(3001, 2, 3), date_time_ymd(3002, 1, 1));
            }
            _ => {}
        }
        let issuer = if by_other { &self.other } else { &self.ca };
        let cert = params.signed_by(&key, issuer).unwrap();
        self.write(&format!("{name}.pem"), &cert.pem(), 0o644);
        self.write(&format!("{name}-key.pem"), &key.serialize_pem(), 0o600);
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A TLS door: what comes through it reaches a server at a Unix socket. Dropping it closes it.
pub(crate) struct Door {
    /// The port of `localhost`.
    pub(crate) port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Door {
    /// Opens a door with the certificate of this name, which is read anew for each connection.
    pub(crate) async fn open(pki: &Pki, name: &str, wants: Wants, to: &Path) -> Self {
        Self::open_at(pki, name, wants, to, 0).await
    }

    /// As [`Door::open`], on this port.
    pub(crate) async fn open_at(pki: &Pki, name: &str, wants: Wants, to: &Path, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cert, key) = (pki.path(&format!("{name}.pem")), pki.path(&format!("{name}-key.pem")));
        let (ca, to) = (pki.path("ca.pem"), to.to_owned());
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let config = config(&cert, &key, &ca, wants);
                let to = to.clone();
                tokio::spawn(async move {
                    let mut near = tokio_rustls::TlsAcceptor::from(config).accept(tcp).await.ok()?;
                    let mut far = UnixStream::connect(to).await.ok()?;
                    tokio::io::copy_bidirectional(&mut near, &mut far).await.ok()
                });
            }
        });
        Self { port, task }
    }
}

fn config(cert: &Path, key: &Path, ca: &Path, wants: Wants) -> Arc<ServerConfig> {
    let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
    let chain = CertificateDer::pem_file_iter(cert).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = match wants {
        Wants::Nothing => builder.with_no_client_auth(),
        Wants::Maybe => builder.with_client_cert_verifier(clients.allow_unauthenticated().build().unwrap()),
        Wants::Certificate => builder.with_client_cert_verifier(clients.build().unwrap()),
    };
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}
