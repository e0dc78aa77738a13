//! Edge. A simulated VPP for the daemon to drive, and web servers for it to spread flows over.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use maglev_api::v1;
use maglev_api::v1::plan_vpplb_state_request::Suppose;
use maglev_core::net::{Protocol, Service, Vip};
use maglev_core::plan::Operation;
use maglev_vpp::sim::{Release, Sim, SimOptions};
use maglev_vpp::{Client, LoadBalancer};
use tempfile::TempDir;

use crate::config::Config;
use crate::daemon::{Daemon, Options};
use crate::operator::Operator;
use crate::server::Server;
use crate::wait::{SOON, eventually};

/// The settings most tests take: written as soon as every backend has a verdict, and never compared again by itself.
pub const LB: &str =
    "ipv4-src-address: 192.0.2.1, startup-min-delay: 0s, startup-max-delay: 10s, sync-interval: 1h";

/// The VIP of the frontend with that number in the order of names, as [`Config`] gives them out.
pub fn vip(number: u8) -> Vip {
    let address = IpAddr::V4(Ipv4Addr::new(203, 0, 113, number));
    Vip { prefix: address.into(), service: Service::Port(Protocol::Tcp, 80) }
}

/// A simulated VPP on sockets in a directory of its own. Tests with it need a runtime of several threads where they do
/// something that blocks on it, such as run maglevc.
pub struct Vpp {
    /// The VPP itself.
    pub sim: Sim,
    asked_at: Arc<Mutex<Option<Instant>>>,
    directory: TempDir,
}

impl Vpp {
    /// Starts the one that can be driven.
    pub async fn start() -> Self {
        Vpp::start_as(Release::Current).await
    }

    /// Starts one of a release.
    pub async fn start_as(release: Release) -> Self {
        let directory = TempDir::with_prefix("vpp-").expect("a directory");
        let asked_at = Arc::new(Mutex::new(None));
        let last = Arc::clone(&asked_at);
        let options = SimOptions::in_dir(directory.path()).release(release).on_mutation(move |_| {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        });
        Vpp { sim: Sim::start(options).await.expect("a simulated VPP"), asked_at, directory }
    }

    /// The directory of its sockets.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts a daemon that drives it.
    pub async fn daemon(&self, config: &Config) -> Daemon {
        let vpp = Some(self.directory.path().to_owned());
        Daemon::start(config, Options { vpp, ..Options::default() }).await
    }

    /// Starts a daemon, waits until VPP has all of it with every backend well, and forgets what was written for that.
    pub async fn driven(&self, config: &Config) -> Daemon {
        let daemon = self.daemon(config).await;
        let mut operator = daemon.operator().await;
        operator.all_well().await;
        operator.in_charge().await;
        operator.in_agreement().await;
        self.sim.clear_journal();
        daemon
    }

    /// The weights of a VIP's servers; none if it is not there.
    pub fn weights(&self, vip: Vip) -> Option<BTreeMap<IpAddr, u8>> {
        let vip = self.sim.vip(vip)?;
        Some(vip.servers.iter().map(|server| (server.address, server.weight)).collect())
    }

    /// Waits until a VIP's servers have these weights.
    #[track_caller]
    pub fn has<const N: usize>(&self, vip: Vip, weights: [(IpAddr, u8); N]) -> impl Future<Output = ()> {
        let wanted = BTreeMap::from(weights);
        eventually("weights in VPP", SOON, async move || {
            let seen = self.weights(vip);
            if seen.as_ref() == Some(&wanted) { Ok(()) } else { Err((seen, self.written())) }
        })
    }

    /// What was asked to be changed since the journal was cleared, each in a line with what came of it.
    pub fn written(&self) -> Vec<String> {
        self.sim.mutations().iter().map(ToString::to_string).collect()
    }

