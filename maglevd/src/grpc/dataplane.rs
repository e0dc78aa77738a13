//! Edge. The calls about VPP.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use maglev_api::v1;
use maglev_core::config;
use maglev_core::desired::{DesiredServer, DesiredVip};
use maglev_core::engine::{Engine, ReloadReport};
use maglev_core::names::FrontendName;
use maglev_core::net::{Service, Vip};
use maglev_core::observed::{Observed, ServerState, TableFingerprint, VipState};
use maglev_core::plan::{Impact, Step, impacts};
use prost::Message;
use serde_json::{Value, json};
use tonic::{Response, Status};

use crate::audit::Note;
use crate::clock::Clock;
use crate::control::{Control, NoVpp, Snapshot, Stopped};
use crate::grpc::answer::{message, response};
use crate::grpc::convert::{at, duration, timestamp};
use crate::grpc::kept::sentences;
use crate::grpc::reads::Reads;
use crate::grpc::refusal::no_such;
use crate::grpc::service::Answer;
use crate::grpc::suppose::Supposition;
use crate::reload::Chain;
use crate::vpp::{Connection, Link, Status as LinkStatus, VipCounters};

/// How long one call about VPP may take: longer than VPP's own deadline, so that what it says is heard.
const DEADLINE: Duration = Duration::from_secs(30);

