//! Edge. Changes to the load balancer, and carrying many of them out at once.

use std::collections::VecDeque;

use maglev_core::net::{Encap, Service, Vip};
use maglev_core::observed::Conf;
use maglev_core::plan::Operation;

use super::{UNSET_IPV4, UNSET_IPV6};
use crate::client::{Client, InFlight};
use crate::error::{CallError, ErrorClass};
use crate::message::lb::{
    ENCAP_GRE4, ENCAP_GRE6, KEEP, LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbConf, PROTOCOL_ANY,
};
use crate::message::{Message, Request};
use crate::retval::Retval;
use crate::wire::{Address, Prefix};

/// Requests under way at a time.
///
/// VPP reads 4096 bytes of a connection in one turn of its main loop (`vl_socket_read_ready`), some 60 of these: eight
/// turns' worth keeps it busy while answers travel, and bounds what a slow VPP has to queue.
const WINDOW: usize = 512;

/// The request an operation is sent as.
fn message(operation: &Operation) -> &'static str {
    match operation {
        Operation::SetConf(_) => LbConf::name(),
        Operation::AddVip { .. } | Operation::RemoveVip { .. } => LbAddDelVipV2::name(),
        Operation::AddServer { .. } | Operation::RemoveServer { .. } => LbAddDelAsV2::name(),
        Operation::SetWeight { .. } => LbAsSetWeight::name(),
    }
}

/// Whether a refusal means that what was wanted is so already.
fn is_done_by(operation: &Operation, retval: Retval) -> bool {
    match operation {
        Operation::RemoveVip { .. } | Operation::RemoveServer { .. } => retval == Retval::NO_SUCH_ENTRY,
        // An addition that finds something there may have found something else: another weight, another encap.
        Operation::SetConf(_)
        | Operation::AddVip { .. }
        | Operation::AddServer { .. }
        | Operation::SetWeight { .. } => false,
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
    Conf(InFlight<LbConf>),
}

impl Sent {
    async fn settle(self) -> Result<(), CallError> {
        match self {
            Sent::Vip(sent) => sent.reply().await.map(drop),
            Sent::Server(sent) => sent.reply().await.map(drop),
            Sent::Weight(sent) => sent.reply().await.map(drop),
            Sent::Conf(sent) => sent.reply().await.map(drop),
        }
    }

    fn is_settled(&self) -> bool {
        match self {
            Sent::Vip(sent) => sent.is_settled(),
            Sent::Server(sent) => sent.is_settled(),
            Sent::Weight(sent) => sent.is_settled(),
            Sent::Conf(sent) => sent.is_settled(),
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
    results.extend(rest.map(|operation| Err(CallError::NotSent { message: message(operation) }.into())));
    let settle = |(result, operation): (Result<(), Problem>, &Operation)| match result {
        Err(Problem::Call(CallError::Refused { retval, .. })) if is_done_by(operation, retval) => Ok(()),
        result => result.map_err(|problem| OpError { operation: *operation, problem }),
    };
    results.into_iter().zip(operations).map(settle).collect()
}

async fn send(client: &Client, operation: &Operation) -> Result<Sent, Problem> {
    Ok(match *operation {
        Operation::SetConf(conf) => Sent::Conf(client.start(&conf_request(&conf)).await?),
        Operation::AddVip { table_length: 0, .. } => return Err(Problem::EmptyTable),
        Operation::AddVip { vip, encap, table_length, src_ip_sticky } => {
            let request = vip_request(vip, encap, table_length, src_ip_sticky, false);
            Sent::Vip(client.start(&request).await?)
        }
        Operation::RemoveVip { vip } => {
            // VPP looks at the key only; the rest is what its own CLI would send.
            Sent::Vip(client.start(&vip_request(vip, Encap::Gre4, 1024, false, true)).await?)
        }
        Operation::AddServer { vip, address, weight } => {
            let ((pfx, protocol, port), as_address) = (key(vip), Address(address));
            let request =
                LbAddDelAsV2 { pfx, protocol, port, as_address, weight, is_del: false, is_flush: false };
            Sent::Server(client.start(&request).await?)
        }
        Operation::RemoveServer { vip, address, flush } => {
            let ((pfx, protocol, port), as_address) = (key(vip), Address(address));
            let request =
                LbAddDelAsV2 { pfx, protocol, port, as_address, weight: 0, is_del: true, is_flush: flush };
            Sent::Server(client.start(&request).await?)
        }
        Operation::SetWeight { vip, address, weight, flush } => {
            let ((pfx, protocol, port), as_address) = (key(vip), Address(address));
            let request = LbAsSetWeight { pfx, protocol, port, as_address, weight, is_flush: flush };
            Sent::Weight(client.start(&request).await?)
        }
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

/// Parameters as VPP takes them: a source that is not set is not one of ours to change, and `observe` has read it.
pub(super) fn conf_request(conf: &Conf) -> LbConf {
    LbConf {
        ip4_src_address: conf.ipv4_source.unwrap_or(UNSET_IPV4).octets(),
        ip6_src_address: conf.ipv6_source.unwrap_or(UNSET_IPV6).octets(),

        sticky_buckets_per_core: conf.sticky_buckets_per_core,
        // The largest number means "keep" on the wire, so the longest timeout is one second less.
        flow_timeout: u32::try_from(conf.flow_timeout.as_secs()).unwrap_or(KEEP).min(KEEP - 1),
    }
}

/// A VIP as requests name it.
pub(super) fn key(vip: Vip) -> (Prefix, u8, u16) {
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
