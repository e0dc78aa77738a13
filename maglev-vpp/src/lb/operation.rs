//! Edge. Changes to the load balancer.

use maglev_core::net::{Encap, Service, Vip};
use maglev_core::observed::Conf;
use maglev_core::plan::Operation;

use super::pipeline::{Pending, Start, pipeline};
use super::{UNSET_IPV4, UNSET_IPV6};
use crate::client::{Client, InFlight};
use crate::error::{CallError, ErrorClass};
use crate::message::Message;
use crate::message::lb::{
    ENCAP_GRE4, ENCAP_GRE6, KEEP, LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbConf, PROTOCOL_ANY,
};
use crate::retval::Retval;
use crate::wire::{Address, Prefix};

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
    Conf(InFlight<LbConf>),
}

impl Pending for Sent {
    type Answer = ();

    async fn answer(self) -> Result<(), CallError> {
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
    let results = pipeline(client, operations).await;
    let judge = |(result, operation): (Result<(), CallError>, &Operation)| match result {
        Err(CallError::Refused { retval, .. }) if is_done_by(operation, retval) => Ok(()),
        result => result.map_err(|source| OpError { operation: *operation, source }),
    };
    results.into_iter().zip(operations).map(judge).collect()
}

impl Start for Operation {
    type Pending = Sent;

    fn message(&self) -> &'static str {
        message(self)
    }

    async fn start(&self, client: &Client) -> Result<Sent, CallError> {
        Ok(match *self {
            Operation::SetConf(conf) => Sent::Conf(client.start(&conf_request(&conf)).await?),
            Operation::AddVip { table_length: 0, .. } => {
                let reason = "a table length of 0 makes VPP exit; give a power of two";
                return Err(CallError::Withheld { message: message(self), reason });
            }
            Operation::AddVip { vip, encap, table_length, src_ip_sticky } => {
                Sent::Vip(client.start(&vip_request(vip, encap, table_length, src_ip_sticky, false)).await?)
            }
            Operation::RemoveVip { vip } => {
                // VPP looks at the key only; the rest is what its own CLI would send.
                Sent::Vip(client.start(&vip_request(vip, Encap::Gre4, 1024, false, true)).await?)
            }
            Operation::AddServer { vip, address, weight } => {
                let ((pfx, protocol, port), as_address) = (key(vip), Address(address));
                let (is_del, is_flush) = (false, false);
                let request = LbAddDelAsV2 { pfx, protocol, port, as_address, weight, is_del, is_flush };
                Sent::Server(client.start(&request).await?)
            }
            Operation::RemoveServer { vip, address, flush: is_flush } => {
                let ((pfx, protocol, port), as_address) = (key(vip), Address(address));
                let (weight, is_del) = (0, true);
                let request = LbAddDelAsV2 { pfx, protocol, port, as_address, weight, is_del, is_flush };
                Sent::Server(client.start(&request).await?)
            }
            Operation::SetWeight { vip, address, weight, flush: is_flush } => {
                let ((pfx, protocol, port), as_address) = (key(vip), Address(address));
                let request = LbAsSetWeight { pfx, protocol, port, as_address, weight, is_flush };
                Sent::Weight(client.start(&request).await?)
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
