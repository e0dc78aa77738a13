//! Pure. How it stands with VPP, for all to see.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use maglev_core::time::Time;
use maglev_vpp::{LoadBalancer, VppInfo};

use crate::settings::VppSockets;
use crate::vpp::Counters;

/// How it stands with the connection to VPP.
#[derive(Clone, Debug)]
pub enum Status {
    /// There is none.
    Disconnected {
        /// Why.
        problem: String,
    },
    /// There is one, to a VPP that cannot be driven.
    Unsupported {
        /// Who it is.
        info: VppInfo,
        /// Why not.
        problem: String,
    },
    /// There is one.
    Connected(Connection),
}

/// A connection to a VPP that can be driven.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Who it is.
    pub info: VppInfo,
    /// When it started, in seconds of Unix time; absent when its stats segment cannot be read.
    pub boot: Option<u64>,
    /// Since when there is a connection.
    pub since: Time,
    /// To look at what it has. Only the engine's driver writes.
    pub lb: LoadBalancer,
}

/// How it stands with VPP. Cheap to clone; all clones show the same.
#[derive(Clone, Debug)]
pub struct Link {
    sockets: VppSockets,
    shown: Arc<Mutex<Shown>>,
}

#[derive(Debug)]
struct Shown {
    status: Status,
    counters: Option<Counters>,
}

impl Link {
    /// Not connected yet.
    pub fn new(sockets: VppSockets) -> Self {
        let status = Status::Disconnected { problem: "not tried yet".to_owned() };
        Link { sockets, shown: Arc::new(Mutex::new(Shown { status, counters: None })) }
    }

    /// Where VPP is looked for.
    pub const fn sockets(&self) -> &VppSockets {
        &self.sockets
    }

    /// How it stands now.
    pub fn status(&self) -> Status {
        self.shown().status.clone()
    }

    /// The counters last read from the VPP that is connected now.
    pub fn counters(&self) -> Option<Counters> {
        self.shown().counters.clone()
    }

    /// Shows another status. Returns whether that is news: a problem that goes on is not.
    pub(super) fn set(&self, status: Status) -> bool {
        let mut shown = self.shown();
        let goes_on = matches!(
            (&shown.status, &status),
            (Status::Disconnected { problem: before }, Status::Disconnected { problem: after }) if before == after
        );
        *shown = Shown { status, counters: None };
        !goes_on
    }

    pub(super) fn count(&self, counters: Counters) {
        self.shown().counters = Some(counters);
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        // Whoever panicked with it wrote whole values only.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
