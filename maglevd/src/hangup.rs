//! Edge. SIGHUP before the daemon can reload.
//!
//! The default action of SIGHUP ends the process. A signal that comes between `exec` and the installation of the handler
//! is held by the kernel instead: the first thread blocks it as its first step, every thread that is started later
//! inherits the mask, and the first thread unblocks it when the handler is there. The signal then reloads.

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};

/// Holds SIGHUP in this thread and in those it starts from now on.
///
/// # Errors
/// None that POSIX names for a valid set of signals.
pub fn hold() -> Result<(), Errno> {
    set().thread_block()
}

/// Delivers SIGHUP to this thread, also one that was held. To be called once a handler is installed.
///
/// # Errors
/// As [`hold`].
pub fn release() -> Result<(), Errno> {
    set().thread_unblock()
}

fn set() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGHUP);
    set
}
