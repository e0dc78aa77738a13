//! Edge. The calls about VPP.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use maglev_api::v1;
use maglev_core::desired::{DesiredServer, DesiredVip};
use maglev_core::engine::Engine;
use maglev_core::names::FrontendName;
use maglev_core::net::{Service, Vip};
use maglev_core::observed::{Observed, ServerState, VipState};
use maglev_core::plan::Step;
use tonic::{Response, Status};

use crate::clock::Clock;
use crate::control::{Control, NoVpp, Stopped};
use crate::grpc::convert::{at, duration, timestamp};
use crate::grpc::service::Answer;
use crate::narrate::because;
use crate::reload::Chain;
use crate::vpp::{Connection, Link, Status as LinkStatus, VipCounters};

/// How long one call about VPP may take: longer than VPP's own deadline, so that what it says is heard.
const DEADLINE: Duration = Duration::from_secs(30);

/// Answers calls about VPP.
#[derive(Clone, Debug)]
pub(super) struct Dataplane {
    pub(super) control: Control,
    pub(super) clock: Clock,
    pub(super) link: Option<Link>,
}

impl Dataplane {
    pub(super) async fn info(&self) -> Answer<v1::VppInfo> {
        let Some(link) = &self.link else {
            return Ok(Response::new(v1::VppInfo {
                status: v1::VppStatus::Off.into(),
                ..v1::VppInfo::default()
            }));
        };
        let sockets = link.sockets();
        let mut info = v1::VppInfo {
            api_addr: sockets.api.display().to_string(),
            stats_addr: sockets.stats.display().to_string(),
            ..v1::VppInfo::default()
        };
        let (vpp, status) = match link.status() {
            LinkStatus::Disconnected { problem } => {
                info.problem = problem;
                (None, v1::VppStatus::Disconnected)
            }
            LinkStatus::Unsupported { info: vpp, problem } => {
                info.problem = problem;
                (Some(vpp), v1::VppStatus::Unsupported)
            }
            LinkStatus::Connected(Connection { info: vpp, boot, since, .. }) => {
                info.boot_at = boot.map(|boot| timestamp(UNIX_EPOCH + Duration::from_secs(boot)));
                info.connected_since = Some(at(self.clock.reading(), since));
                let (warming_up, last) = self
                    .control
                    .read(|view| (view.engine.is_warming_up(), view.engine.last_full_sync()))
                    .await
                    .map_err(|stopped| unavailable(&stopped.into()))?;
                info.last_sync_at = last.map(|time| at(self.clock.reading(), time));
                (Some(vpp), if warming_up { v1::VppStatus::WarmingUp } else { v1::VppStatus::Connected })
            }
        };
        info.status = status.into();
        if let Some(vpp) = vpp {
            info.version = vpp.version;
            info.build_date = vpp.build_date;
            info.pid = vpp.pid;
        }
        Ok(Response::new(info))
    }

    pub(super) async fn state(&self) -> Answer<v1::VpplbState> {
        let observed = self.observe().await?;
        let reading = self.clock.reading();
        let state = self.read(move |engine| {
            let names = Names::of(engine);
            let vips = observed.vips.iter().map(|state| names.vip(engine, state));
            v1::VpplbState {
                ipv4_src_address: observed
                    .conf
                    .ipv4_source
                    .map(|source| source.to_string())
                    .unwrap_or_default(),
                ipv6_src_address: observed
                    .conf
                    .ipv6_source
                    .map(|source| source.to_string())
                    .unwrap_or_default(),
                sticky_buckets_per_core: observed.conf.sticky_buckets_per_core,
                flow_timeout: Some(duration(observed.conf.flow_timeout)),
                vips: vips.collect(),
                observed_at: Some(at(reading, reading.now())),
            }
        });
        Ok(Response::new(state.await?))
    }

    pub(super) async fn counters(&self) -> Answer<v1::VpplbCounters> {
        let Some(link) = &self.link else { return Err(unavailable(&NoVpp::Off)) };
        let Some(counters) = link.counters() else {
            return Err(match link.status() {
                LinkStatus::Connected(_) => Status::unavailable("VPP's counters have not been read yet"),
                LinkStatus::Disconnected { problem } | LinkStatus::Unsupported { problem, .. } => {
                    Status::unavailable(problem)
                }
            });
        };
        let reading = self.clock.reading();
        let counters = self.read(move |engine| {
            let names = Names::of(engine);
            v1::VpplbCounters {
                vips: counters.vips.iter().map(|vip| names.counters(vip)).collect(),
                read_at: Some(at(reading, counters.read_at)),
            }
        });
        Ok(Response::new(counters.await?))
    }

    pub(super) async fn sync(
        &self,
        request: v1::SyncVpplbStateRequest,
        by: String,
    ) -> Answer<v1::SyncVpplbStateResponse> {
        let only = self.frontend(request.frontend).await?;
        tracing::info!(by, frontend = only.as_ref().map_or("", FrontendName::as_str), "sync asked for");
        // One comparison is as cheap as another: all of it is compared, and what was asked for is told.
        let synced = tokio::time::timeout(DEADLINE, self.control.sync()).await.map_err(|_| too_slow())?;
        let steps = synced.map_err(|error| unavailable(&error))?.into_iter();
        let operations = steps
            .filter(|(step, _)| only.is_none() || step.frontend == only)
            .map(|(step, result)| operation(&step, result.err()))
            .collect();
        Ok(Response::new(v1::SyncVpplbStateResponse { operations }))
    }

