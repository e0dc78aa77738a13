//! Pure. What went wrong with TLS, in words that an operator can act on.

use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

use crate::target::Target;
use crate::tls::Mistrust;

/// How many names of a certificate are told. A certificate can have thousands.
const NAMES: usize = 8;

/// Why there is no session with a server, which asked for a certificate or did not.
pub(super) fn mistrust(error: &io::Error, target: &Target, asked: bool) -> Mistrust {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(error)) => certificate(error, target),
        Some(Error::AlertReceived(alert)) => refusal(*alert, target, asked),
        Some(Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        )) => no_tls("the server does not speak TLS on this port"),
        Some(Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )) => Mistrust::new("the server speaks neither TLS 1.2 nor TLS 1.3"),
        Some(error) => Mistrust::new(format!("TLS failed: {error}")),
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                if asked {
                    with_or_without(
                        target,
                        "the server closed the connection after asking for a client certificate",
                    )
                } else {
                    no_tls("the server closed the connection instead of speaking TLS")
                }
            }
            _ => Mistrust::new(format!("TLS failed: {error}")),
        },
    }
}

fn no_tls(reason: &str) -> Mistrust {
    Mistrust::new(reason)
        .hint("is the port right? maglevd speaks TLS where it was given --tls-cert and --tls-key")
}

/// What is wrong with the server's certificate.
fn certificate(error: &CertificateError, target: &Target) -> Mistrust {
    match error {
        CertificateError::UnknownIssuer => match &target.ca {
            Some(ca) => Mistrust::new(format!("the server's certificate is signed by no CA in {ca}"))
                .hint("is this the CA of that server, and the server that was meant?"),
            None => Mistrust::new("the server's certificate is signed by no CA that this system trusts")
                .hint("name the CA that signed it with --tls-ca"),
        },
        CertificateError::BadSignature => Mistrust::new(
            "the server's certificate is not signed with the key of the CA it names; a CA made anew under its old name has \
             another key",
        ),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let wanted = expected.to_str();
            let names = names(presented);
            let mistrust = if names.is_empty() {
                format!("the server's certificate is for no name at all, and not for {wanted}")
            } else {
                format!("the server's certificate is for {names}, and not for {wanted}")
            };
            Mistrust::new(mistrust).hint(if names.is_empty() {
                "its names belong into its subjectAltName; the common name is not looked at"
            } else {
                "connect to one of its names, or say which one to expect with --tls-server-name"
            })
        }
        CertificateError::NotValidForName => Mistrust::new("the server's certificate is for another name")
            .hint("say which one to expect with --tls-server-name"),
        CertificateError::ExpiredContext { time, not_after } => {
            let (time, not_after) = (moment(*time), moment(*not_after));
            Mistrust::new(format!("the server's certificate expired at {not_after}, and now it is {time}"))
                .hint("renew it on the server; or is the clock of this machine wrong?")
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            let (time, not_before) = (moment(*time), moment(*not_before));
            Mistrust::new(format!(
                "the server's certificate is not valid before {not_before}, and now it is {time}"
            ))
            .hint("is the clock of this machine wrong?")
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Mistrust::new("the server's certificate is not for servers")
                .hint("its extendedKeyUsage has to have serverAuth")
        }
        // webpki's own error, which rustls does not name. It is what `openssl req -x509` makes.
        CertificateError::Other(error) if error.to_string().contains("CaUsedAsEndEntity") => {
            Mistrust::new("the server's certificate is that of a CA, which cannot stand for a server")
                .hint("sign one for the server with it, or make one with basicConstraints=CA:FALSE")
        }
        error => Mistrust::new(format!("the server's certificate is not good: {error}")),
    }
}

/// What a server says that ends a session.
fn refusal(alert: AlertDescription, target: &Target, asked: bool) -> Mistrust {
    let shown = target.identity.as_ref().map(|(cert, _)| cert);
    match (alert, shown) {
        (AlertDescription::CertificateRequired, _)
        | (AlertDescription::HandshakeFailure | AlertDescription::BadCertificate, None)
            if asked =>
        {
            with_or_without(target, "the server wants a client certificate")
        }
        (AlertDescription::UnknownCA, Some(cert)) if asked => Mistrust::new(format!(
            "the server does not know the CA that signed the client certificate in {cert}"
        ))
        .hint("the CA belongs into the file of maglevd's --tls-client-ca"),
        (AlertDescription::CertificateExpired, Some(cert)) if asked => {
            Mistrust::new(format!("the server says that the client certificate in {cert} has expired"))
                .hint("renew it; or is the clock of one of the machines wrong?")
        }
        (AlertDescription::CertificateRevoked, Some(cert)) if asked => {
            Mistrust::new(format!("the server says that the client certificate in {cert} was revoked"))
        }
        (
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::HandshakeFailure,
            Some(cert),
        ) if asked => {
            let alert = name(alert);
            Mistrust::new(format!(
                "the server refuses the client certificate in {cert} with the alert {alert}"
            ))
        }
        (AlertDescription::NoApplicationProtocol, _) => {
            no_tls("the server speaks TLS on this port and no HTTP/2, which gRPC needs")
        }
        (AlertDescription::ProtocolVersion, _) => {
            Mistrust::new("the server speaks neither TLS 1.2 nor TLS 1.3")
        }
        (AlertDescription::UnrecognisedName, _) => {
            Mistrust::new("the server does not know the name that it was called by")
                .hint("say its name with --tls-server-name")
        }
        (alert, _) => Mistrust::new(format!("the server ended TLS with the alert {}", name(alert))),
    }
}

fn with_or_without(target: &Target, reason: &str) -> Mistrust {
    match &target.identity {
        Some((cert, _)) => Mistrust::new(format!("{reason}, and does not take the one in {cert}")),
        None => Mistrust::new(reason).hint("name yours with --tls-cert and --tls-key"),
    }
}

/// The name of an alert as RFC 8446 has it, near enough.
fn name(alert: AlertDescription) -> String {
    alert.as_str().map_or_else(|| format!("number {}", u8::from(alert)), str::to_owned)
}

/// The first names of a certificate. They come as `DnsName("example.org")`.
fn names(presented: &[String]) -> String {
    let inner = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        inner.trim_matches('"').to_owned()
    };
    let mut names: Vec<String> = presented.iter().take(NAMES).map(inner).collect();
    if presented.len() > NAMES {
        names.push(format!("{} more", presented.len() - NAMES));
    }
    names.join(", ")
}

/// A moment in UTC, which is how certificates have theirs.
fn moment(at: UnixTime) -> String {
    let at = i64::try_from(at.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(
        || "no time that calendars have".to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}
