//! Pure. Errors of the kernel: whose fault they are, and how to say them.

use std::io;

use nix::errno::Errno;

#[cfg(test)]
mod tests;

/// The errno of `error`, if it came from the kernel.
fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}

/// Whether `error`, from opening, binding, connecting or using a socket, is a fault on our side and so says nothing
/// about the backend.
///
/// Unreachable networks are not among them: seen from here the backend is gone, which is what a check is to notice.
pub(crate) fn is_local(error: &io::Error) -> bool {
    matches!(
        errno(error),
        Some(
            Errno::EMFILE
                | Errno::ENFILE
                | Errno::ENOBUFS
                | Errno::ENOMEM
                | Errno::EACCES
                | Errno::EPERM
                | Errno::EADDRNOTAVAIL
                | Errno::EADDRINUSE
                | Errno::EAFNOSUPPORT
                | Errno::EPROTONOSUPPORT
                | Errno::EINVAL
        )
    )
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
        Errno::EACCES | Errno::EPERM => "not permitted",
        Errno::EADDRNOTAVAIL => "not an address of this host, or no source port is left",
        Errno::EADDRINUSE => "no source port is left",
        Errno::EAFNOSUPPORT => "the kernel does not support this address family",
        Errno::EINVAL => "the kernel does not send from this source to this destination",
        Errno::ENOENT => "no such file",
        other => other.desc(),
    };
    known.to_owned()
}
