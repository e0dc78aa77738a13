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

/// Open files of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Files {
    /// Those that are open.
    pub open: u64,
    /// The most there may be.
    pub limit: u64,
}

/// The open files of this process; `None` where the system does not say.
pub fn open_files() -> Option<Files> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count();
    let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    // One is open for this look.
    Some(Files { open: u64::try_from(open).ok()?.saturating_sub(1), limit })
}
