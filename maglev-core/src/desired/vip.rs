//! Pure. What a dataplane should have for a frontend.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::config::{Frontend, TableLength};
use crate::desired::{FrontendDecision, Reason};
use crate::names::{BackendName, FrontendName};
use crate::net::{Encap, Vip};
use crate::weight::Weight;
use crate::weight::scale::Fit;

/// What a dataplane should have for a frontend: a function of the frontend's configuration, the overrides in force, and
/// the states of its backends. What the dataplane has plays no part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredVip {
    /// The frontend.
    pub frontend: FrontendName,
    /// The key of the VIP.
    pub vip: Vip,
    /// How packets are to reach its servers.
    pub encap: Encap,
    /// Whether flows of one source address go to one server.
    pub src_ip_sticky: bool,
    /// The configured length of its table of new flows.
    pub table_length: TableLength,
    /// How its weights are scaled, and the length its table should have.
    pub fit: Fit,
    /// Its servers.
    pub servers: BTreeMap<IpAddr, DesiredServer>,
}

/// A server of a VIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredServer {
    /// The backend. Where several share the address, the first of those with the largest weight.
    pub backend: BackendName,
    /// Its weight in the unit of the configuration.
    pub weight: Weight,
    /// Why.
    pub because: Reason,
    /// Whether its established flows are evicted when it comes to this weight.
    pub flush: bool,
}

impl DesiredVip {
    /// What follows from a decision for its frontend.
    ///
    /// `address` gives a backend's address. An address that several members have gets the largest of their weights, and is
    /// only flushed if all of them are to be.
    pub fn new(
        frontend: &Frontend,
        decision: &FrontendDecision,
        fit: Fit,
        address: impl Fn(&BackendName) -> Option<IpAddr>,
    ) -> Self {
        let mut servers: BTreeMap<IpAddr, DesiredServer> = BTreeMap::new();
        for ((_, member), decision) in frontend.members().zip(decision.pools.iter().flatten()) {
            let Some(address) = address(&member.backend) else { continue };
            let server = DesiredServer {
                backend: member.backend.clone(),
                weight: decision.weight,
                because: decision.because.clone(),
                flush: decision.flush,
            };
            servers
                .entry(address)
                .and_modify(|present| {
                    let flush = present.flush && server.flush;
                    if server.weight > present.weight {
                        *present = server.clone();
                    }
                    present.flush = flush;
                })
                .or_insert(server);
        }
        DesiredVip {
            frontend: frontend.name.clone(),
            vip: frontend.vip,
            encap: frontend.encap(),
            src_ip_sticky: frontend.src_ip_sticky,
            table_length: frontend.table_length,
            fit,
            servers,
        }
    }
    /// The weight to send for each server, by address.
    pub fn sent(&self) -> impl Iterator<Item = (IpAddr, u8)> {
        self.servers.iter().map(|(&address, server)| (address, self.fit.scale.apply(server.weight)))
    }

    /// Whether a VIP whose table has the length `present` keeps it, although a fresh one would have another: the length is
    /// `auto`, and a VIP is not removed and added again for that without a request.
    pub fn keeps_length(&self, present: u32) -> bool {
        self.table_length == TableLength::Auto && present != self.fit.table_length
    }
}
