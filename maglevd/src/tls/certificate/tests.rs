//! What is read of certificates.

use rcgen::{CertificateParams, DnType, KeyPair, SanType};

use super::*;

fn made(names: Vec<SanType>, common_name: &str) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names;
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_after = rcgen::date_time_ymd(2030, 1, 2);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

#[test]
fn the_alternative_names_count_and_the_common_name_only_without_them() {
    let email = SanType::Rfc822Name("alice@ops.example".try_into().unwrap());
    let dns = SanType::DnsName("alice.ops.example".try_into().unwrap());
    let uri = SanType::URI("spiffe://ops/alice".try_into().unwrap());
    let address = SanType::IpAddress([192, 0, 2, 1].into());
    let all = made(vec![email, dns, uri, address.clone()], "root");
    assert_eq!(names(&all), ["alice@ops.example", "alice.ops.example", "spiffe://ops/alice"]);
    assert_eq!(names(&made(vec![], "alice")), ["alice"]);
    assert!(
        names(&made(vec![address], "root")).is_empty(),
        "an address is no name, and hides the common name"
    );
}

#[test]
fn the_expiry_is_that_of_the_certificate() {
    let expected = humantime::parse_rfc3339("2030-01-02T00:00:00Z").unwrap();
    assert_eq!(expiry(&made(vec![], "alice")), Some(expected));
}

#[test]
fn what_is_no_certificate_says_nothing() {
    let mut cut = made(vec![], "alice");
    cut.truncate(cut.len() / 2);
    for bytes in [&[][..], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &cut] {
        assert_eq!((names(bytes), expiry(bytes)), (Vec::new(), None));
    }
}

#[test]
fn names_that_would_disturb_a_terminal_are_left_out() {
    assert!(names(&made(vec![], "alice\u{1b}[2J")).is_empty());
}
