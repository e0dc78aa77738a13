//! Edge. The service manager, over the protocol of `sd_notify(3)`.
//!
//! Code of our own, since the crates for it block while the manager does not read, and whoever feeds a watchdog from the
//! loop that it watches must never wait for anybody.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// How often what must arrive is tried, and the time between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// The service manager that started us, if there is one. Cheap to clone.
#[derive(Clone, Default)]
pub struct ServiceManager {
    socket: Option<Arc<(UnixDatagram, SocketAddr)>>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// Nobody: all that is told is lost.
    pub fn none() -> Self {
        ServiceManager::default()
    }

    /// The one that `NOTIFY_SOCKET` names, with the watchdog of `WATCHDOG_USEC` if that is meant for this process.
    ///
    /// # Errors
    /// `NOTIFY_SOCKET` is set and names no socket.
    pub fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> io::Result<Self> {
        let Some(name) = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(ServiceManager::none());
        };
        // A name that begins with @ is one in the abstract namespace.
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
        let ours = variable("WATCHDOG_PID").is_none()
            || number("WATCHDOG_PID") == Some(u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|&micros| ours && micros > 0);
        Ok(ServiceManager {
            socket: Some(Arc::new((socket, address))),
            watchdog: watchdog.map(Duration::from_micros),
        })
    }

    /// Whether there is anybody to tell.
    pub const fn is_there(&self) -> bool {
        self.socket.is_some()
    }

    /// The time after which the manager takes us for stuck; absent without a watchdog.
    pub const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Feeds the watchdog. Does not wait: one that could not be told is to be told again.
    pub fn feed(&self) -> io::Result<()> {
        self.try_send("WATCHDOG=1")
    }

    /// We serve, and this is how things stand.
    pub async fn ready(&self, status: &str) {
        self.send(&format!("READY=1\n{}", status_field(status))).await;
    }

    /// We begin to reload. Must be followed by [`ready`](Self::ready).
    pub async fn reloading(&self) {
        // The time tells the manager this reload from one before it, see systemd.service(5), Type=notify-reload.
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.as_micros())).await;
    }

    /// How things stand. Not tried again: the next one says more.
    pub fn status(&self, status: &str) -> io::Result<()> {
        self.try_send(&status_field(status))
    }

    /// We begin to end.
    pub async fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stopping").await;
    }

    /// Sends what must arrive, and waits for a manager that is busy, but not for ever.
    async fn send(&self, state: &str) {
        for _ in 1..TRIES {
            match self.try_send(state) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    tracing::warn!(%error, state, "the service manager cannot be told");
                    return;
                }
                Ok(()) => return,
            }
            tokio::time::sleep(PAUSE).await;
        }
        tracing::warn!(state, "the service manager does not listen");
    }

    fn try_send(&self, state: &str) -> io::Result<()> {
        // Not connected: so a manager that makes its socket anew is found.
        match self.socket.as_deref() {
            Some((socket, address)) => socket.send_to_addr(state.as_bytes(), address).map(drop),
            None => Ok(()),
        }
    }
}

/// A status is one line, or it would be other fields too.
fn status_field(status: &str) -> String {
    format!("STATUS={}", status.replace('\n', " "))
}

impl fmt::Debug for ServiceManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceManager")
            .field("socket", &self.socket.as_deref().map(|(_, address)| address))
            .field("watchdog", &self.watchdog)
            .finish()
    }
}

#[cfg(test)]
mod tests;
