//! Pure. VPP: what it is, what it has, what it counts, and what is written to it.

use maglev_api::v1;

use crate::view::words::VppStatus;
use crate::view::{Time, counted, filled, seconds, time, view};

view! {
    /// The VPP that is driven.
    pub(crate) struct VppInfo {
        /// How far it is.
        pub(crate) status: VppStatus,
        /// What stands in the way, in a sentence; null when nothing does.
        pub(crate) problem: Option<String>,
        /// The API socket.
        pub(crate) api_addr: Option<String>,
        /// The stats socket.
        pub(crate) stats_addr: Option<String>,
        /// Its version.
        pub(crate) version: Option<String>,
        /// When it was built.
        pub(crate) build_date: Option<String>,
        /// Its process id.
        pub(crate) pid: Option<u32>,
        /// When it started.
        pub(crate) boot_at: Option<Time>,
        /// Since when the daemon is connected.
        pub(crate) connected_since: Option<Time>,
        /// The last full sync that left nothing to do.
        pub(crate) last_sync_at: Option<Time>,
    }

    /// The lb plugin as VPP has it.
    pub(crate) struct LbState {
        /// Source of GRE over IPv4; null when not set.
        pub(crate) ipv4_src_address: Option<String>,
        /// Source of GRE over IPv6; null when not set.
        pub(crate) ipv6_src_address: Option<String>,
        /// Buckets of each worker's established-flow table.
        pub(crate) sticky_buckets_per_core: u32,
        /// How long an idle flow is remembered.
        pub(crate) flow_timeout_seconds: Option<f64>,
        /// When this was observed.
        pub(crate) observed_at: Option<Time>,
        /// One fingerprint of the tables of all frontends.
        pub(crate) fingerprint: Option<String>,
        /// Every VIP, ours and foreign ones.
        pub(crate) vips: Vec<Vip>,
    }

    /// A VIP in VPP.
    pub(crate) struct Vip {
        /// The addresses served.
        pub(crate) prefix: String,
        /// tcp or udp; null for every protocol.
        pub(crate) protocol: Option<String>,
        /// The port; null for every port.
        pub(crate) port: Option<u32>,
        /// The frontend it belongs to; null for a foreign VIP.
        pub(crate) frontend: Option<String>,
        /// gre4, gre6 or another that VPP knows.
        pub(crate) encap: Option<String>,
        /// Length of the new-flow table.
        pub(crate) table_length: u32,
        /// The length that the table of a VIP added now gets; null for a foreign VIP.
        pub(crate) table_length_desired: Option<u32>,
        /// Whether the table keeps another length than that, until the VIP is recreated.
        pub(crate) table_length_kept: bool,
        /// The fingerprint of the table: the same on every machine with the same table.
        pub(crate) fingerprint: Option<String>,
        /// Whether all flows of a source address go to one server.
        pub(crate) src_ip_sticky: bool,
        /// What VPP refused at the last sync; null when nothing.
        pub(crate) sync_error: Option<String>,
        /// Its servers.
        pub(crate) servers: Vec<Server>,
    }

    /// A server of a VIP in VPP.
    pub(crate) struct Server {
        /// Its address.
        pub(crate) address: String,
        /// The backend it belongs to; null for a foreign one.
        pub(crate) backend: Option<String>,
        /// The weight in effect, as operators write it.
        pub(crate) effective_weight: u32,
        /// The weight VPP has.
        pub(crate) weight: u32,
        /// Buckets of the new-flow table it has.
        pub(crate) buckets: u32,
        /// The share of new flows wanted, from 0 to 1.
        pub(crate) share_wanted: f64,
        /// The share its buckets give, from 0 to 1.
        pub(crate) share: f64,
    }

    /// Packet counters of one VIP, since VPP started.
    pub(crate) struct VipCounters {
        /// The addresses served.
        pub(crate) prefix: String,
        /// tcp or udp; null for every protocol.
        pub(crate) protocol: Option<String>,
        /// The port; null for every port.
        pub(crate) port: Option<u32>,
        /// The frontend it belongs to; null for a foreign VIP.
        pub(crate) frontend: Option<String>,
        /// Packets of established flows.
        pub(crate) next_packets: u64,
        /// First packets of flows.
        pub(crate) first_packets: u64,
        /// Packets that no flow could be kept for.
        pub(crate) untracked_packets: u64,
        /// Packets dropped for want of a server.
        pub(crate) no_server_packets: u64,
        /// Packets routed to the VIP's prefix.
        pub(crate) route_packets: u64,
        /// Bytes routed to the VIP's prefix.
        pub(crate) route_bytes: u64,
    }

    /// Packet counters of the VIPs.
    pub(crate) struct LbCounters {
        /// When they were read.
        pub(crate) read_at: Option<Time>,
        /// Each VIP.
        pub(crate) vips: Vec<VipCounters>,
    }

    /// Writes to VPP, in order.
    pub(crate) struct Operations {
        /// The writes.
        pub(crate) operations: Vec<Operation>,
    }

    /// One write to VPP.
    pub(crate) struct Operation {
        /// The frontend it is for; null for settings of the plugin and foreign VIPs.
        pub(crate) frontend: Option<String>,
        /// What it does.
        pub(crate) action: String,
        /// Why.
        pub(crate) reason: Option<String>,
        /// What VPP said, where it refused; else null.
        pub(crate) error: Option<String>,
    }
}

