use maglev_core::check::TlsSpec;
use maglev_core::outcome::Code;

use super::name;

fn named(server_name: Option<&str>, host: Option<&str>, verify: bool) -> Result<String, (Code, String)> {
    let spec = TlsSpec { server_name: server_name.map(str::to_owned), verify, ca_file: None, client: None };
    match name(&spec, host, "192.0.2.1".parse().unwrap()) {
        Ok(name) => Ok(name.to_str().into_owned()),
        Err(finding) => Err((finding.code, finding.detail.into_owned())),
    }
}

#[test]
fn the_server_name_beats_the_host_which_beats_the_address() {
    assert_eq!(named(Some("a.example"), Some("b.example"), true).unwrap(), "a.example");
    assert_eq!(named(None, Some("b.example"), true).unwrap(), "b.example");
    assert_eq!(named(None, None, true).unwrap(), "192.0.2.1");
}

#[test]
fn the_host_is_taken_without_its_port() {
    assert_eq!(named(None, Some("b.example:8443"), true).unwrap(), "b.example");
    assert_eq!(named(None, Some("198.51.100.1:8443"), true).unwrap(), "198.51.100.1");
    assert_eq!(named(None, Some("[2001:db8::1]:8443"), true).unwrap(), "2001:db8::1");
    assert_eq!(named(None, Some("[2001:db8::1]"), true).unwrap(), "2001:db8::1");
    assert_eq!(named(None, Some("2001:db8::1"), true).unwrap(), "2001:db8::1");
}

#[test]
fn a_name_that_is_none_is_our_fault() {
    let (code, detail) = named(Some("a b"), None, false).unwrap_err();
    assert_eq!(code, Code::SockErr);
    assert!(detail.contains("the server name \"a b\" can be in no certificate"), "{detail}");
    assert_eq!(named(None, Some("a b"), true).unwrap_err().0, Code::SockErr);
    assert_eq!(
        named(None, Some("a b"), false).unwrap(),
        "192.0.2.1",
        "where nothing is verified it does not matter"
    );
}
