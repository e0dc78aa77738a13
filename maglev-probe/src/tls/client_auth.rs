//! Pure. The certificate to show to a server, and whether the server asked for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

/// Answers the request of one server for a certificate, and remembers it.
#[derive(Debug)]
pub(super) struct ClientAuth {
    certificates: Arc<dyn ResolvesClientCert>,
    requested: AtomicBool,
}

impl ClientAuth {
    /// For one session; `certificates` has the certificate, or none.
    pub(super) fn new(certificates: Arc<dyn ResolvesClientCert>) -> Arc<Self> {
        Arc::new(ClientAuth { certificates, requested: AtomicBool::new(false) })
    }

    /// Whether the server has asked for a certificate.
    pub(super) fn was_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for ClientAuth {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.requested.store(true, Ordering::Relaxed);
        self.certificates.resolve(issuers, schemes)
    }

    fn has_certs(&self) -> bool {
        self.certificates.has_certs()
    }
}
