//! Edge. What Prometheus sees of VPP.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maglev_core::engine::{Engine, FrontendStatus};
use maglev_core::observed::TableFingerprint;
use maglev_core::plan::OperationKind;
use maglev_core::time::Time;
use maglev_vpp::VppInfo;
use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::clock::Reading;
use crate::metrics::{unix_seconds, vip_labels};
use crate::tally::Tally;
use crate::vpp::{Connection, Counters, Link, Messages, Status};

/// What is taken from the engine.
pub(super) struct Sample {
    reading: Reading,
    sync_interval: Duration,
    /// By frontend, when VPP last had all of it.
    synced: Vec<(String, Option<Time>)>,
    /// Frontend, backend, buckets.
    buckets: Vec<(String, String, u32)>,
    /// Frontend, the fingerprint of its table, and whether that keeps another length than a fresh one has.
    tables: Vec<(String, TableFingerprint, bool)>,
    /// The fingerprint of all these tables.
    all_tables: Option<TableFingerprint>,
}

impl Sample {
    pub(super) fn take(engine: &Engine, reading: Reading) -> Self {
        let frontends = engine.frontends().map(|frontend| frontend.name());
        let synced = frontends.map(|name| {
            let status = engine.sync_status(name.as_str());
            (name.to_string(), status.and_then(|status| status.last_success))
        });
        let mut buckets = Vec::new();
        if let Some(believed) = engine.believed() {
            for desired in engine.desired() {
                let Some(state) = believed.vip(&desired.vip) else { continue };
                for server in &state.servers {
                    if let Some(wanted) = desired.servers.get(&server.address) {
                        let names = (desired.frontend.to_string(), wanted.backend.to_string());
                        buckets.push((names.0, names.1, server.buckets));
                    }
                }
            }
        }
        let table = |frontend: &FrontendStatus| {
            let fingerprint = engine.table_fingerprint(frontend)?;
            Some((frontend.name().to_string(), fingerprint, engine.kept_length(frontend).is_some()))
        };
        Sample {
            reading,
            sync_interval: engine.config().vpp.sync_interval,
            synced: synced.collect(),
            buckets,
            tables: engine.frontends().filter_map(table).collect(),
            all_tables: engine.all_tables_fingerprint(),
        }
    }
}

pub(super) fn describe() {
    describe_gauge!("maglev_vpp_connected", "Whether VPP is connected and can be driven.");
    describe_gauge!("maglev_vpp_info", "The VPP that is connected; always 1.");
    describe_gauge!("maglev_vpp_uptime_seconds", "How long VPP has been running.");
    describe_gauge!("maglev_vpp_connected_seconds", "How long VPP has been connected.");
    describe_counter!("maglev_vpp_api_total", "Messages to and from VPP's binary API.");
    describe_counter!("maglev_vpp_lbsync_total", "Operations that VPP carried out.");
    describe_counter!("maglev_vpp_lbsync_errors_total", "Operations that VPP refused.");
    describe_gauge!(
        "maglev_vpp_lbsync_last_success_timestamp_seconds",
        "When VPP last had all of a frontend."
    );
    describe_gauge!(
        "maglev_vpp_lbsync_interval_seconds",
        "How often everything is compared with VPP, as configured."
    );
    describe_counter!(
        "maglev_vpp_vip_packets_total",
        "Packets to a VIP by what became of them, since VPP added it."
    );
    describe_counter!("maglev_vpp_vip_route_packets_total", "Packets routed to the prefix of a VIP.");
    describe_counter!("maglev_vpp_vip_route_bytes_total", "Bytes routed to the prefix of a VIP.");
    describe_gauge!("maglev_vpp_as_buckets", "Entries of the table of new flows that name a backend.");
    describe_gauge!(
        "maglev_frontend_fingerprint",
        "A number below 2^48 that is the same on every machine with the same table for a frontend."
    );
    describe_gauge!(
        "maglev_fingerprint",
        "A number below 2^48 that is the same on every machine with the same tables for all frontends."
    );
    describe_gauge!(
        "maglev_frontend_table_length_kept",
        "Whether the VIP of a frontend keeps another table length than that of a VIP added now."
    );
}

