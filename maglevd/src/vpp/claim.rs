//! Edge. Only one maglevd drives a VPP.
//!
//! The lock is a connection to VPP's API. VPP lists its clients by the names they gave themselves (`show api clients`), and
//! each maglevd connects under a name that says which process it is. One that finds another in the list leaves, and tries
//! again later.
//!
//! - Two never drive one VPP: each is in the list before it asks for it. Where both come at once both leave.
//! - Nobody can hold the lock who may not connect to VPP's API, and with it do what he likes.
//! - It is VPP's own, so it is the same in every container and under every path to the socket, and a VPP that starts
//!   again has none.
//! - It ends with the connection, so nothing is left of a process that was killed. VPP may be slow to notice: a name
//!   whose process is gone does not count.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use maglev_vpp::message::control::CliInband;
use maglev_vpp::wire::Text;
use maglev_vpp::{Client, Options};
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::time::Instant;

use crate::lock::{Holder, Taken};

/// Asks VPP who is connected.
const SHOW: &str = "show api clients";

/// How a name begins.
const PREFIX: &str = "maglevd:";

/// For a look at the start. A VPP that takes longer is left to the connection that comes later.
const START: Duration = Duration::from_secs(2);

/// How long a predecessor that ends has to leave VPP.
const LEAVING: Duration = Duration::from_secs(1);

/// Between two looks at the start.
const PAUSE: Duration = Duration::from_millis(100);

/// A maglevd, as its name has it: `maglevd:PID:NAMESPACE:NONCE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    pid: u32,
    /// The inode of its pid namespace.
    namespace: u64,
    /// Tells it from others where the first two are not enough, as without `/proc`.
    nonce: u32,
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{PREFIX}{}:{}:{:08x}", self.pid, self.namespace, self.nonce)
    }
}

impl Process {
    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.split(':');
        let (pid, namespace, nonce) = (parts.next()?, parts.next()?, parts.next()?);
        let nonce = u32::from_str_radix(nonce, 16).ok()?;
        Some(Process { pid: pid.parse().ok()?, namespace: namespace.parse().ok()?, nonce })
    }

    /// Whether it may still run.
    fn may_run(self) -> bool {
        let pid = i32::try_from(self.pid).ok().filter(|_| self.namespace == OURS.namespace);
        pid.is_none_or(|pid| kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH))
    }

    fn holder(self) -> Holder {
        Holder(Some(self.pid).filter(|_| self.namespace == OURS.namespace))
    }
}

/// This process.
static OURS: LazyLock<Process> = LazyLock::new(|| {
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok();
    let namespace = namespace
        .as_deref()
        .and_then(Path::to_str)
        .and_then(|link| link.trim_start_matches("pid:[").trim_end_matches(']').parse().ok());
    let (pid, namespace) = (std::process::id(), namespace.unwrap_or(0));
    // The standard library seeds its hashes from the system's randomness.
    let nonce = RandomState::new().build_hasher().finish();
    Process { pid, namespace, nonce: (nonce >> 32) as u32 }
});

/// The name to connect under.
pub(super) fn name() -> String {
    OURS.to_string()
}

/// What to wait beside the usual before another attempt: two that come at once must not come at once again.
pub(super) fn jitter() -> Duration {
    Duration::from_millis(u64::from(OURS.nonce % 100))
}

/// Whether this connection is the only one of a maglevd. It must have been made under our [`name`], and is to be given up
/// where another has the lock.
///
/// # Errors
/// When another has it.
pub(super) async fn claim(client: &Client) -> Result<(), Taken> {
    let shown = match client.call(&CliInband { cmd: Text(SHOW.to_owned()) }).await {
        Ok(reply) => reply.reply.0,
        Err(error) => {
            unknown(&error.to_string());
            return Ok(());
        }
    };
    let (others, known) = others(&shown);
    if !known {
        unknown("VPP does not list this connection");
    }
    match others.into_iter().find(|other| other.may_run()) {
        Some(other) => Err(Taken::Vpp { path: client.path().to_owned(), holder: other.holder() }),
        None => Ok(()),
    }
}

fn unknown(reason: &str) {
    tracing::warn!(reason, "cannot tell whether another maglevd drives this VPP; going on without the lock");
}

/// The other processes in what VPP shows, and whether we are in it too.
fn others(shown: &str) -> (Vec<Process>, bool) {
    // A line for each client: the name, and the number of a file descriptor.
    let names = shown.lines().filter_map(|line| line.split_whitespace().next());
    let (ours, others): (Vec<_>, Vec<_>) =
        names.filter_map(Process::parse).partition(|process| *process == *OURS);
    (others, !ours.is_empty())
}

/// Looks before the start whether another maglevd drives the VPP at this socket. A VPP that is not there or does not answer
/// is none that another drives now.
///
/// # Errors
/// When another does, and does not end soon.
pub async fn look(api: &Path) -> Result<(), Taken> {
    let patience = Instant::now() + LEAVING;
    loop {
        let look = async {
            let options = Options { name: name(), deadline: START, ..Options::default() };
            match Client::connect(api, options).await {
                Ok(client) => claim(&client).await,
                Err(_) => Ok(()),
            }
        };
        match tokio::time::timeout(START, look).await {
            Ok(Err(taken)) if Instant::now() >= patience => return Err(taken),
            Ok(Err(_)) => tokio::time::sleep(PAUSE).await,
            Ok(Ok(())) | Err(_) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