    /// When a change was asked for last.
    pub fn asked_at(&self) -> Option<Instant> {
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many changes were asked for since the journal was cleared.
    #[track_caller]
    pub fn asked(&self, changes: usize) -> impl Future<Output = Vec<String>> {
        eventually("changes asked for", SOON, async move || {
            let written = self.written();
            if written.len() >= changes { Ok(written) } else { Err(written) }
        })
    }

    /// Somebody else changes something. The journal does not tell who did.
    pub async fn meddle(&self, operations: &[Operation]) {
        let client = Client::connect(self.sim.api_socket(), maglev_vpp::Options::default()).await;
        let lb = LoadBalancer::new(client.expect("a connection")).expect("a load balancer");
        for result in lb.execute(operations).await {
            result.expect("a change");
        }
    }
}

/// Web servers at 127.0.0.11 and on, each with a port of its own, so that each can fail alone.
pub struct Farm(pub Vec<Server>);

impl Farm {
    /// Starts so many.
    pub async fn start(servers: u8) -> Self {
        let mut farm = Vec::new();
        for number in 0..servers {
            farm.push(Server::start_at(Farm::ip(number)).await);
        }
        Farm(farm)
    }

    /// The address of one, by its number from 0.
    pub const fn ip(number: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11 + number))
    }

    /// Each as the backend `web0` and on, with no frontend yet.
    pub fn config(&self) -> Config {
        self.0.iter().enumerate().fold(Config::new().lb(LB), |config, (number, server)| {
            let name = format!("web{number}");
            config.check(&name, &server.check()).backend(&name, server.ip(), &name)
        })
    }
}

/// The longest until a VPP that answers nothing is known to be gone: it is asked every 10 seconds and has 5 to answer. With
/// room for a busy machine.
const NOTICED: Duration = Duration::from_secs(30);

impl Operator {
    /// How it stands with VPP.
    pub async fn vpp(&mut self) -> v1::VppInfo {
        self.client.get_vpp_info(v1::GetVppInfoRequest {}).await.expect("an answer").into_inner()
    }

    /// Waits until VPP is in that status.
    #[track_caller]
    pub fn vpp_becomes(&mut self, status: v1::VppStatus) -> impl Future<Output = v1::VppInfo> {
        eventually("status of VPP", NOTICED, async move || {
            let info = self.vpp().await;
            if info.status() == status { Ok(info) } else { Err(info) }
        })
    }

    /// Waits until the daemon writes to VPP.
    #[track_caller]
    pub fn in_charge(&mut self) -> impl Future<Output = v1::VppInfo> {
        self.vpp_becomes(v1::VppStatus::Connected)
    }

    /// What VPP has.
    pub async fn lb(&mut self) -> v1::VpplbState {
        self.client.get_vpplb_state(v1::GetVpplbStateRequest {}).await.expect("an answer").into_inner()
    }

    /// What a sync of everything would do.
    pub async fn plan(&mut self) -> Vec<v1::VppOperation> {
        let asked = self.client.plan_vpplb_state(v1::PlanVpplbStateRequest::default());
        asked.await.expect("an answer").into_inner().operations
    }

    /// What a sync of everything would do with another configuration in force.
    pub async fn plan_for(&mut self, config: &Config) -> Vec<v1::VppOperation> {
        let suppose = Some(Suppose::Config(config.to_string()));
        let request = v1::PlanVpplbStateRequest { suppose, ..v1::PlanVpplbStateRequest::default() };
        self.client.plan_vpplb_state(request).await.expect("an answer").into_inner().operations
    }

    /// Has everything compared with VPP now, and tells what was written.
    pub async fn sync(&mut self) -> Vec<v1::VppOperation> {
        let asked = self.client.sync_vpplb_state(v1::SyncVpplbStateRequest::default());
        asked.await.expect("an answer").into_inner().operations
    }

    /// Waits until nothing is left to write.
    #[track_caller]
    pub fn in_agreement(&mut self) -> impl Future<Output = ()> {
        eventually("agreement with VPP", SOON, async move || {
            let asked = self.client.plan_vpplb_state(v1::PlanVpplbStateRequest::default()).await;
            match asked.map(|plan| plan.into_inner().operations) {
                Ok(plan) if plan.is_empty() => Ok(()),
                other => Err(other),
            }
        })
    }

    /// The longest of some calls that have nothing to do with VPP.
    pub async fn slowest_call(&mut self) -> Duration {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let begun = Instant::now();
            self.states().await;
            slowest = slowest.max(begun.elapsed());
        }
        slowest
    }
}
