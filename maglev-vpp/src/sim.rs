//! Driver. A simulated VPP: real unix sockets, the real wire format, the behaviour of the `lb` plugin.
//!
//! It is for tests of programs that talk to VPP, and for trying things where no VPP is. What it answers was checked
//! against a recorded conversation with VPP 26.10, byte for byte; what happens to VIPs and servers follows
//! `src/plugins/lb/lb.c` function by function, down to removed objects that linger until they are collected. It
//! forwards no packets: counters and flows are driven by hand.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use maglev_vpp::sim::{Action, Fault, Sim, SimOptions};
//! use maglev_vpp::{Client, LoadBalancer, Options};
//!
//! let sim = Sim::start(SimOptions::in_dir("/tmp/vpp")).await?;
//! let client = Client::connect(sim.api_socket(), Options::default()).await?;
//! let lb = LoadBalancer::new(client)?;
//! sim.inject(Fault::next("lb_as_set_weight", Action::Refuse(-6)));
//! println!("{:?}", lb.observe().await?);
//! assert_eq!(sim.writes(), 0);
//! sim.stop().await;
//! # Ok(()) }
//! ```

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maglev_core::net::Vip;
use maglev_core::table::Table;
use maglev_core::table::vpp::{self as table, Length};
use tokio::sync::{Mutex as AsyncMutex, broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use maglev_core::observed::Conf;

mod answer;
mod fault;
mod fib;
mod ip46;
mod journal;
mod messages;
mod options;
mod plugin;
mod pool;
mod segment;
mod server;
mod show;
mod state;
mod world;

pub use fault::{Action, Fault};
pub use journal::Mutation;
pub use messages::Release;
pub use options::SimOptions;
pub use state::{SimServer, SimVip, Traffic};

use segment::ROUTE_TO;
use server::Shared;
use state::{key, sim_vip};
use world::World;

/// A running simulated VPP. Clones are the same VPP. It stops with [`Sim::stop`] or with its runtime.
#[derive(Clone)]
pub struct Sim {
    shared: Shared,
    options: Arc<SimOptions>,
    life: Arc<AsyncMutex<Option<Life>>>,
}

/// The sockets of one life, and the tasks behind them.
struct Life {
    down: CancellationToken,
    tasks: TaskTracker,
}

impl Sim {
    /// Starts it. Must run in a tokio runtime, which then also runs the tasks that serve the sockets.
    ///
    /// # Errors
    /// If the sockets cannot be bound or the stats segment cannot be made.
    pub async fn start(options: SimOptions) -> io::Result<Sim> {
        let mut world = World::new(options.release, options.pid, options.on_mutation.clone())?;
        world.turn = options.turn;
        let (keepalive, _) = broadcast::channel(16);
        let (restart, mut restarts) = mpsc::channel(1);
        let shared = Shared { world: Arc::new(Mutex::new(world)), keepalive, restart };
        let sim = Sim { shared, options: Arc::new(options), life: Arc::default() };
        sim.up().await?;
        // Restarts that a message brings about. Ends when the last clone is gone.
        let (world, options, life) =
            (Arc::downgrade(&sim.shared.world), Arc::clone(&sim.options), Arc::downgrade(&sim.life));
        let (keepalive, restart) = (sim.shared.keepalive.clone(), sim.shared.restart.downgrade());
        tokio::spawn(async move {
            while restarts.recv().await.is_some() {
                let (Some(world), Some(life), Some(restart)) =
                    (world.upgrade(), life.upgrade(), restart.upgrade())
                else {
                    return;
                };
                let shared = Shared { world, keepalive: keepalive.clone(), restart };
                let sim = Sim { shared, options: Arc::clone(&options), life };
                if let Err(error) = sim.restart().await {
                    tracing::warn!(%error, "the simulated VPP did not come back");
                }
            }
        });
        Ok(sim)
    }

    /// The API socket.
    pub fn api_socket(&self) -> &Path {
        &self.options.api_socket
    }

    /// The stats socket.
    pub fn stats_socket(&self) -> &Path {
        &self.options.stats_socket
    }

    /// Stops VPP: sockets and connections are closed, nothing is forgotten yet. Does nothing if it is stopped.
    pub async fn down(&self) {
        let mut life = self.life.lock().await;
        let Some(Life { down, tasks }) = life.take() else { return };
        for socket in [self.api_socket(), self.stats_socket()] {
            if let Err(error) = server::remove(socket) {
                tracing::warn!(%error, socket = %socket.display(), "cannot remove the socket");
            }
        }
        down.cancel();
        tasks.close();
        tasks.wait().await;
    }

    /// Opens the sockets again, with everything as it was. Does nothing if they are open.
    ///
    /// # Errors
    /// If the sockets cannot be bound.
    pub async fn up(&self) -> io::Result<()> {
        let mut life = self.life.lock().await;
        if life.is_some() {
            return Ok(());
        }
        let api = server::bind_api(self.api_socket())?;
        let stats = server::bind_stats(self.stats_socket())?;
        let (down, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(server::serve_api(api, self.shared.clone(), down.clone()));
        tasks.spawn(server::serve_stats(stats, self.shared.clone(), down.clone()));
        *life = Some(Life { down, tasks });
        Ok(())
    }

    /// VPP dies and starts again with nothing: a new stats segment, a later boot time, other message numbers.
    ///
    /// # Errors
    /// If the sockets cannot be bound or the stats segment cannot be made.
    pub async fn restart(&self) -> io::Result<()> {
        self.down().await;
        self.shared.world().reboot()?;
        self.up().await
    }

    /// Restarts as another release.
    ///
    /// # Errors
    /// As for [`Sim::restart`].
    pub async fn restart_as(&self, release: Release) -> io::Result<()> {
        self.shared.world().release = release;
        self.restart().await
    }

    /// Stops for good.
    pub async fn stop(self) {
        self.down().await;
    }

    /// The plugin forgets its VIPs, servers and parameters, as if someone had removed them all; connections stay.
    pub fn forget(&self) {
        self.shared.world().plugin = plugin::Plugin::default();
    }

    /// The plugin's parameters.
    pub fn conf(&self) -> Conf {
        let world = self.shared.world();
        let plugin = &world.plugin;
        Conf {
            ipv4_source: (plugin.ipv4_source != [0xff; 4]).then(|| plugin.ipv4_source.into()),
            ipv6_source: (plugin.ipv6_source != [0xff; 16]).then(|| plugin.ipv6_source.into()),
            sticky_buckets_per_core: plugin.sticky_buckets,
            flow_timeout: Duration::from_secs(plugin.flow_timeout.into()),
        }
    }

    /// All VIPs, in the order of VPP's pool, with those that only wait to be collected.
    pub fn vips(&self) -> Vec<SimVip> {
        self.shared.world().plugin.vips.iter().skip(1).map(|(index, vip)| sim_vip(index, vip)).collect()
    }

    /// A live VIP with its live servers, these by address.
    pub fn vip(&self, vip: Vip) -> Option<SimVip> {
        let world = self.shared.world();
        let index = world.plugin.find_vip(key(vip)).ok()?;
        let mut vip = sim_vip(index, world.plugin.vips.get(index)?);
        vip.servers.retain(|server| server.used);
        vip.servers.sort_unstable_by_key(|server| server.address);
        Some(vip)
    }

    /// The table of new flows of a live VIP, entry by entry as VPP builds it: which server a flow of a given hash goes to.
    pub fn table(&self, vip: Vip) -> Option<Table<IpAddr>> {
        let vip = self.vip(vip)?;
        let servers: Vec<(IpAddr, u8)> =
            vip.servers.iter().map(|server| (server.address, server.weight)).collect();
        Some(table::build(Length::new(vip.table_length).ok()?, &servers))
    }

    /// How many requests to change something have come, refused ones included.
    pub fn writes(&self) -> u64 {
        self.shared.world().journal.writes
    }

    /// How many requests of each name have come.
    pub fn requests(&self) -> BTreeMap<&'static str, u64> {
        self.shared.world().journal.requests.clone()
    }

    /// Requests to change something, oldest first; at most the last hundred thousand.
    pub fn mutations(&self) -> Vec<Mutation> {
        self.shared.world().journal.mutations.iter().cloned().collect()
    }

    /// Empties the journal: counts and mutations.
    pub fn clear_journal(&self) {
        self.shared.world().journal = journal::Journal::default();
    }

    /// Adds a fault. Faults strike in the order they were added, a request at most one of them.
    pub fn inject(&self, fault: Fault) {
        self.shared.world().faults.push(fault);
    }

    /// Takes all faults back that have not struck yet.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// How long each turn of the main loop takes. As in VPP, one turn reads at most 4096 bytes of a connection and
    /// answers everything in them: some 60 pipelined requests, or a single one.
    pub fn set_turn(&self, turn: Duration) {
        self.shared.world().turn = turn;
    }

    /// Sends a keepalive to every client.
    pub fn send_keepalive(&self) {
        // Without clients nobody needs one.
        let _ = self.shared.keepalive.send(());
    }

    /// How many keepalives were answered.
    pub fn keepalive_replies(&self) -> u64 {
        self.shared.world().journal.keepalive_replies
    }

    /// When VPP started, in seconds since 1970.
    pub fn boot_time(&self) -> u64 {
        self.shared.world().boot_time
    }

    /// Lets time pass for VPP, which collects garbage once a minute.
    pub fn advance(&self, duration: Duration) {
        self.shared.world().advance(duration);
    }

    /// Counts packets for a VIP; false if there is no such VIP.
    pub fn count(&self, vip: Vip, traffic: Traffic) -> bool {
        let mut world = self.shared.world();
        let key = key(vip);
        let Ok(index) = world.plugin.find_vip(key) else { return false };
        let packets = [traffic.next, traffic.first, traffic.untracked, traffic.no_server];
        for (counter, amount) in packets.into_iter().enumerate() {
            world.count(counter, index, 0, amount);
            if let Some(entry) = world.plugin.vips.get_mut(index) {
                entry.counters[counter] += amount;
            }
        }
        if let Some((_, route)) = world.plugin.fib.lookup(key.prefix, true) {
            world.count(ROUTE_TO, route as usize, 0, packets.iter().sum());
            world.count(ROUTE_TO, route as usize, 1, traffic.bytes);
        }
        true
    }

    /// Sets how many established flows a server has, live or not; false if there is no such server. Flushing sets them
    /// to 0; a removed server is not collected while it has any.
    pub fn set_flows(&self, vip: Vip, server: IpAddr, flows: u64) -> bool {
        let mut world = self.shared.world();
        let Ok(index) = world.plugin.find_vip(key(vip)) else { return false };
        let Some(entry) = world.plugin.vips.get_mut(index) else { return false };
        let address = ip46::Ip46::from(server);
        match entry.servers.iter_mut().find(|(_, server)| server.address == address) {
            Some((_, server)) => {
                server.flows = flows;
                true
            }
            None => false,
        }
    }
}
