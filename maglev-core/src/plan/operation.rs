//! Pure. The writes there are.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::net::{Encap, Vip};
use crate::observed::Conf;

/// One write to a dataplane. Each is one request to VPP, and doing it twice does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Set the parameters of the load balancer.
    SetConf(Conf),
    /// Add a VIP. Its properties are fixed for its life.
    AddVip {
        /// The VIP.
        vip: Vip,
        /// How packets reach its servers. All VIPs on one prefix must agree.
        encap: Encap,
        /// Length of its table of new flows, a power of two.
        table_length: u32,
        /// Flows of one source address go to one server.
        src_ip_sticky: bool,
    },
    /// Remove a VIP with all its servers.
    RemoveVip {
        /// The VIP.
        vip: Vip,
    },
    /// Add a server to a VIP.
    AddServer {
        /// The VIP.
        vip: Vip,
        /// The server.
        address: IpAddr,
        /// 0 to 100.
        weight: u8,
    },
    /// Remove a server from a VIP.
    RemoveServer {
        /// The VIP.
        vip: Vip,
        /// The server.
        address: IpAddr,
        /// Evict its established flows; otherwise they stay with it until they end.
        flush: bool,
    },
    /// Set a server's weight.
    SetWeight {
        /// The VIP.
        vip: Vip,
        /// The server.
        address: IpAddr,
        /// 0 to 100.
        weight: u8,
        /// Evict its established flows.
        flush: bool,
    },
}

/// What an operation does, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Parameters were set.
    ConfSet,
    /// A VIP was added.
    VipAdded,
    /// A VIP was removed.
    VipRemoved,
    /// A server was added.
    AsAdded,
    /// A server was removed.
    AsRemoved,
    /// A server's weight was set.
    AsWeightUpdated,
}

impl OperationKind {
    /// Every kind, in the order of the enum.
    pub const ALL: [OperationKind; 6] = [
        OperationKind::ConfSet,
        OperationKind::VipAdded,
        OperationKind::VipRemoved,
        OperationKind::AsAdded,
        OperationKind::AsRemoved,
        OperationKind::AsWeightUpdated,
    ];

    /// The kind as metrics have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            OperationKind::ConfSet => "conf_set",
            OperationKind::VipAdded => "vip_added",
            OperationKind::VipRemoved => "vip_removed",
            OperationKind::AsAdded => "as_added",
            OperationKind::AsRemoved => "as_removed",
            OperationKind::AsWeightUpdated => "as_weight_updated",
        }
    }
}

impl Operation {
    /// The VIP concerned; none for the parameters of the load balancer.
    pub const fn vip(&self) -> Option<Vip> {
        match *self {
            Operation::SetConf(_) => None,
            Operation::AddVip { vip, .. }
            | Operation::RemoveVip { vip }
            | Operation::AddServer { vip, .. }
            | Operation::RemoveServer { vip, .. }
            | Operation::SetWeight { vip, .. } => Some(vip),
        }
    }

    /// The server concerned; none where it is about a VIP or more.
    pub const fn server(&self) -> Option<IpAddr> {
        match *self {
            Operation::AddServer { address, .. }
            | Operation::RemoveServer { address, .. }
            | Operation::SetWeight { address, .. } => Some(address),
            Operation::SetConf(_) | Operation::AddVip { .. } | Operation::RemoveVip { .. } => None,
        }
    }

    /// What it does.
    pub const fn kind(&self) -> OperationKind {
        match self {
            Operation::SetConf(_) => OperationKind::ConfSet,
            Operation::AddVip { .. } => OperationKind::VipAdded,
            Operation::RemoveVip { .. } => OperationKind::VipRemoved,
            Operation::AddServer { .. } => OperationKind::AsAdded,
            Operation::RemoveServer { .. } => OperationKind::AsRemoved,
            Operation::SetWeight { .. } => OperationKind::AsWeightUpdated,
        }
    }
}

/// `add server 192.0.2.11 with weight 1 to 203.0.113.1/32 tcp 80`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evicting = |flush: &bool| if *flush { " and evict its flows" } else { "" };
        match self {
            Operation::SetConf(conf) => {
                write!(f, "set the load balancer's sources to ")?;
                match (conf.ipv4_source, conf.ipv6_source) {
                    (Some(v4), Some(v6)) => write!(f, "{v4} and {v6}")?,
                    (Some(v4), None) => write!(f, "{v4}")?,
                    (None, Some(v6)) => write!(f, "{v6}")?,
                    (None, None) => f.write_str("none")?,
                }
                let (buckets, timeout) = (conf.sticky_buckets_per_core, conf.flow_timeout.as_secs());
                write!(f, ", its sticky buckets to {buckets} a core, its flow timeout to {timeout} s")
            }
            Operation::AddVip { vip, encap, table_length, src_ip_sticky } => {
                let sticky = if *src_ip_sticky { ", sticky by source address" } else { "" };
                write!(f, "add VIP {vip} with {encap}, table length {table_length}{sticky}")
            }
            Operation::RemoveVip { vip } => write!(f, "remove VIP {vip}"),
            Operation::AddServer { vip, address, weight } => {
                write!(f, "add server {address} with weight {weight} to {vip}")
            }
            Operation::RemoveServer { vip, address, flush } => {
                write!(f, "remove server {address} from {vip}{}", evicting(flush))
            }
            Operation::SetWeight { vip, address, weight, flush } => {
                write!(f, "set weight of server {address} in {vip} to {weight}{}", evicting(flush))
            }
        }
    }
}
