//! Pure. The simulated VPP's state as tests see it.

use std::net::IpAddr;

use maglev_core::net::{Service, Vip};

use super::ip46::Prefix46;
use super::plugin::{Key, VipEntry};
use crate::message::lb::PROTOCOL_ANY;
use crate::wire::Prefix;

/// A VIP of the simulated VPP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimVip {
    /// Prefix.
    pub prefix: Prefix,
    /// IP protocol; 255 with port 0 is every protocol.
    pub protocol: u8,
    /// Port, or 0 for all.
    pub port: u16,
    /// `lb_encap_type`: 0 is GRE4, 1 is GRE6.
    pub encap: u32,
    /// Length of the table of new flows.
    pub table_length: u32,
    /// Flows of one source address go to one server.
    pub src_ip_sticky: bool,
    /// False once it is removed and only waits to be collected.
    pub used: bool,
    /// Its index in the pool, and among the counters.
    pub pool_index: usize,
    /// Its servers, in the order of VPP's pool.
    pub servers: Vec<SimServer>,
}

/// A server of the simulated VPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimServer {
    /// Its address.
    pub address: IpAddr,
    /// Its weight.
    pub weight: u8,
    /// Entries of the VIP's table that name it.
    pub buckets: u32,
    /// Established flows, as set by [`Sim::set_flows`](super::Sim::set_flows).
    pub flows: u64,
    /// False once it is removed and only waits to be collected.
    pub used: bool,
}

/// Packets to add to a VIP's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Of established flows.
    pub next: u64,
    /// First packets of flows.
    pub first: u64,
    /// That could not be tracked.
    pub untracked: u64,
    /// Dropped for want of a server.
    pub no_server: u64,
    /// Bytes of all of them, counted at the route.
    pub bytes: u64,
}

/// A VIP as the plugin knows it.
pub(super) fn key(vip: Vip) -> Key {
    let (protocol, port) = match vip.service {
        Service::All => (PROTOCOL_ANY, 0),
        Service::Port(protocol, port) => (protocol.number(), port),
    };
    Key { prefix: Prefix46::from(Prefix::from(vip.prefix)), protocol, port }
}

/// A VIP as tests see it.
pub(super) fn sim_vip(pool_index: usize, vip: &VipEntry) -> SimVip {
    let servers = vip.servers.iter().map(|(_, server)| SimServer {
        address: server.address.address(),
        weight: server.weight,
        buckets: server.buckets,
        flows: server.flows,
        used: server.used,
    });
    SimVip {
        prefix: vip.key.prefix.wire(),
        protocol: vip.key.protocol,
        port: vip.key.port,
        encap: vip.kind.encap(),
        table_length: vip.table_length,
        src_ip_sticky: vip.src_ip_sticky,
        used: vip.used,
        pool_index,
        servers: servers.collect(),
    }
}
