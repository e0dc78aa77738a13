//! Pure. How it stands with VPP, for all to see.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use maglev_core::time::Time;
use maglev_vpp::{LoadBalancer, VppInfo};

use crate::failing::Failing;
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
    /// When the connection was made or lost.
    since: SystemTime,
    counters: Option<Counters>,
    /// Why counters cannot be read, and since when.
    stats: Option<Failing>,
    /// VIPs whose packets found no server between the last two readings, each with how many.
    dropping: Vec<(String, u64)>,
}

/// What is known of VPP without asking it.
#[derive(Clone, Debug)]
pub struct Health {
    /// The status of the connection.
    pub status: Status,
    /// The time since which it has this status.
    pub since: SystemTime,
    /// How long VPP has left requests without any answer; `None` where it owes none.
    pub unanswered: Option<Duration>,
    /// Why its counters cannot be read.
    pub stats: Option<Stats>,
    /// VIPs whose packets found no server between the last two readings, each with how many.
    pub dropping: Vec<(String, u64)>,
}

/// Why counters cannot be read.
#[derive(Clone, Debug)]
pub struct Stats {
    /// The socket.
    pub path: PathBuf,
    /// The error, and since when.
    pub failing: Failing,
}

impl Link {
    /// Not connected yet.
    pub fn new(sockets: VppSockets) -> Self {
        let status = Status::Disconnected { problem: "not tried yet".to_owned() };
        Link { sockets, shown: Arc::new(Mutex::new(Shown::new(status, SystemTime::now()))) }
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
        let same = std::mem::discriminant(&shown.status) == std::mem::discriminant(&status);
        let since = if same { shown.since } else { SystemTime::now() };
        *shown = Shown::new(status, since);
        !goes_on
    }

    pub(super) fn count(&self, counters: Counters) {
        let mut shown = self.shown();
        if let Some(before) = &shown.counters {
            shown.dropping = dropping(before, &counters);
        }
        (shown.counters, shown.stats) = (Some(counters), None);
    }

    /// Takes note that counters cannot be read.
    pub(super) fn stats_failed(&self, error: &str) {
        let mut shown = self.shown();
        shown.stats = Some(Failing::again(shown.stats.take(), error, SystemTime::now()));
        shown.dropping.clear();
    }

    /// What is known of VPP without asking it.
    pub fn health(&self) -> Health {
        let shown = self.shown();
        let unanswered = match &shown.status {
            Status::Connected(connection) => connection.lb.client().unanswered_for(),
            Status::Disconnected { .. } | Status::Unsupported { .. } => None,
        };
        let path = &self.sockets.stats;
        Health {
            status: shown.status.clone(),
            since: shown.since,
            unanswered,
            stats: shown.stats.clone().map(|failing| Stats { path: path.clone(), failing }),
            dropping: shown.dropping.clone(),
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        // Whoever panicked with it wrote whole values only.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn new(status: Status, since: SystemTime) -> Self {
        Shown { status, since, counters: None, stats: None, dropping: Vec::new() }
    }
}

/// VIPs that dropped packets for want of a server from one reading to the next.
fn dropping(before: &Counters, after: &Counters) -> Vec<(String, u64)> {
    let packets = |counters: &Counters, index: usize| {
        counters.vips.get(index).map(|vip| (vip.vip, vip.packets.no_server))
    };
    let mut found = Vec::new();
    let mut index = 0;
    for vip in &after.vips {
        // Both are sorted by VIP.
        while packets(before, index).is_some_and(|(key, _)| key < vip.vip) {
            index += 1;
        }
        if let Some((key, count)) = packets(before, index)
            && key == vip.vip
            && vip.packets.no_server > count
        {
            found.push((vip.vip.to_string(), vip.packets.no_server - count));
        }
    }
    found
}
