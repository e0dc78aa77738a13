use std::io;
use std::time::Duration;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error};

use super::words;

fn said(error: Error) -> String {
    words(&io::Error::new(io::ErrorKind::InvalidData, error))
}

fn misnamed(presented: Vec<String>) -> String {
    let expected = ServerName::try_from("site.example").unwrap().to_owned();
    said(Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }))
}

#[test]
fn dates_are_told() {
    let time = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
    let not_after = UnixTime::since_unix_epoch(Duration::from_secs(1_706_745_599));
    assert_eq!(
        said(Error::InvalidCertificate(CertificateError::ExpiredContext { time, not_after })),
        "its certificate expired on 2024-01-31"
    );
    assert_eq!(
        said(Error::InvalidCertificate(CertificateError::NotValidYetContext { time, not_before: not_after })),
        "its certificate is not valid before 2024-01-31"
    );
}

#[test]
fn names_are_told_and_bounded() {
    assert_eq!(misnamed(vec![]), "its certificate is for no name at all, wanted site.example");
    assert_eq!(
        misnamed(vec!["DnsName(\"a.example\")".into(), "IpAddress(192.0.2.1)".into()]),
        "its certificate is for \"a.example\", \"192.0.2.1\", not site.example"
    );
    assert_eq!(
        misnamed(vec!["DnsName(\"a\")".into(); 1000]),
        "its certificate is for \"a\", \"a\", \"a\", 997 more, not site.example"
    );
    let long = misnamed(vec![format!("DnsName(\"{}\u{1b}\")", "x".repeat(10_000))]);
    assert!(long.len() < 150 && !long.contains('\u{1b}'), "{long}");
}

#[test]
fn alerts_have_the_names_of_the_rfc_where_it_helps() {
    assert_eq!(
        said(Error::AlertReceived(AlertDescription::HandshakeFailure)),
        "the server ended it with the alert handshake_failure"
    );
    assert_eq!(
        said(Error::AlertReceived(AlertDescription::Unknown(200))),
        "the server ended it with the alert number 200"
    );
}

#[test]
fn a_lost_connection_is_told() {
    assert_eq!(words(&io::ErrorKind::UnexpectedEof.into()), "the server closed the connection");
    assert_eq!(words(&io::ErrorKind::ConnectionReset.into()), "the server reset the connection");
}
