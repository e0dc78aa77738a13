//! Who is local, and how peers are told to people.

use super::*;

fn tcp(address: &str, security: Security) -> Peer {
    Peer { origin: Origin::tcp(address.parse().unwrap()), security }
}

#[test]
fn only_this_host_is_local() {
    for address in ["127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert!(Origin::tcp(address.parse().unwrap()).is_local(), "{address}");
    }
    // The last is an IPv4-compatible address, which is not loopback and never was.
    for address in ["192.0.2.1:1", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:1", "0.0.0.0:1", "[::127.0.0.1]:1"]
    {
        assert!(!Origin::tcp(address.parse().unwrap()).is_local(), "{address}");
    }
    assert!(Origin::Unix(None).is_local());
}

#[test]
fn a_peer_is_told_in_a_few_words() {
    let unix = |uid| Peer { origin: Origin::Unix(uid), security: Security::Plain };
    assert_eq!(unix(Some(1000)).to_string(), "uid 1000 on a Unix socket");
    assert_eq!(unix(None).to_string(), "a Unix socket");
    assert_eq!(tcp("[::ffff:127.0.0.1]:7", Security::Plain).to_string(), "127.0.0.1");
    assert_eq!(tcp("192.0.2.7:7", Security::Tls(None)).to_string(), "192.0.2.7 over TLS");
    let names = |names: &[&str]| Security::Tls(Some(names.iter().map(ToString::to_string).collect()));
    let peer = tcp("192.0.2.7:7", names(&["alice", "alice@ops.example"]));
    assert_eq!(peer.to_string(), "192.0.2.7 over TLS, certificate alice");
    assert_eq!(tcp("192.0.2.7:7", names(&[])).to_string(), "192.0.2.7 over TLS, certificate without a name");
}
