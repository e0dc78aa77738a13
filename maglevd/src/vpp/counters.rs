//! Edge. The packet counters of VIPs, out of VPP's stats segment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use maglev_core::net::Vip;
use maglev_core::observed::Observed;
use maglev_core::time::Time;
use maglev_vpp::LoadBalancer;
use maglev_vpp::stats::{Combined, Stats, VipPackets};

use crate::reload::Chain;

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

/// Reads counters.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    deadline: Duration,
    stats: Option<Stats>,
    /// Where each VIP is counted, if that is known.
    places: Option<Vec<Place>>,
    /// Whether the present trouble has been told.
    told: bool,
}

/// Where a VIP is counted.
#[derive(Clone, Copy, Debug)]
struct Place {
    vip: Vip,
    pool_index: u32,
}

impl Reader {
    pub(super) fn new(path: &Path, deadline: Duration) -> Self {
        Reader { path: path.to_owned(), deadline, stats: None, places: None, told: false }
    }

    /// When VPP started, in seconds of Unix time.
    pub(super) async fn boot_time(&mut self) -> Option<u64> {
        let stats = self.connect().await?;
        stats.boot_time().await.ok()
    }

    /// Counts the VIPs that were observed.
    pub(super) fn watch(&mut self, observed: &Observed) {
        let place =
            |state: &maglev_core::observed::VipState| Place { vip: state.vip, pool_index: state.pool_index };
        self.places = Some(observed.vips.iter().map(place).collect());
    }

    /// VIPs have come or gone: where they are counted has to be asked anew.
    pub(super) fn forget(&mut self) {
        self.places = None;
    }

    /// Reads the counters of every VIP. Trouble is told once and is no reason to give up VPP.
    pub(super) async fn read(&mut self, lb: &LoadBalancer, now: Time) -> Option<Counters> {
        if self.places.is_none() {
            self.watch(&lb.observe().await.ok()?);
        }
        let places = self.places.clone()?;
        let prefixes: Vec<_> = places.iter().map(|place| place.vip.prefix).collect();
        let routes = lb.route_stats_indices(&prefixes).await;
        let pool: Vec<_> = places.iter().map(|place| place.pool_index).collect();
        // A VIP without a route of its own is asked for at an index nothing has.
        let indices: Vec<_> = routes.into_iter().map(|index| index.unwrap_or(u32::MAX)).collect();
        let read = self.connect().await?.read(&pool, &indices).await;
        match read {
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
        if !std::mem::replace(&mut self.told, true) {
            tracing::warn!(path = %self.path.display(), error = %Chain(error), "VPP's counters cannot be read");
        }
    }
}
