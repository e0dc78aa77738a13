use std::io;

use nix::errno::Errno;

use super::{Stage, network_words, words};

#[test]
fn errors_of_connect_itself_are_ours() {
    for errno in [
        Errno::ENETUNREACH,
        Errno::EHOSTUNREACH,
        Errno::ENETDOWN,
        Errno::EACCES,
        Errno::EPERM,
        Errno::EINVAL,
        Errno::EADDRNOTAVAIL,
        Errno::ENOBUFS,
        Errno::ETIMEDOUT,
    ] {
        assert_eq!(Stage::of_connect(&io::Error::from(errno)), Stage::Call, "{errno}");
    }
    for errno in [Errno::ECONNREFUSED, Errno::ECONNRESET] {
        assert_eq!(Stage::of_connect(&io::Error::from(errno)), Stage::Network, "{errno}");
    }
}

#[test]
fn errors_are_said_without_numbers() {
    assert_eq!(words(&io::Error::from(Errno::EHOSTUNREACH)), "host unreachable");
    assert_eq!(words(&io::Error::from(Errno::EISDIR)), "Is a directory");
    assert_eq!(words(&io::Error::other("odd")), "odd");
    assert_eq!(words(&io::Error::from(Errno::EACCES)), "not permitted");
    assert_eq!(network_words(&io::Error::from(Errno::EACCES)), "administratively prohibited");
}
