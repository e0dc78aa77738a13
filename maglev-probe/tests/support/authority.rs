//! A private certificate authority, and a server for the certificates it issues.

use std::path::PathBuf;
use std::sync::Arc;

use maglev_core::check::TlsSpec;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::support::{act, read_request, send, verified_by};

pub(crate) const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/// A private authority and the file that holds it.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, dir }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    pub(crate) fn issue(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        Identity::new(cert.der().clone(), &key)
    }

    pub(crate) fn spec(&self) -> TlsSpec {
        verified_by(&self.file())
    }
}

pub(crate) struct Identity {
    pub(crate) cert: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Identity {
    pub(crate) fn acceptor(self, versions: &[&'static SupportedProtocolVersion]) -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.cert], self.key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    pub(crate) fn new(cert: CertificateDer<'static>, key: &KeyPair) -> Self {
        Identity { cert, key: PrivateKeyDer::try_from(key.serialize_der()).unwrap() }
    }

    pub(crate) fn self_signed(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        Identity::new(cert.der().clone(), &key)
    }
}

/// A certificate for a name and for the loopback addresses.
pub(crate) fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::IpAddress("127.0.0.1".parse().unwrap()));
    params.subject_alt_names.push(SanType::IpAddress("::1".parse().unwrap()));
    params
}

pub(crate) fn named(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).unwrap()
}

/// Serves one connection after the other and gives the server names that were asked for.
pub(crate) fn serve(
    listener: TcpListener,
    identity: Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> mpsc::UnboundedReceiver<Option<String>> {
    let acceptor = identity.acceptor(versions);
    let (seen, names) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, seen) = (acceptor.clone(), seen.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = seen.send(stream.get_ref().1.server_name().map(str::to_owned));
                let sent = Default::default();
                if read_request(&mut stream).await.is_ok() {
                    let _ = act(&mut stream, &send(ANSWER), &sent).await;
                }
            });
        }
    });
    names
}
