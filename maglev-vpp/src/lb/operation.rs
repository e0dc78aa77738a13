//! Edge. Changes to the load balancer.

use std::fmt;
use std::net::IpAddr;

use maglev_core::net::{Encap, Service, Vip};

use super::pipeline::{Pending, Start, pipeline};
use crate::client::{Client, InFlight};
use crate::error::{CallError, ErrorClass};
use crate::message::Message;
use crate::message::lb::{
    ENCAP_GRE4, ENCAP_GRE6, LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbFlushVip, PROTOCOL_ANY,
};
use crate::retval::Retval;
use crate::wire::{Address, Prefix};

/// One change. Each is a single request to VPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Add a VIP. Its properties are fixed for its life.
    AddVip {
        /// The VIP.
        vip: Vip,
        /// How packets reach its servers. All VIPs on one prefix must agree.
        encap: Encap,
        /// Length of its table of new flows, a power of two. 0 is refused here: VPP would die of it.
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
        /// Also forget flows it may still have from an earlier life.
        flush: bool,
    },
    /// Remove a server from a VIP.
    RemoveServer {
        /// The VIP.
        vip: Vip,
        /// The server.
        address: IpAddr,
        /// Also forget its established flows; otherwise they stay with it until they end.
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
        /// Also forget its established flows.
        flush: bool,
    },
    /// Forget the established flows of a VIP. Only for a VIP known to exist: see [`LbFlushVip`].
    FlushVip {
        /// The VIP.
        vip: Vip,
    },
}

impl Operation {
    /// The VIP concerned.
    pub const fn vip(&self) -> Vip {
        match *self {
            Operation::AddVip { vip, .. }
            | Operation::RemoveVip { vip }
            | Operation::AddServer { vip, .. }
            | Operation::RemoveServer { vip, .. }
            | Operation::SetWeight { vip, .. }
            | Operation::FlushVip { vip } => vip,
        }
    }

    /// The request it is sent as.
    pub fn message(&self) -> &'static str {
        match self {
            Operation::AddVip { .. } | Operation::RemoveVip { .. } => LbAddDelVipV2::name(),
            Operation::AddServer { .. } | Operation::RemoveServer { .. } => LbAddDelAsV2::name(),
            Operation::SetWeight { .. } => LbAsSetWeight::name(),
            Operation::FlushVip { .. } => LbFlushVip::name(),
        }
    }

    /// Whether a refusal means that what was wanted is so already.
    fn is_done_by(&self, retval: Retval) -> bool {
        match self {
            Operation::RemoveVip { .. } | Operation::RemoveServer { .. } => retval == Retval::NO_SUCH_ENTRY,
            // An addition that finds something there may have found something else: another weight, another encap.
            Operation::AddVip { .. }
            | Operation::AddServer { .. }
            | Operation::SetWeight { .. }
            | Operation::FlushVip { .. } => false,
        }
    }
}

/// `add server 10.0.0.1 weight 10 to 203.0.113.1/32 tcp 80`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flushing = |flush| if flush { ", flushing its flows" } else { "" };
        match *self {
            Operation::AddVip { vip, encap, table_length, src_ip_sticky } => {
                let sticky = if src_ip_sticky { ", sticky by source address" } else { "" };
                write!(f, "add VIP {vip} with {encap}, table length {table_length}{sticky}")
            }
            Operation::RemoveVip { vip } => write!(f, "remove VIP {vip}"),
            Operation::AddServer { vip, address, weight, flush } => {
                write!(f, "add server {address} with weight {weight} to {vip}{}", flushing(flush))
            }
            Operation::RemoveServer { vip, address, flush } => {
                write!(f, "remove server {address} from {vip}{}", flushing(flush))
            }
            Operation::SetWeight { vip, address, weight, flush } => {
                write!(f, "set weight of server {address} in {vip} to {weight}{}", flushing(flush))
            }
            Operation::FlushVip { vip } => write!(f, "flush the flows of {vip}"),
        }
    }
}

/// An operation that came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {operation}")]
pub struct OpError {
    /// The operation.
    pub operation: Operation,
    /// Why.
    #[source]
    pub source: CallError,
}

impl OpError {
    /// What to do next.
    pub fn class(&self) -> ErrorClass {
        self.source.class()
    }
}

