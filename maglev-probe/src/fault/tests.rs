use std::io;

use nix::errno::Errno;

use super::{is_local, words};

#[test]
fn only_faults_of_this_host_are_local() {
    for errno in [
        Errno::EMFILE,
        Errno::ENFILE,
        Errno::ENOBUFS,
        Errno::ENOMEM,
        Errno::EACCES,
        Errno::EPERM,
        Errno::EADDRNOTAVAIL,
        Errno::EAFNOSUPPORT,
    ] {
        assert!(is_local(&io::Error::from(errno)), "{errno}");
    }
    for errno in
        [Errno::ECONNREFUSED, Errno::ECONNRESET, Errno::EHOSTUNREACH, Errno::ENETUNREACH, Errno::ETIMEDOUT]
    {
        assert!(!is_local(&io::Error::from(errno)), "{errno}");
    }
    assert!(!is_local(&io::Error::other("not from the kernel")));
}

#[test]
fn errors_are_said_without_numbers() {
    assert_eq!(words(&io::Error::from(Errno::EHOSTUNREACH)), "host unreachable");
    assert_eq!(words(&io::Error::from(Errno::EISDIR)), "Is a directory");
    assert_eq!(words(&io::Error::other("odd")), "odd");
}