impl From<v1::VppInfo> for VppInfo {
    fn from(info: v1::VppInfo) -> Self {
        Self {
            status: info.status().into(),
            problem: filled(info.problem),
            api_addr: filled(info.api_addr),
            stats_addr: filled(info.stats_addr),
            version: filled(info.version),
            build_date: filled(info.build_date),
            pid: counted(info.pid),
            boot_at: time(info.boot_at),
            connected_since: time(info.connected_since),
            last_sync_at: time(info.last_sync_at),
        }
    }
}

impl From<v1::VpplbState> for LbState {
    fn from(state: v1::VpplbState) -> Self {
        Self {
            ipv4_src_address: filled(state.ipv4_src_address),
            ipv6_src_address: filled(state.ipv6_src_address),
            sticky_buckets_per_core: state.sticky_buckets_per_core,
            flow_timeout_seconds: seconds(state.flow_timeout),
            observed_at: time(state.observed_at),
            fingerprint: filled(state.fingerprint),
            vips: state.vips.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<v1::VppVip> for Vip {
    fn from(vip: v1::VppVip) -> Self {
        Self {
            prefix: vip.prefix,
            protocol: filled(vip.protocol),
            port: counted(vip.port),
            frontend: filled(vip.frontend),
            encap: filled(vip.encap),
            table_length: vip.table_length,
            table_length_desired: counted(vip.table_length_desired),
            table_length_kept: vip.table_length_kept,
            fingerprint: filled(vip.fingerprint),
            src_ip_sticky: vip.src_ip_sticky,
            sync_error: filled(vip.sync_error),
            servers: vip.servers.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<v1::VppServer> for Server {
    fn from(server: v1::VppServer) -> Self {
        Self {
            address: server.address,
            backend: filled(server.backend),
            effective_weight: server.effective_weight,
            weight: server.weight,
            buckets: server.buckets,
            share_wanted: server.share_wanted,
            share: server.share,
        }
    }
}

impl From<v1::VpplbCounters> for LbCounters {
    fn from(counters: v1::VpplbCounters) -> Self {
        Self { read_at: time(counters.read_at), vips: counters.vips.into_iter().map(Into::into).collect() }
    }
}

impl From<v1::VppVipCounters> for VipCounters {
    fn from(vip: v1::VppVipCounters) -> Self {
        Self {
            prefix: vip.prefix,
            protocol: filled(vip.protocol),
            port: counted(vip.port),
            frontend: filled(vip.frontend),
            next_packets: vip.next_packets,
            first_packets: vip.first_packets,
            untracked_packets: vip.untracked_packets,
            no_server_packets: vip.no_server_packets,
            route_packets: vip.route_packets,
            route_bytes: vip.route_bytes,
        }
    }
}

impl From<v1::VppOperation> for Operation {
    fn from(operation: v1::VppOperation) -> Self {
        Self {
            frontend: filled(operation.frontend),
            action: operation.action,
            reason: filled(operation.reason),
            error: filled(operation.error),
        }
    }
}

impl Operations {
    /// In the order they are given.
    pub(crate) fn new(operations: Vec<v1::VppOperation>) -> Self {
        Self { operations: operations.into_iter().map(Operation::from).collect() }
    }

    /// How many VPP refused.
    pub(crate) fn refused(&self) -> usize {
        self.operations.iter().filter(|operation| operation.error.is_some()).count()
    }
}
