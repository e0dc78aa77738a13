//! Pure. Verifying certificates with webpki, and saying what it does not say: that a key is too short.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate, X509Name};
use x509_parser::public_key::PublicKey;

/// The shortest RSA key that webpki takes with aws-lc.
const SHORTEST_RSA: usize = 2048;

/// A key is too short to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the RSA key of {whose} has {bits} bits, and those under {SHORTEST_RSA} are not trusted")]
pub(super) struct ShortKey {
    whose: &'static str,
    bits: usize,
}

/// webpki's verifier. For a short key it only reports that a signature does not match.
#[derive(Debug)]
pub(super) struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
}

impl Verifier {
    pub(super) fn new(webpki: Arc<WebPkiServerVerifier>, roots: Arc<RootCertStore>) -> Self {
        Verifier { webpki, roots }
    }

    /// `error`, or the short key that it may come from.
    fn explain(
        &self,
        error: Error,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Error {
        match error {
            Error::InvalidCertificate(
                CertificateError::BadSignature
                | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
            ) => match self.short_key(end_entity, intermediates) {
                Some(short) => CertificateError::Other(OtherError(Arc::new(short))).into(),
                None => error,
            },
            other => other,
        }
    }

    fn short_key(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Option<ShortKey> {
        let chain = std::iter::once((end_entity, "its certificate"))
            .chain(intermediates.iter().map(|certificate| (certificate, "an intermediate authority")));
        for (certificate, whose) in chain {
            let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
            if let Some(bits) = short(certificate.public_key()) {
                return Some(ShortKey { whose, bits });
            }
            if let Some(bits) = self.roots.roots.iter().find_map(|root| {
                // webpki keeps the contents of both, without the SEQUENCE around them.
                let issuer = content(certificate.issuer())?;
                let matches = root.subject.as_ref() == issuer;
                let key = matches.then(|| sequence(root.subject_public_key_info.as_ref()))?;
                short(&SubjectPublicKeyInfo::from_der(&key).ok()?.1)
            }) {
                return Some(ShortKey { whose: "the authority that issued it", bits });
            }
        }
        None
    }
}

/// The bits of an RSA key that is too short.
fn short(key: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    match key.parsed().ok()? {
        PublicKey::RSA(key) => Some(key.key_size()).filter(|&bits| bits < SHORTEST_RSA),
        _ => None,
    }
}

/// What is in the SEQUENCE of a name.
fn content<'n>(name: &'n X509Name<'_>) -> Option<&'n [u8]> {
    let der = name.as_raw();
    let header = match *der.get(1)? {
        short if short < 0x80 => 2,
        long => 2 + usize::from(long & 0x7f),
    };
    der.get(header..)
}

/// A SEQUENCE with these contents.
fn sequence(content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|&byte| byte == 0).collect();
    let mut der = vec![0x30];
    match (content.len(), u8::try_from(length.len())) {
        (short @ ..0x80, _) => der.extend(u8::try_from(short)),
        (_, Ok(bytes)) => {
            der.push(0x80 | bytes);
            der.extend(length);
        }
        (_, Err(_)) => {}
    }
    der.extend(content);
    der
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.webpki
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| self.explain(error, end_entity, intermediates))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, cert, dss).map_err(|error| self.explain(error, cert, &[]))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, cert, dss).map_err(|error| self.explain(error, cert, &[]))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}