/// A plugin request on its way, whichever it is.
pub(super) enum Sent {
    Vip(InFlight<LbAddDelVipV2>),
    Server(InFlight<LbAddDelAsV2>),
    Weight(InFlight<LbAsSetWeight>),
    Flush(InFlight<LbFlushVip>),
}

impl Pending for Sent {
    type Answer = ();

    async fn answer(self) -> Result<(), CallError> {
        match self {
            Sent::Vip(sent) => sent.reply().await.map(drop),
            Sent::Server(sent) => sent.reply().await.map(drop),
            Sent::Weight(sent) => sent.reply().await.map(drop),
            Sent::Flush(sent) => sent.reply().await.map(drop),
        }
    }

    fn is_settled(&self) -> bool {
        match self {
            Sent::Vip(sent) => sent.is_settled(),
            Sent::Server(sent) => sent.is_settled(),
            Sent::Weight(sent) => sent.is_settled(),
            Sent::Flush(sent) => sent.is_settled(),
        }
    }
}

/// See [`LoadBalancer::execute`](super::LoadBalancer::execute).
pub(super) async fn execute(client: &Client, operations: &[Operation]) -> Vec<Result<(), OpError>> {
    let results = pipeline(client, operations).await;
    let judge = |(result, &operation): (Result<(), CallError>, &Operation)| match result {
        Err(CallError::Refused { retval, .. }) if operation.is_done_by(retval) => Ok(()),
        result => result.map_err(|source| OpError { operation, source }),
    };
    results.into_iter().zip(operations).map(judge).collect()
}

impl Start for Operation {
    type Pending = Sent;

    fn message(&self) -> &'static str {
        Operation::message(self)
    }

    async fn start(&self, client: &Client) -> Result<Sent, CallError> {
        let (pfx, protocol, port) = key(self.vip());
        Ok(match *self {
            Operation::AddVip { table_length: 0, .. } => {
                let reason = "a table length of 0 makes VPP exit; give a power of two";
                return Err(CallError::Withheld { message: Operation::message(self), reason });
            }
            Operation::AddVip { vip, encap, table_length, src_ip_sticky } => {
                Sent::Vip(client.start(&vip_request(vip, encap, table_length, src_ip_sticky, false)).await?)
            }
            Operation::RemoveVip { vip } => {
                // VPP looks at the key only; the rest is what its own CLI would send.
                Sent::Vip(client.start(&vip_request(vip, Encap::Gre4, 1024, false, true)).await?)
            }
            Operation::AddServer { address, weight, flush: is_flush, .. } => {
                let (as_address, is_del) = (Address(address), false);
                let request = LbAddDelAsV2 { pfx, protocol, port, as_address, weight, is_del, is_flush };
                Sent::Server(client.start(&request).await?)
            }
            Operation::RemoveServer { address, flush: is_flush, .. } => {
                let (as_address, weight, is_del) = (Address(address), 0, true);
                let request = LbAddDelAsV2 { pfx, protocol, port, as_address, weight, is_del, is_flush };
                Sent::Server(client.start(&request).await?)
            }
            Operation::SetWeight { address, weight, flush: is_flush, .. } => {
                let request =
                    LbAsSetWeight { pfx, protocol, port, as_address: Address(address), weight, is_flush };
                Sent::Weight(client.start(&request).await?)
            }
            Operation::FlushVip { .. } => {
                Sent::Flush(client.start(&LbFlushVip { pfx, protocol, port }).await?)
            }
        })
    }
}

fn vip_request(
    vip: Vip,
    encap: Encap,
    table_length: u32,
    src_ip_sticky: bool,
    is_del: bool,
) -> LbAddDelVipV2 {
    let (pfx, protocol, port) = key(vip);
    LbAddDelVipV2 {
        pfx,
        protocol,
        port,
        encap: match encap {
            Encap::Gre4 => ENCAP_GRE4,
            Encap::Gre6 => ENCAP_GRE6,
        },
        dscp: 0,
        srv_type: 0,
        target_port: 0,
        node_port: 0,
        new_flows_table_length: table_length,
        src_ip_sticky,
        is_del,
    }
}

/// A VIP as requests name it.
fn key(vip: Vip) -> (Prefix, u8, u16) {
    match vip.service {
        Service::All => (vip.prefix.into(), PROTOCOL_ANY, 0),
        Service::Port(protocol, port) => (vip.prefix.into(), protocol.number(), port),
    }
}
