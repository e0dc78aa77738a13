use super::{Place, Said, Target};
use crate::failure::Failure;

fn flags(server: &str) -> Said {
    Said { server: Some(server.to_owned()), ..Said::default() }
}

fn environment() -> Said {
    Said { place: Place::Environment, ..Said::default() }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn refusal(said: &[Said]) -> String {
    match Target::new(said) {
        Err(Failure::Flags(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tls_is_used_where_anything_wants_it() {
    let plain = ["lb1", "http://lb1", "localhost", "unix:/run/x.sock"];
    for server in plain {
        assert!(!Target::new(&[flags(server)]).unwrap().server.is_secure(), "{server}");
    }
    assert!(Target::new(&[flags("https://lb1")]).unwrap().server.is_secure());
    for said in [
        Said { tls_ca: some("ca.pem"), ..flags("lb1") },
        Said { tls_server_name: some("lb1.example.org"), ..flags("localhost") },
        Said { tls_cert: some("me.pem"), tls_key: some("me-key.pem"), ..flags("lb1") },
        Said { token_file: some("token"), ..flags("lb1") },
    ] {
        assert!(Target::new(std::slice::from_ref(&said)).unwrap().server.is_secure(), "{said:?}");
    }
}

#[test]
fn a_token_leaves_the_machine_over_tls_or_not_at_all() {
    for here in ["localhost", "127.0.0.1", "[::1]", "http://localhost:99", "unix:/run/x.sock"] {
        let target = Target::new(&[Said { token_file: some("token"), ..flags(here) }]).unwrap();
        assert!(!target.server.is_secure() && target.token.is_some(), "{here}");
    }
    let said = refusal(&[Said { token_file: some("token"), ..flags("http://lb1") }]);
    assert_eq!(
        said,
        "the token in token (--token-file) is not sent to lb1:9090 without TLS, where anybody on the way could read it: \
         write https:// instead of http://"
    );
    let variable = Said { token_file: some("token"), ..environment() };
    assert!(refusal(&[flags("http://192.0.2.1"), variable]).contains("(MAGLEV_TOKEN_FILE)"));
}

#[test]
fn what_counts_more_hides_what_counts_less_setting_by_setting() {
    let flags = Said { tls_ca: some("flag.pem"), ..Said::default() };
    let variables = Said {
        server: some("lb1"),
        tls_ca: some("variable.pem"),
        tls_cert: some("me.pem"),
        tls_key: some("me-key.pem"),
        ..environment()
    };
    let file = Said {
        place: Place::File { server: "ams".to_owned(), file: "/etc/x.yaml".to_owned() },
        server: some("lb2"),
        token_file: some("/etc/token"),
        tls_cert: some("/etc/me.pem"),
        tls_key: some("/etc/me-key.pem"),
        ..Said::default()
    };
    let target = Target::new(&[flags.clone(), variables.clone(), file.clone()]).unwrap();
    assert_eq!((target.server.to_string().as_str(), target.name), ("https://lb1:9090", None));
    assert_eq!(target.ca.unwrap().to_string(), "flag.pem (--tls-ca)");
    let (cert, key) = target.identity.unwrap();
    assert_eq!(cert.to_string(), "me.pem (MAGLEV_TLS_CERT)");
    assert_eq!(key.to_string(), "me-key.pem (MAGLEV_TLS_KEY)");
    assert_eq!(target.token.unwrap().to_string(), "/etc/token (token-file of ams)");
    // A name on the command line counts as flags do.
    let target = Target::new(&[flags, file, variables]).unwrap();
    assert_eq!((target.server.to_string().as_str(), target.name), ("https://lb2:9090", some("ams")));
    assert_eq!(target.identity.unwrap().0.to_string(), "/etc/me.pem (tls-cert of ams)");
}

#[test]
fn contradictions_are_said() {
    for (said, sentence) in [
        (
            Said { tls_ca: some("ca.pem"), ..flags("unix:/run/x.sock") },
            "a Unix socket has no TLS: leave out --tls-ca",
        ),
        (
            Said { tls_server_name: some("x"), ..flags("http://localhost") },
            "http:// is without TLS: write https://, or leave out --tls-server-name",
        ),
        (Said { tls_cert: some("me.pem"), ..flags("lb1") }, "--tls-cert needs --tls-key beside it"),
        (Said { tls_key: some("me.pem"), ..flags("lb1") }, "--tls-key needs --tls-cert beside it"),
        (
            Said { tls_server_name: some("l b"), ..flags("lb1") },
            "\"l b\" can be in no certificate: the name of a server is a DNS name or an address",
        ),
    ] {
        assert_eq!(refusal(&[said]), sentence);
    }
    // What a profile of the shell sets for all servers is no contradiction for one without TLS.
    let variables = Said { tls_ca: some("ca.pem"), tls_server_name: some("x"), ..environment() };
    for server in ["unix:/run/x.sock", "http://localhost"] {
        let target = Target::new(&[flags(server), variables.clone()]).unwrap();
        assert_eq!((target.ca, target.server_name), (None, None));
    }
}
