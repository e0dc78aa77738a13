//! Edge. The state of the simulated VPP: all that a restart loses, and what outlives it.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::fault::Fault;
use super::journal::{Journal, Mutation};
use super::messages::{self, Release};
use super::plugin::Plugin;
use super::segment::{ROUTE_TO, SegmentFile};
use super::show::COUNTERS;
use crate::wire::MessageTable;

/// Seconds between VPP's own collections of garbage.
const GARBAGE_RUN: u32 = 60;

/// Told of each mutation.
pub(super) type OnMutation = Arc<dyn Fn(&Mutation) + Send + Sync>;

pub(super) struct World {
    pub(super) plugin: Plugin,
    pub(super) table: MessageTable,
    pub(super) names: HashMap<u16, &'static str>,
    pub(super) segment: SegmentFile,
    pub(super) release: Release,
    pub(super) boot_time: u64,
    pub(super) pid: u32,
    pub(super) turn: Duration,
    pub(super) faults: Vec<Fault>,
    pub(super) journal: Journal,
    pub(super) on_mutation: Option<OnMutation>,
    /// Places of connected clients with their names; the first is VPP's own listener.
    pub(super) clients: Vec<Option<String>>,
    boots: u16,
    started: Instant,
    skipped: Duration,
    collected: u32,
}

/// What stands in the place of VPP's own listener.
const LISTENER: &str = "";

impl World {
    pub(super) fn new(release: Release, pid: u32, on_mutation: Option<OnMutation>) -> io::Result<World> {
        let boot_time = seconds_since_1970();
        let mut world = World {
            plugin: Plugin::default(),
            table: MessageTable::default(),
            names: HashMap::new(),
            segment: SegmentFile::new(boot_time)?,
            release,
            boot_time,
            pid,
            turn: Duration::ZERO,
            faults: Vec::new(),
            journal: Journal::default(),
            on_mutation,
            clients: vec![Some(LISTENER.to_owned())],
            boots: 0,
            started: Instant::now(),
            skipped: Duration::ZERO,
            collected: 0,
        };
        world.number_messages();
        Ok(world)
    }

    fn number_messages(&mut self) {
        let table = messages::table(self.release, self.boots);
        self.names = table.iter().map(|&(name, id)| (id, name)).collect();
        self.table = table.into_iter().collect();
    }

    /// VPP starts anew. Only what belongs to the simulation stays: faults not yet struck, the journal, the settings.
    pub(super) fn reboot(&mut self) -> io::Result<()> {
        // Two lives within a second must still differ in their boot time.
        self.boot_time = seconds_since_1970().max(self.boot_time + 1);
        self.segment = SegmentFile::new(self.boot_time)?;
        self.plugin = Plugin::default();
        self.boots = self.boots.wrapping_add(1);
        self.pid = self.pid.wrapping_add(1);
        self.number_messages();
        self.clients = vec![Some(LISTENER.to_owned())];
        self.started = Instant::now();
        self.skipped = Duration::ZERO;
        self.collected = 0;
        Ok(())
    }

    /// Seconds since VPP started, as `vlib_time_now` has them.
    pub(super) fn uptime(&self) -> u32 {
        let uptime = self.started.elapsed() + self.skipped;
        u32::try_from(uptime.as_secs()).unwrap_or(u32::MAX)
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, duration: Duration) {
        self.skipped += duration;
        self.run_processes();
    }

    /// What VPP does by itself every so often.
    pub(super) fn run_processes(&mut self) {
        let now = self.uptime();
        if now.wrapping_sub(self.collected) >= GARBAGE_RUN {
            self.collected = now;
            self.plugin.collect_garbage(now);
        }
    }

    /// A client connects under this name: its handle.
    pub(super) fn register(&mut self, name: String) -> u32 {
        /// `SOCK_API_REG_HANDLE_BIT`.
        const SOCKET_CLIENT: u32 = 1 << 31;
        let index = self.clients.iter().position(Option::is_none).unwrap_or_else(|| {
            self.clients.push(None);
            self.clients.len() - 1
        });
        self.clients[index] = Some(name);
        u32::try_from(index).unwrap_or(0) | SOCKET_CLIENT
    }

    /// A client leaves.
    pub(super) fn unregister(&mut self, handle: u32) {
        if let Some(place) = self.clients.get_mut((handle & !(1 << 31)) as usize) {
            *place = None;
        }
    }

    pub(super) fn record(&mut self, mutation: Mutation) {
        if let Some(on_mutation) = &self.on_mutation {
            on_mutation(&mutation);
        }
        self.journal.mutation(mutation);
    }

    /// A VIP was put at this index: its counters start at 0.
    pub(super) fn validate_counters(&mut self, index: usize) {
        let mut zeroed = (0..COUNTERS.len()).map(|counter| self.segment.zero(counter, index));
        if let Some(error) = zeroed.find_map(Result::err) {
            tracing::warn!(%error, "cannot write the simulated stats segment");
        }
        let prefix = self.plugin.vips.get(index).map(|vip| vip.key.prefix);
        if let Some((_, route)) = prefix.and_then(|prefix| self.plugin.fib.lookup(prefix, true)) {
            self.count(ROUTE_TO, route as usize, 0, 0);
        }
    }

    /// Adds to a counter of the segment.
    pub(super) fn count(&mut self, counter: usize, index: usize, part: usize, amount: u64) {
        if let Err(error) = self.segment.add(counter, index, part, amount) {
            tracing::warn!(%error, "cannot write the simulated stats segment");
        }
    }
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
