//! Pure. Errors of the kernel: whose fault they are, and how to say them.

use std::io;

use nix::errno::Errno;

#[cfg(test)]
mod tests;

/// The errno of `error`, if it came from the kernel.
fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}

/// When the kernel reported an error, which decides whose fault it is. The errno does not: EHOSTUNREACH is what `connect`
/// returns where this host has an `unreachable` route, and what a router reports of a server that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Our own call failed before a packet can have left. It says nothing about the backend.
    Call,
    /// The error came back later (`SO_ERROR`, an ICMP error, an answer of the peer). It is about the path to the backend.
    Network,
}

impl Stage {
    /// The stage of an error that `connect(2)` returned at once. On loopback the peer's answer comes in while the call is
    /// still running, and only a packet of the peer refuses or resets a connection.
    pub(crate) fn of_connect(error: &io::Error) -> Stage {
        match errno(error) {
            Some(Errno::ECONNREFUSED | Errno::ECONNRESET) => Stage::Network,
            Some(_) | None => Stage::Call,
        }
    }
}

/// Whether a non-blocking `connect(2)` goes on in the background.
pub(crate) fn is_in_progress(error: &io::Error) -> bool {
    matches!(errno(error), Some(Errno::EINPROGRESS))
}

/// Whether `error`, from using a connection, is a shortage on this host: the peer has no part in it.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    matches!(errno(error), Some(Errno::ENOBUFS | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE))
}

/// Whether there is no way to a destination (no answer of the peer has this errno).
pub(crate) fn is_unreachable(error: &io::Error) -> bool {
    !matches!(errno(error), Some(Errno::ECONNREFUSED | Errno::ECONNRESET))
}

/// Whether the kernel does not let us have this kind of socket, where it may let us have another.
pub(crate) fn is_refusal(error: &io::Error) -> bool {
    matches!(errno(error), Some(Errno::EACCES | Errno::EPERM | Errno::EPROTONOSUPPORT))
}

/// Whether we may not do what we tried.
pub(crate) fn is_forbidden(error: &io::Error) -> bool {
    matches!(errno(error), Some(Errno::EACCES | Errno::EPERM))
}

/// `error` in a few words, without a number, and with what to do where that is known.
pub(crate) fn words(error: &io::Error) -> String {
    let Some(errno) = errno(error) else { return error.to_string() };
    let known = match errno {
        Errno::ECONNREFUSED => "refused",
        Errno::ECONNRESET | Errno::EPIPE => "reset",
        Errno::EHOSTUNREACH => "host unreachable",
        Errno::ENETUNREACH => "network unreachable",
        Errno::ETIMEDOUT => "timed out",
        Errno::EMFILE => "no file descriptor left for this process, raise its limit (LimitNOFILE)",
        Errno::ENFILE => "no file descriptor left on this host, raise fs.file-max",
        Errno::ENOBUFS | Errno::ENOMEM => "the kernel is out of memory for sockets",
        Errno::ENETDOWN => "network down",
        Errno::EACCES | Errno::EPERM => "not permitted",
        Errno::EADDRNOTAVAIL => "not an address of this host, or no source port is left",
        Errno::EADDRINUSE => "no source port is left",
        Errno::EAFNOSUPPORT => "the kernel does not support this address family",
        Errno::EINVAL => "the kernel does not send from this source to this destination (a blackhole route?)",
        Errno::ENOENT => "no such file",
        other => other.desc(),
    };
    known.to_owned()
}

/// The same for an error that the network reported: there EACCES is what a router or a firewall answers.
pub(crate) fn network_words(error: &io::Error) -> String {
    match errno(error) {
        Some(Errno::EACCES) => "administratively prohibited".to_owned(),
        Some(_) | None => words(error),
    }
}
