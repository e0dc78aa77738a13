//! Pure. What a dataplane reports that it has: plain data, with what was removed and only waits for collection already
//! left out.

mod fingerprint;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use self::fingerprint::{InvalidTableFingerprint, TableFingerprint};
use crate::net::{Encap, Vip};
use crate::plan::Operation;
use crate::weight::share::buckets;

/// The parameters of the load balancer as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conf {
    /// Source of GRE over IPv4; `None` if never set.
    pub ipv4_source: Option<Ipv4Addr>,
    /// Source of GRE over IPv6; `None` if never set.
    pub ipv6_source: Option<Ipv6Addr>,
    /// Buckets of the table of established flows for each worker, a power of two. VPP starts with 1024.
    pub sticky_buckets_per_core: u32,
    /// After how long an idle flow is forgotten. VPP counts whole seconds and starts with 40.
    pub flow_timeout: Duration,
}

/// Everything the load balancer has. Sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Its parameters.
    pub conf: Conf,
    /// Its VIPs, in the order of [`Vip`].
    pub vips: Vec<VipState>,
    /// VIPs there are no words for here, such as one for SCTP: nothing here created them, nothing here touches them.
    pub foreign: Vec<ForeignKey>,
}

/// A VIP as the dataplane has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VipState {
    /// Its key.
    pub vip: Vip,
    /// How packets reach its servers.
    pub encap: Encapsulation,
    /// Length of its table of new flows.
    pub table_length: u32,
    /// Flows of one source address go to one server.
    pub src_ip_sticky: bool,
    /// Where its packets are counted among VIPs in VPP's stats segment.
    pub pool_index: u32,
    /// Its servers, by address, IPv4 first.
    pub servers: Vec<ServerState>,
}

/// A server as the dataplane has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerState {
    /// Its address.
    pub address: IpAddr,
    /// Its weight.
    pub weight: u8,
    /// How many entries of the VIP's table name it.
    pub buckets: u32,
}

/// How packets are carried to servers, including ways that are never set up here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encapsulation {
    /// GRE.
    Gre(Encap),
    /// L3DSR.
    L3dsr,
    /// NAT to IPv4.
    Nat4,
    /// NAT to IPv6.
    Nat6,
    /// Something newer: its number in VPP's `lb_types.api`.
    Other(u32),
}

impl fmt::Display for Encapsulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Encapsulation::Gre(encap) => encap.fmt(f),
            Encapsulation::L3dsr => f.pad("l3dsr"),
            Encapsulation::Nat4 => f.pad("nat4"),
            Encapsulation::Nat6 => f.pad("nat6"),
            Encapsulation::Other(number) => write!(f, "encapsulation {number}"),
        }
    }
}

/// The key of a VIP as VPP has it, which may be for any IP protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The addresses served.
    pub prefix: IpNet,
    /// IP protocol; 255 with port 0 is every protocol.
    pub protocol: u8,
    /// Port, or 0 for all.
    pub port: u16,
}

impl fmt::Display for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} protocol {} port {}", self.prefix, self.protocol, self.port)
    }
}

impl Observed {
    /// The VIP with that key.
    pub fn vip(&self, vip: &Vip) -> Option<&VipState> {
        self.vips.binary_search_by_key(vip, |state| state.vip).ok().and_then(|index| self.vips.get(index))
    }

    /// The VIPs on exactly that prefix.
    pub fn on_prefix(&self, prefix: IpNet) -> impl Iterator<Item = &VipState> {
        let first = self.vips.partition_point(|state| state.vip.prefix < prefix);
        self.vips.iter().skip(first).take_while(move |state| state.vip.prefix == prefix)
    }

    /// What there is after an operation that succeeded, as far as it can be known: the place of a new VIP in the stats
    /// segment cannot, and stays 0 until it is observed.
    pub fn apply(&mut self, operation: &Operation) {
        let place = |vips: &[VipState], vip: &Vip| vips.binary_search_by_key(vip, |state| state.vip);
        match operation {
            Operation::SetConf(conf) => self.conf = *conf,
            &Operation::AddVip { vip, encap, table_length, src_ip_sticky } => {
                if let Err(index) = place(&self.vips, &vip) {
                    let state = VipState {
                        vip,
                        encap: Encapsulation::Gre(encap),
                        table_length,
                        src_ip_sticky,
                        pool_index: 0,
                        servers: Vec::new(),
                    };
                    self.vips.insert(index, state);
                }
            }
            Operation::RemoveVip { vip } => {
                if let Ok(index) = place(&self.vips, vip) {
                    self.vips.remove(index);
                }
            }
            Operation::AddServer { vip, address, weight, .. }
            | Operation::SetWeight { vip, address, weight, .. } => {
                if let Some(state) = place(&self.vips, vip).ok().and_then(|index| self.vips.get_mut(index)) {
                    state.put(*address, *weight, matches!(operation, Operation::AddServer { .. }));
                }
            }
            Operation::RemoveServer { vip, address, .. } => {
                if let Some(state) = place(&self.vips, vip).ok().and_then(|index| self.vips.get_mut(index)) {
                    state.servers.retain(|server| server.address != *address);
                    state.fill();
                }
            }
        }
    }
}

impl VipState {
    /// The server with that address.
    pub fn server(&self, address: &IpAddr) -> Option<&ServerState> {
        let index = self.servers.binary_search_by_key(address, |server| server.address);
        index.ok().and_then(|index| self.servers.get(index))
    }

    fn put(&mut self, address: IpAddr, weight: u8, add: bool) {
        match self.servers.binary_search_by_key(&address, |server| server.address) {
            Ok(index) => {
                if let Some(server) = self.servers.get_mut(index) {
                    server.weight = weight;
                }
            }
            Err(index) if add => self.servers.insert(index, ServerState { address, weight, buckets: 0 }),
            Err(_) => {}
        }
        self.fill();
    }

    /// Gives out the buckets as VPP does.
    fn fill(&mut self) {
        let weights: Vec<_> = self.servers.iter().map(|server| (server.address, server.weight)).collect();
        for (server, buckets) in self.servers.iter_mut().zip(buckets(self.table_length, &weights)) {
            server.buckets = buckets;
        }
    }
}
