//! Edge. What the system lets one process have.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Allows as many open files as the system lets us have. Each probe in flight has a socket, and the usual soft limit of
/// 1024 is there only for programs that use `select`.
pub fn raise_open_files() {
    let raise = || {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        if soft < hard { setrlimit(Resource::RLIMIT_NOFILE, hard, hard) } else { Ok(()) }
    };
    if let Err(error) = raise() {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}
