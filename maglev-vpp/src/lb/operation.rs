//! Edge. Changes to the load balancer, and carrying many of them out at once.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;

use maglev_core::net::{Encap, Service, Vip};

use crate::client::{Client, InFlight};
use crate::error::{CallError, ErrorClass};
use crate::message::lb::{
    ENCAP_GRE4, ENCAP_GRE6, LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbFlushVip, PROTOCOL_ANY,
};
use crate::message::{Message, Request};
use crate::retval::Retval;
use crate::wire::{Address, Prefix};

/// Requests under way at a time.
///
/// VPP reads 4096 bytes of a connection in one turn of its main loop (`vl_socket_read_ready`), some 60 of these: eight
/// turns' worth keeps it busy while answers travel, and bounds what a slow VPP has to queue.
const WINDOW: usize = 512;

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
    pub problem: Problem,
}

impl OpError {
    /// What to do next.
    pub fn class(&self) -> ErrorClass {
        match &self.problem {
            Problem::Call(error) => error.class(),
            Problem::EmptyTable => ErrorClass::Rejected,
        }
    }
}

/// Why an operation came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Problem {
    /// The request failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Not sent: VPP exits when asked for a table of length 0.
    #[error("a table length of 0 would make VPP exit; give a power of two")]
    EmptyTable,
}

/// A plugin request on its way, whichever it is.
enum Sent {
    Vip(InFlight<LbAddDelVipV2>),
    Server(InFlight<LbAddDelAsV2>),
    Weight(InFlight<LbAsSetWeight>),
    Flush(InFlight<LbFlushVip>),
}

impl Sent {
    async fn settle(self) -> Result<(), CallError> {
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
    let mut results: Vec<Result<(), Problem>> = Vec::with_capacity(operations.len());
    let mut window: VecDeque<Result<Sent, Problem>> = VecDeque::with_capacity(WINDOW);
    let mut rest = operations.iter();
    let mut silent = false;
    loop {
        while !silent && window.len() < WINDOW {
            let Some(operation) = rest.next() else { break };
            window.push_back(send(client, operation).await);
        }
        let Some(oldest) = window.pop_front() else { break };
        let result = match oldest {
            Ok(sent) => sent.settle().await.map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        if let Err(Problem::Call(CallError::Timeout { .. })) = &result {
            // One lost answer is one failure; no answer at all, and there is no use in going on.
            silent = !window.iter().flatten().any(Sent::is_settled);
        }
        results.push(result);
    }
    results.extend(rest.map(|operation| Err(CallError::NotSent { message: operation.message() }.into())));
    let settle = |(result, operation): (Result<(), Problem>, &Operation)| match result {
        Err(Problem::Call(CallError::Refused { retval, .. })) if operation.is_done_by(retval) => Ok(()),
        result => result.map_err(|problem| OpError { operation: *operation, problem }),
    };
    results.into_iter().zip(operations).map(settle).collect()
}

async fn send(client: &Client, operation: &Operation) -> Result<Sent, Problem> {
    let (pfx, protocol, port) = key(operation.vip());
    Ok(match *operation {
        Operation::AddVip { table_length: 0, .. } => return Err(Problem::EmptyTable),
        Operation::AddVip { encap, table_length, src_ip_sticky, .. } => {
            let request = vip_request(operation.vip(), encap, table_length, src_ip_sticky, false);
            Sent::Vip(client.start(&request).await?)
        }
        Operation::RemoveVip { vip } => {
            // VPP looks at the key only; the rest is what its own CLI would send.
            Sent::Vip(client.start(&vip_request(vip, Encap::Gre4, 1024, false, true)).await?)
        }
        Operation::AddServer { address, weight, flush, .. } => {
            let as_address = Address(address);
            let request =
                LbAddDelAsV2 { pfx, protocol, port, as_address, weight, is_del: false, is_flush: flush };
            Sent::Server(client.start(&request).await?)
        }
        Operation::RemoveServer { address, flush, .. } => {
            let as_address = Address(address);
            let request =
                LbAddDelAsV2 { pfx, protocol, port, as_address, weight: 0, is_del: true, is_flush: flush };
            Sent::Server(client.start(&request).await?)
        }
        Operation::SetWeight { address, weight, flush, .. } => {
            let as_address = Address(address);
            let request = LbAsSetWeight { pfx, protocol, port, as_address, weight, is_flush: flush };
            Sent::Weight(client.start(&request).await?)
        }
        Operation::FlushVip { .. } => Sent::Flush(client.start(&LbFlushVip { pfx, protocol, port }).await?),
    })
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

/// Sends requests of one kind within a window and returns their replies in order.
pub(super) async fn pipeline<R: Request>(
    client: &Client,
    requests: impl Iterator<Item = R>,
) -> Vec<Result<R::Reply, CallError>> {
    let mut results = Vec::new();
    let mut window: VecDeque<Result<InFlight<R>, CallError>> = VecDeque::new();
    let mut requests = requests.fuse();
    loop {
        while window.len() < WINDOW {
            let Some(request) = requests.next() else { break };
            window.push_back(client.start(&request).await);
        }
        match window.pop_front() {
            Some(Ok(sent)) => results.push(sent.reply().await),
            Some(Err(error)) => results.push(Err(error)),
            None => return results,
        }
    }
}