/// Answers calls about VPP.
#[derive(Clone, Debug)]
pub(super) struct Dataplane {
    pub(super) control: Control,
    pub(super) reads: Reads,
    pub(super) clock: Clock,
    pub(super) link: Option<Link>,
    /// What the reader of a configuration must know.
    pub(super) options: Arc<config::Options>,
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
        let state = self.reads.lanes.vpp_state.get(&[], async {
            let observed = self.observe().await?;
            self.reads.make(move |seen| Ok(message(&state(seen, &observed)))).await
        });
        Ok(response(state.await?))
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
        let encode = move |seen: &Snapshot| {
            let names = Names::of(&seen.engine);
            Ok(message(&v1::VpplbCounters {
                vips: counters.vips.iter().map(|vip| names.counters(vip)).collect(),
                read_at: Some(at(seen.reading, counters.read_at)),
            }))
        };
        self.reads.answer(&self.reads.lanes.vpp_counters, &[], encode).await
    }

    pub(super) async fn sync(
        &self,
        request: v1::SyncVpplbStateRequest,
        by: String,
        note: &Note,
    ) -> Answer<v1::SyncVpplbStateResponse> {
        let recreate = request.recreate;
        names_one(recreate, &request.frontend)?;
        let only = self.read(move |engine| frontend_of(engine, &request.frontend)).await??;
        tracing::info!(
            by,
            frontend = only.as_ref().map_or("", FrontendName::as_str),
            recreate,
            "sync asked for"
        );
        // One comparison is as cheap as another: all of it is compared, and what was asked for is told.
        let synced = tokio::time::timeout(DEADLINE, self.control.sync(only.clone().filter(|_| recreate)))
            .await
            .map_err(|_| too_slow())?;
        let steps = synced.map_err(|error| unavailable(&error))?.into_iter();
        let operations: Vec<_> = steps
            .filter(|(step, _)| only.is_none() || step.frontend == only)
            .map(|(step, result)| operation(&step, result.err()))
            .collect();
        note.set(Value::Null, json!({"operations": operations.len()}), operations.is_empty());
        Ok(Response::new(v1::SyncVpplbStateResponse { operations }))
    }

    pub(super) async fn plan(
        &self,
        request: v1::PlanVpplbStateRequest,
    ) -> Answer<v1::PlanVpplbStateResponse> {
        names_one(request.recreate, &request.frontend)?;
        let key = request.encode_to_vec();
        let options = Arc::clone(&self.options);
        let plan = self.reads.lanes.plan.get(&key, async {
            let observed = self.observe().await?;
            let encode = move |seen: &Snapshot| {
                // A copy to suppose things with; the engine itself goes on.
                let mut engine = seen.engine.clone();
                let report = match request.suppose {
                    Some(suppose) => {
                        Supposition::read(suppose, &options)?.suppose(&mut engine, seen.reading.now())?
                    }
                    None => ReloadReport::default(),
                };
                let only = frontend_of(&engine, &request.frontend)?;
                if let Some(only) = only.as_ref().filter(|_| request.recreate) {
                    engine.recreate(only.as_str());
                }
                let plan = engine.plan(&observed, only.as_ref());
                let names = Names::of(&engine);
                Ok(message(&v1::PlanVpplbStateResponse {
                    operations: plan.steps.iter().map(|step| operation(step, None)).collect(),
                    impacts: impacts(&plan, &observed).iter().map(|impact| names.impact(impact)).collect(),
                    needs_force: sentences(&report.dangers),
                    notes: sentences(&report.notes),
                }))
            };
            self.reads.make(encode).await
        });
        Ok(response(plan.await?))
    }

    async fn read<R>(&self, look: impl FnOnce(&Engine) -> R) -> Result<R, Status> {
        let read = self.control.read(|seen| look(&seen.engine)).await;
        read.map_err(|stopped: Stopped| unavailable(&stopped.into()))
    }

    /// What VPP has now. Those who ask at the same time share one look, and looks are apart, so that however many callers
    /// there are, they keep VPP less busy than one could.
    async fn observe(&self) -> Result<Arc<Observed>, Status> {
        self.reads.lanes.observed.get(&[], async { self.look().await.map(Arc::new) }).await
    }

    async fn look(&self) -> Result<Observed, Status> {
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

/// What VPP has, with what it should have beside it.
fn state(seen: &Snapshot, observed: &Observed) -> v1::VpplbState {
    let names = Names::of(&seen.engine);
    let vips = observed.vips.iter().map(|state| names.vip(&seen.engine, state));
    let conf = &observed.conf;
    v1::VpplbState {
        ipv4_src_address: conf.ipv4_source.map(|source| source.to_string()).unwrap_or_default(),
        ipv6_src_address: conf.ipv6_source.map(|source| source.to_string()).unwrap_or_default(),
        sticky_buckets_per_core: conf.sticky_buckets_per_core,
        flow_timeout: Some(duration(conf.flow_timeout)),
        vips: vips.collect(),
        fingerprint: names.fingerprint(observed).to_string(),
        observed_at: Some(at(seen.reading, seen.reading.now())),
    }
}

/// The frontend of that name; none for an empty one.
fn frontend_of(engine: &Engine, name: &str) -> Result<Option<FrontendName>, Status> {
    if name.is_empty() {
        return Ok(None);
    }
    let found = engine.frontend(name).map(|frontend| Some(frontend.name().clone()));
    found.ok_or_else(|| no_such("frontend", name))
}

/// Only the VIP of one frontend is recreated at a time, so that no slip removes them all.
fn names_one(recreate: bool, frontend: &str) -> Result<(), Status> {
    if recreate && frontend.is_empty() {
        return Err(Status::invalid_argument("`recreate` takes the name of one frontend"));
    }
    Ok(())
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
        reason: step.because.to_string(),
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

    /// The fingerprint of the tables of all frontends.
    fn fingerprint(&self, observed: &Observed) -> TableFingerprint {
        let ours = observed.vips.iter().filter(|state| self.0.contains_key(&state.vip));
        TableFingerprint::of_all(ours.map(VipState::fingerprint))
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
            table_length_desired: desired.map_or(0, |desired| desired.fit.table_length),
            table_length_kept: desired.is_some_and(|desired| desired.keeps_length(state.table_length)),
            fingerprint: state.fingerprint().to_string(),
            src_ip_sticky: state.src_ip_sticky,
            servers: state.servers.iter().map(server).collect(),
            sync_error: status.and_then(|status| status.error.clone()).unwrap_or_default(),
            frontend,
        }
    }

    fn impact(&self, impact: &Impact) -> v1::FlowImpact {
        let Impact { vip, recreated, difference, worst, .. } = impact;
        let desired = self.0.get(vip);
        let backend = |address| desired.and_then(|desired| desired.servers.get(address));
        let share = |slots: u32| difference.share_of(slots);
        let address =
            |address: Option<IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
        let (protocol, port) = service(vip);
        v1::FlowImpact {
            prefix: vip.prefix.to_string(),
            protocol,
            port,
            frontend: impact.frontend.as_ref().map(ToString::to_string).unwrap_or_default(),
            recreated: *recreated,
            moved: share(difference.changed),
            unavoidable: share(difference.unavoidable),
            servers: difference
                .backends
                .iter()
                .map(|holding| v1::ShareChange {
                    address: holding.backend.to_string(),
                    backend: backend(&holding.backend)
                        .map(|server| server.backend.to_string())
                        .unwrap_or_default(),
                    before: share(holding.before),
                    after: share(holding.after),
                })
                .collect(),
            moves: difference
                .moves
                .iter()
                .map(|moved| v1::ShareMove {
                    from: address(moved.from),
                    to: address(moved.to),
                    share: share(moved.slots),
                })
                .collect(),
            worst: worst.map(|moment| v1::WorstMoment {
                after_operations: u32::try_from(moment.after).unwrap_or(u32::MAX),
                dropped: share(moment.unserved),
                astray: share(moment.astray),
            }),
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
