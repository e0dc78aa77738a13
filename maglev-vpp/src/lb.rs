//! Edge. The load balancer: what VPP's `lb` plugin has, and changes to it.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnet::IpNet;
use maglev_core::net::Vip;
use maglev_core::observed::{Conf, Observed};
use maglev_core::plan::Operation;

use crate::capability::Unsupported;
use crate::client::Client;
use crate::error::CallError;
use crate::message::lb::{LbConfGet, LbFlushVip};
use crate::message::route::IpRouteLookup;

mod observe;
mod operation;
mod pipeline;
pub mod verbose;

pub use observe::{Difference, ObserveError};
pub use operation::OpError;

/// A VPP whose load balancer can be programmed.
///
/// Clones share one connection.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    client: Client,
}

impl LoadBalancer {
    /// The load balancer of a connected VPP.
    ///
    /// # Errors
    /// [`Unsupported`] if this VPP has no `lb` plugin, or one that cannot be trusted.
    pub fn new(client: Client) -> Result<LoadBalancer, Unsupported> {
        client.capabilities().lb.map(|()| LoadBalancer { client })
    }

    /// The connection.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Reads the plugin's parameters. Dropping the future is harmless.
    ///
    /// # Errors
    /// [`CallError`], as for [`Client::call`].
    pub async fn conf(&self) -> Result<Conf, CallError> {
        let reply = self.client.call(&LbConfGet {}).await?;
        Ok(Conf {
            ipv4_source: Some(Ipv4Addr::from(reply.ip4_src_address)).filter(|address| *address != UNSET_IPV4),
            ipv6_source: Some(Ipv6Addr::from(reply.ip6_src_address)).filter(|address| *address != UNSET_IPV6),
            sticky_buckets_per_core: reply.sticky_buckets_per_core,
            flow_timeout: Duration::from_secs(reply.flow_timeout.into()),
        })
    }

    /// Sets all of the plugin's parameters. `None` unsets a source address. Dropping the future does not undo it.
    ///
    /// # Errors
    /// [`CallError`], as for [`Client::call`]; refused with -70 if the buckets are not a power of two.
    pub async fn set_conf(&self, conf: &Conf) -> Result<(), CallError> {
        let request = operation::conf_request(conf);
        self.client.call(&request).await.map(drop)
    }

    /// Evicts all established flows of a VIP. VPP does not check that there is such a VIP ([`LbFlushVip`]), so only ask for
    /// one that was observed. Dropping the future does not undo it.
    ///
    /// # Errors
    /// [`CallError`], as for [`Client::call`].
    pub async fn flush(&self, vip: Vip) -> Result<(), CallError> {
        let (pfx, protocol, port) = operation::key(vip);
        self.client.call(&LbFlushVip { pfx, protocol, port }).await.map(drop)
    }

    /// Where each prefix's packets are counted among the routes of the stats segment. Asked for together, answered in
    /// the order given. Dropping the future is harmless.
    ///
    /// # Errors
    /// For each prefix its own [`CallError`]; refused with -6 if there is no such route.
    pub async fn route_stats_indices(&self, prefixes: &[IpNet]) -> Vec<Result<u32, CallError>> {
        let lookup = |&prefix: &IpNet| IpRouteLookup { table_id: 0, exact: true, prefix: prefix.into() };
        let lookups: Vec<IpRouteLookup> = prefixes.iter().map(lookup).collect();
        let replies = pipeline::pipeline(&self.client, &lookups).await;
        replies.into_iter().map(|reply| reply.map(|reply| reply.stats_index)).collect()
    }

    /// Reads everything the plugin has: parameters, VIPs, servers. The questions are asked in one go, so VPP answers
    /// them out of (nearly) one state. Dropping the future is harmless.
    ///
    /// # Errors
    /// [`ObserveError`] if a question fails, or other clients change VIPs faster than they can be read.
    pub async fn observe(&self) -> Result<Observed, ObserveError> {
        observe::observe(self).await
    }

    /// Carries out operations in order, pipelined: up to 512 are under way at a time, and none waits for the answer to
    /// the one before it. A refused one does not stop those behind it. If VPP stops answering altogether, the rest is
    /// not sent ([`CallError::NotSent`]).
    ///
    /// The results are in the order of the operations. Removing what is not there is a success.
    ///
    /// Dropping the future stops sending; what was sent is carried out.
    pub async fn execute(&self, operations: &[Operation]) -> Vec<Result<(), OpError>> {
        operation::execute(&self.client, operations).await
    }
}

/// What VPP reports for a source address that was never set (`lb_init` in `lb.c`).
const UNSET_IPV4: Ipv4Addr = Ipv4Addr::BROADCAST;
/// The same for IPv6.
const UNSET_IPV6: Ipv6Addr = Ipv6Addr::new(0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff);
