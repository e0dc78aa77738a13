//! Edge. The packet counters of VIPs, out of VPP's stats segment.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maglev_core::net::Vip;
use maglev_core::observed::Observed;
use maglev_core::time::Time;
use maglev_vpp::LoadBalancer;
use maglev_vpp::stats::{Combined, Stats, VipPackets};

use crate::clock::Clock;
use crate::reload::Chain;
use crate::vpp::Link;

/// How often counters are read.
const INTERVAL: Duration = Duration::from_secs(5);

/// When to try again if that failed, such as for VIPs that came and went meanwhile.
const AGAIN: Duration = Duration::from_secs(1);

/// Counters of every VIP, read at one moment.
#[derive(Clone, Debug)]
pub struct Counters {
    /// By VIP, in its order.
    pub vips: Vec<VipCounters>,
    /// When they were read.
    pub read_at: Time,
}

/// Counters of one VIP since it was added.
#[derive(Clone, Debug)]
pub struct VipCounters {
    /// The VIP.
    pub vip: Vip,
    /// Its packets, by what became of them.
    pub packets: VipPackets,
    /// What was routed to its prefix.
    pub route: Option<Combined>,
}

/// Where each VIP is counted, as far as that is known. Whoever writes to VPP says so here, since VIPs that come and go
/// hand on their places.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Counts what was learned and forgotten: what was begun with another number is out of date.
    version: u64,
    places: Option<Vec<Place>>,
}

/// Where a VIP is counted.
#[derive(Clone, Copy, Debug)]
struct Place {
    vip: Vip,
    pool_index: u32,
}

impl Places {
    /// Takes them from what was observed.
    pub(super) fn learn(&self, observed: &Observed) {
        let mut known = self.known();
        *known = Known { version: known.version + 1, places: Some(places(observed)) };
    }

    /// VIPs come or go: where they are counted has to be asked anew.
    pub(super) fn forget(&self) {
        let mut known = self.known();
        *known = Known { version: known.version + 1, places: None };
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Whoever panicked with it wrote whole values only.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks VPP where nothing is known. Returns the version it holds for.
    async fn find(&self, lb: &LoadBalancer) -> Option<(u64, Vec<Place>)> {
        let version = {
            let known = self.known();
            if let Some(places) = &known.places {
                return Some((known.version, places.clone()));
            }
            known.version
        };
        let found = places(&lb.observe().await.ok()?);
        let mut known = self.known();
        if known.version != version {
            return None;
        }
        known.places = Some(found.clone());
        Some((version, found))
    }
}

fn places(observed: &Observed) -> Vec<Place> {
    observed.vips.iter().map(|state| Place { vip: state.vip, pool_index: state.pool_index }).collect()
}

/// Reads counters.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    deadline: Duration,
    /// Where readings and failures are shown.
    link: Link,
    stats: Option<Stats>,
    /// Whether the present trouble has been told.
    told: bool,
}

impl Reader {
    pub(super) fn new(link: Link, deadline: Duration) -> Self {
        Reader { path: link.sockets().stats.clone(), deadline, link, stats: None, told: false }
    }

    /// When VPP started, in seconds of Unix time.
    pub(super) async fn boot_time(&mut self) -> Option<u64> {
        let stats = self.connect().await?;
        stats.boot_time().await.ok()
    }

    /// Reads counters every so often and shows them, for ever. Beside everything else: a stats segment that hangs must not
    /// hold up what is written to VPP. Dropping the future is safe.
    pub(super) async fn run(mut self, lb: &LoadBalancer, places: &Places, clock: Clock) -> ! {
        loop {
            let pause = match self.read(lb, places, clock.now()).await {
                Some(counters) => {
                    self.link.count(counters);
                    INTERVAL
                }
                None => AGAIN,
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads the counters of every VIP. Trouble is told once and is no reason to give up VPP.
    async fn read(&mut self, lb: &LoadBalancer, at: &Places, now: Time) -> Option<Counters> {
        let (version, places) = at.find(lb).await?;
        let prefixes: Vec<_> = places.iter().map(|place| place.vip.prefix).collect();
        let routes = lb.route_stats_indices(&prefixes).await;
        let pool: Vec<_> = places.iter().map(|place| place.pool_index).collect();
        // A VIP without a route of its own is asked for at an index nothing has.
        let indices: Vec<_> = routes.into_iter().map(|index| index.unwrap_or(u32::MAX)).collect();
        let read = self.connect().await?.read(&pool, &indices).await;
        match read {
            Ok(_) if at.known().version != version => None,
            Ok(read) => {
                self.told = false;
                let vips = places.iter().zip(read.vips).zip(read.routes);
                let vips = vips.map(|((place, packets), route)| VipCounters {
                    vip: place.vip,
                    packets: packets.unwrap_or_default(),
                    route,
                });
                Some(Counters { vips: vips.collect(), read_at: now })
            }
            Err(error) => {
                self.stats = None;
                self.tell(&error);
                None
            }
        }
    }

    async fn connect(&mut self) -> Option<&mut Stats> {
        if self.stats.is_none() {
            match Stats::connect(&self.path, self.deadline).await {
                Ok(stats) => self.stats = Some(stats),
                Err(error) => self.tell(&error),
            }
        }
        self.stats.as_mut()
    }

    fn tell(&mut self, error: &dyn std::error::Error) {
        self.link.stats_failed(&Chain(error).to_string());
        if !std::mem::replace(&mut self.told, true) {
            tracing::warn!(path = %self.path.display(), error = %Chain(error), "VPP's counters cannot be read");
        }
    }
}