    pub(super) async fn plan(
        &self,
        request: v1::PlanVpplbStateRequest,
    ) -> Answer<v1::PlanVpplbStateResponse> {
        let only = self.frontend(request.frontend).await?;
        let observed = self.observe().await?;
        let operations = self.read(move |engine| {
            let plan = engine.plan(&observed, only.as_ref());
            plan.steps.iter().map(|step| operation(step, None)).collect()
        });
        Ok(Response::new(v1::PlanVpplbStateResponse { operations: operations.await? }))
    }

    async fn read<R: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine) -> R + Send + 'static,
    ) -> Result<R, Status> {
        let read = self.control.read(move |view| look(view.engine)).await;
        read.map_err(|stopped: Stopped| unavailable(&stopped.into()))
    }

    /// The frontend of that name; none for an empty one.
    async fn frontend(&self, name: String) -> Result<Option<FrontendName>, Status> {
        if name.is_empty() {
            return Ok(None);
        }
        let missing = Status::not_found(format!("there is no frontend {name}"));
        let found = self.read(move |engine| engine.frontend(&name).map(|frontend| frontend.name().clone()));
        found.await?.map(Some).ok_or(missing)
    }

    /// What VPP has now.
    async fn observe(&self) -> Result<Observed, Status> {
        let Some(link) = &self.link else { return Err(unavailable(&NoVpp::Off)) };
        match link.status() {
            LinkStatus::Connected(connection) => {
                let observed = tokio::time::timeout(DEADLINE, connection.lb.observe()).await;
                observed
                    .map_err(|_| too_slow())?
                    .map_err(|error| Status::unavailable(Chain(&error).to_string()))
            }
            LinkStatus::Disconnected { problem } | LinkStatus::Unsupported { problem, .. } => {
                Err(Status::unavailable(problem))
            }
        }
    }
}

fn unavailable(error: &NoVpp) -> Status {
    Status::unavailable(error.to_string())
}

fn too_slow() -> Status {
    Status::deadline_exceeded("VPP did not answer in time")
}

fn operation(step: &Step, error: Option<String>) -> v1::VppOperation {
    v1::VppOperation {
        frontend: step.frontend.as_ref().map(ToString::to_string).unwrap_or_default(),
        action: step.operation.to_string(),
        reason: because(&step.because),
        error: error.unwrap_or_default(),
    }
}

/// Which frontend each VIP belongs to.
struct Names(BTreeMap<Vip, DesiredVip>);

impl Names {
    fn of(engine: &Engine) -> Self {
        Names(engine.desired().into_iter().map(|desired| (desired.vip, desired)).collect())
    }

    fn frontend(&self, vip: &Vip) -> String {
        self.0.get(vip).map(|desired| desired.frontend.to_string()).unwrap_or_default()
    }

    fn vip(&self, engine: &Engine, state: &VipState) -> v1::VppVip {
        let desired = self.0.get(&state.vip);
        let wanted: BTreeMap<IpAddr, &DesiredServer> = desired
            .iter()
            .flat_map(|desired| &desired.servers)
            .map(|(&address, server)| (address, server))
            .collect();
        let total: f64 = wanted.values().map(|server| f64::from(server.weight.get())).sum();
        let server = |server: &ServerState| {
            let wanted = wanted.get(&server.address);
            let weight = wanted.map_or(0, |wanted| wanted.weight.get());
            v1::VppServer {
                address: server.address.to_string(),
                backend: wanted.map(|wanted| wanted.backend.to_string()).unwrap_or_default(),
                effective_weight: weight.into(),
                weight: server.weight.into(),
                buckets: server.buckets,
                share_wanted: share(weight.into(), total),
                share: share(server.buckets.into(), state.table_length.into()),
            }
        };
        let (protocol, port) = service(&state.vip);
        let frontend = self.frontend(&state.vip);
        let status = engine.sync_status(&frontend);
        v1::VppVip {
            prefix: state.vip.prefix.to_string(),
            protocol,
            port,
            encap: state.encap.to_string(),
            table_length: state.table_length,
            src_ip_sticky: state.src_ip_sticky,
            servers: state.servers.iter().map(server).collect(),
            sync_error: status.and_then(|status| status.error.clone()).unwrap_or_default(),
            frontend,
        }
    }

    fn counters(&self, counters: &VipCounters) -> v1::VppVipCounters {
        let (protocol, port) = service(&counters.vip);
        v1::VppVipCounters {
            prefix: counters.vip.prefix.to_string(),
            protocol,
            port,
            frontend: self.frontend(&counters.vip),
            next_packets: counters.packets.next,
            first_packets: counters.packets.first,
            untracked_packets: counters.packets.untracked,
            no_server_packets: counters.packets.no_server,
            route_packets: counters.route.map_or(0, |route| route.packets),
            route_bytes: counters.route.map_or(0, |route| route.bytes),
        }
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Protocol and port as messages have them.
pub(super) fn service(vip: &Vip) -> (String, u32) {
    match vip.service {
        Service::All => (String::new(), 0),
        Service::Port(protocol, port) => (protocol.to_string(), port.into()),
    }
}
