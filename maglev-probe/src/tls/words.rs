//! Pure. What went wrong with TLS, in words.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

use super::verified::ShortKey;
use crate::fault;
use crate::text::{Day, Quoted};

#[cfg(test)]
mod tests;

/// How many names of a certificate are told. A certificate can have thousands.
const NAMES: usize = 3;

/// The TLS error that caused `error`, if one did.
pub(crate) fn cause(error: &io::Error) -> Option<&Error> {
    // An `io::Error` gives the source of what it holds, not what it holds.
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())
}

/// Why there is no session, as the rest of a sentence.
pub(crate) fn words(error: &io::Error) -> String {
    match (cause(error), error.kind()) {
        (Some(error), _) => tls(error),
        (None, io::ErrorKind::UnexpectedEof) => "the server closed the connection".to_owned(),
        (None, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            "the server reset the connection".to_owned()
        }
        // rustls' own for a message longer than it holds.
        (None, io::ErrorKind::InvalidData) => NOT_TLS.to_owned(),
        (None, _) => fault::words(error),
    }
}

/// For breaches of the protocol that an operator cannot do anything with in detail.
const NOT_TLS: &str = "the server does not keep to the TLS protocol";

fn tls(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::NoCertificatesPresented => "the server showed no certificate".to_owned(),
        Error::AlertReceived(alert) => {
            format!("the server ended it with the alert {}", alert_name(*alert))
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType)
        | Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => {
            "the server does not speak TLS on this port".to_owned()
        }
        Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_)
        | Error::PeerSentOversizedRecord
        | Error::DecryptError => NOT_TLS.to_owned(),
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)
        | Error::PeerIncompatible(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig) => {
            "the server speaks neither TLS 1.2 nor TLS 1.3".to_owned()
        }
        Error::PeerIncompatible(_) => "the server shares no TLS version or cipher with us".to_owned(),
        // Of this process, or of parts of TLS that are not in use; in the library's words, cut to a line.
        other => format!("TLS failed with {}", Quoted(other.to_string().as_bytes())),
    }
}

fn alert_name(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::HandshakeFailure => "handshake_failure".to_owned(),
        AlertDescription::ProtocolVersion => {
            "protocol_version: it may speak only TLS 1.1 or older".to_owned()
        }
        AlertDescription::UnrecognisedName => {
            "unrecognized_name: it does not know the server name".to_owned()
        }
        AlertDescription::CertificateRequired => {
            "certificate_required: it wants a certificate of the client".to_owned()
        }
        other => match other.as_str() {
            Some(name) => name.to_owned(),
            None => format!("number {}", u8::from(other)),
        },
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate expired on {}", Day { unix_seconds: not_after.as_secs() })
        }
        CertificateError::Expired => "its certificate expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is not valid before {}", Day { unix_seconds: not_before.as_secs() })
        }
        CertificateError::NotValidYet => "its certificate is not valid yet".to_owned(),
        CertificateError::UnknownIssuer => {
            "its certificate is self-signed or by an issuer that is not trusted".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let wanted = expected.to_str();
            let names = names(presented);
            if names.is_empty() {
                format!("its certificate is for no name at all, wanted {wanted}")
            } else {
                format!("its certificate is for {names}, not {wanted}")
            }
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        // What is left of an authority that was made anew under its old name.
        CertificateError::BadSignature => {
            "its certificate is signed with another key than that of the authority of this name".to_owned()
        }
        CertificateError::BadEncoding => "its certificate cannot be read".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not for servers".to_owned()
        }
        CertificateError::Other(error) if error.0.downcast_ref::<ShortKey>().is_some() => error.to_string(),
        CertificateError::Other(error) if innermost(error) == "UnsupportedCriticalExtension" => {
            "its certificate has a critical extension that is not known here".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. } => {
            "its certificate is signed with an algorithm that is not trusted, such as SHA-1".to_owned()
        }
        CertificateError::Other(error) if innermost(error) == "UnsupportedCertVersion" => {
            "its certificate is of X.509 version 1, and only version 3 is trusted".to_owned()
        }
        // webpki's own error, which rustls does not name. It is what `openssl req -x509` makes.
        CertificateError::Other(error) if innermost(error) == "CaUsedAsEndEntity" => {
            "its certificate is that of an authority (CA:TRUE), which cannot stand for a server".to_owned()
        }
        other => format!("its certificate is not good: {}", Quoted(other.to_string().as_bytes())),
    }
}

/// The first few names of a certificate, in quotes. They come as `DnsName("example.org")`.
fn names(presented: &[String]) -> String {
    let mut names: Vec<String> = presented
        .iter()
        .take(NAMES)
        .map(|name| {
            let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
            Quoted(inner.trim_matches('"').as_bytes()).to_string()
        })
        .collect();
    if presented.len() > NAMES {
        names.push(format!("{} more", presented.len() - NAMES));
    }
    names.join(", ")
}

fn innermost(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