pub(super) fn record(sample: &Sample, tally: &Tally, link: &Link, messages: &Messages) {
    connection(sample, link.status());
    for ((message, direction, result), count) in messages.counts() {
        counter!("maglev_vpp_api_total", "msg" => message, "direction" => direction, "result" => result)
            .absolute(count);
    }
    for scope in ["full", "frontend"] {
        for kind in OperationKind::ALL {
            let count = tally.operations.get(&(scope, kind)).copied().unwrap_or(0);
            counter!("maglev_vpp_lbsync_total", "scope" => scope, "kind" => kind.as_str()).absolute(count);
        }
    }
    for (frontend, &count) in &tally.refused {
        counter!("maglev_vpp_lbsync_errors_total", "frontend" => frontend.to_string()).absolute(count);
    }
    gauge!("maglev_vpp_lbsync_interval_seconds").set(sample.sync_interval.as_secs_f64());
    for (frontend, synced) in &sample.synced {
        if let Some(synced) = synced {
            gauge!("maglev_vpp_lbsync_last_success_timestamp_seconds", "frontend" => frontend.clone())
                .set(unix_seconds(sample.reading.wall(*synced)));
        }
    }
    for (frontend, backend, buckets) in &sample.buckets {
        gauge!("maglev_vpp_as_buckets", "frontend" => frontend.clone(), "backend" => backend.clone())
            .set(f64::from(*buckets));
    }
    for (frontend, fingerprint, kept) in &sample.tables {
        gauge!("maglev_frontend_fingerprint", "frontend" => frontend.clone()).set(number(*fingerprint));
        gauge!("maglev_frontend_table_length_kept", "frontend" => frontend.clone())
            .set(f64::from(u8::from(*kept)));
    }
    if let Some(fingerprint) = sample.all_tables {
        gauge!("maglev_fingerprint").set(number(fingerprint));
    }
    if let Some(counters) = link.counters() {
        packets(&counters);
    }
}

/// A fingerprint has 48 bits, which a double has exactly.
fn number(fingerprint: TableFingerprint) -> f64 {
    fingerprint.get() as f64
}

fn connection(sample: &Sample, status: Status) {
    let connected = matches!(status, Status::Connected(_));
    gauge!("maglev_vpp_connected").set(f64::from(u8::from(connected)));
    let info = match status {
        Status::Disconnected { .. } => return,
        Status::Unsupported { info, .. } => info,
        Status::Connected(Connection { info, boot, since, .. }) => {
            if let Some(boot) = boot {
                let boot = UNIX_EPOCH + Duration::from_secs(boot);
                let uptime = SystemTime::now().duration_since(boot).unwrap_or_default();
                gauge!("maglev_vpp_uptime_seconds").set(uptime.as_secs_f64());
            }
            gauge!("maglev_vpp_connected_seconds").set(sample.reading.now().since(since).as_secs_f64());
            info
        }
    };
    let VppInfo { version, build_date, pid } = info;
    let labels = [("version", version), ("build_date", build_date), ("pid", pid.to_string())];
    gauge!("maglev_vpp_info", &labels).set(1.0);
}

fn packets(counters: &Counters) {
    for vip in &counters.vips {
        let kinds = [
            ("next", vip.packets.next),
            ("first", vip.packets.first),
            ("untracked", vip.packets.untracked),
            ("no-server", vip.packets.no_server),
        ];
        for (kind, count) in kinds {
            let mut labels = vip_labels(&vip.vip).to_vec();
            labels.push(("kind", kind.to_owned()));
            counter!("maglev_vpp_vip_packets_total", &labels).absolute(count);
        }
        if let Some(route) = vip.route {
            counter!("maglev_vpp_vip_route_packets_total", &vip_labels(&vip.vip)).absolute(route.packets);
            counter!("maglev_vpp_vip_route_bytes_total", &vip_labels(&vip.vip)).absolute(route.bytes);
        }
    }
}
