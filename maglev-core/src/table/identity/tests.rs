use std::net::{IpAddr, SocketAddr};

use super::Identity;
use crate::names::BackendName;

/// Worked out with an XXH64 written for the purpose in another language.
#[test]
fn hashes_are_those_any_program_would_get() {
    let v4: IpAddr = "192.0.2.1".parse().unwrap();
    let v6: IpAddr = "2001:db8::1".parse().unwrap();
    let socket: SocketAddr = "192.0.2.1:80".parse().unwrap();
    assert_eq!(v4.stable_hash(0), 0xde3c_bbe5_a224_0bf0);
    assert_eq!(v6.stable_hash(1), 0x7454_91ef_31c8_347e);
    assert_eq!(socket.stable_hash(0), 0xe41b_c049_9923_7d42);
    assert_eq!("nginx0".stable_hash(0), 0xdeb1_a79d_1ad1_b78c);
}

#[test]
fn a_name_is_the_same_whatever_holds_it() {
    let name: BackendName = "nginx0".parse().unwrap();
    assert_eq!(name.stable_hash(7), "nginx0".stable_hash(7));
    assert_eq!(String::from("nginx0").stable_hash(7), "nginx0".stable_hash(7));
}
