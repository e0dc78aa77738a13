//! Edge. What the load balancer has, put together from several answers.

use std::collections::HashMap;
use std::fmt;

use maglev_core::net::{Encap, Protocol, Service, Vip};
use maglev_core::observed::Conf;
use maglev_core::observed::{Encapsulation, ForeignKey, Observed, ServerState, VipState};

use super::LoadBalancer;
use super::verbose::{self, VerboseError, VerboseVip};
use crate::error::{CallError, ErrorClass};
use crate::message::Message;
use crate::message::control::CliInband;
use crate::message::lb::{
    AS_FLAG_USED, ENCAP_GRE4, ENCAP_GRE6, ENCAP_L3DSR, ENCAP_NAT4, ENCAP_NAT6, LbAsV2Details, LbAsV2Dump,
    LbVipDetails, LbVipDump, PROTOCOL_ANY,
};
use crate::wire::{DecodeError, Prefix, Text};

/// How often the world may change between two answers before it is given up.
const ATTEMPTS: usize = 5;

/// The one place that tells stickiness, table lengths above 65535 and pool indices.
const SHOW_VIPS: &str = "show lb vips verbose";

fn foreign_key(pfx: Prefix, protocol: u8, port: u16) -> Result<ForeignKey, DecodeError> {
    Ok(ForeignKey { prefix: pfx.net()?, protocol, port })
}

/// The VIP of a key, if there are words for it.
fn vip(key: ForeignKey) -> Option<Vip> {
    let service = match (key.protocol, key.port) {
        (PROTOCOL_ANY, 0) => Service::All,
        (_, 0) => return None,
        (protocol, port) if protocol == Protocol::Tcp.number() => Service::Port(Protocol::Tcp, port),
        (protocol, port) if protocol == Protocol::Udp.number() => Service::Port(Protocol::Udp, port),
        _ => return None,
    };
    Some(Vip { prefix: key.prefix, service })
}

/// What two answers about the same plugin disagree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A VIP is in one and not in the other.
    Vip(ForeignKey),
    /// The number of servers, removed ones included.
    Servers {
        /// As `show lb vips verbose` counts them.
        shown: usize,
        /// As they were listed.
        listed: usize,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Vip(key) => match vip(*key) {
                Some(vip) => write!(f, "VIP {vip}"),
                None => write!(f, "VIP {key}"),
            },
            Difference::Servers { shown, listed } => {
                write!(f, "{listed} servers where there should be {shown}")
            }
        }
    }
}

/// What the plugin has could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// A question failed.
    #[error("cannot read what VPP's load balancer has")]
    Call(#[from] CallError),
    /// The text of `show lb vips verbose` is not as expected.
    #[error("cannot read the VIPs' stickiness out of `{SHOW_VIPS}`")]
    Verbose(#[from] VerboseError),
    /// The answers kept contradicting each other.
    #[error(
        "VPP's VIPs changed while they were read, {ATTEMPTS} times over (last {0}); is another program at work on them?"
    )]
    Moving(Difference),
}

impl ObserveError {
    /// What to do next.
    pub fn class(&self) -> ErrorClass {
        match self {
            ObserveError::Call(error) => error.class(),
            ObserveError::Verbose(_) => ErrorClass::Unsupported,
            ObserveError::Moving { .. } => ErrorClass::Retry,
        }
    }
}

pub(super) async fn observe(lb: &LoadBalancer) -> Result<Observed, ObserveError> {
    let client = lb.client();
    let mut attempt = 0;
    loop {
        attempt += 1;
        let vip_dump = LbVipDump { pfx: Prefix::UNSPECIFIED, le: 0, ge: 0, protocol: PROTOCOL_ANY, port: 0 };
        let server_dump = LbAsV2Dump { pfx: Prefix::UNSPECIFIED, protocol: 0, port: 0 };
        let show = CliInband { cmd: Text(SHOW_VIPS.to_owned()) };
        // Polled in this order, so sent back to back.
        let (conf, vips, servers, shown) = tokio::try_join!(
            lb.conf(),
            client.dump(&vip_dump),
            client.dump(&server_dump),
            client.call(&show)
        )?;
        let shown = verbose::parse(&shown.reply.0)?;
        match assemble(conf, &vips, &servers, shown) {
            Ok(observed) => return Ok(observed),
            Err(ObserveError::Moving(_)) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
}

/// Puts the answers together, if they are about the same state. A dump tells neither that it failed nor how long it
/// should have been, so each is checked against the text.
fn assemble(
    conf: Conf,
    vips: &[LbVipDetails],
    servers: &[LbAsV2Details],
    shown: Vec<VerboseVip>,
) -> Result<Observed, ObserveError> {
    let counted = shown.iter().map(|vip| vip.servers).sum();
    if counted != servers.len() {
        return Err(ObserveError::Moving(Difference::Servers { shown: counted, listed: servers.len() }));
    }
    let mut by_vip = live_servers(servers)?;
    let mut shown: HashMap<ForeignKey, VerboseVip> =
        shown.into_iter().filter(|vip| !vip.removed).map(|vip| (vip.key, vip)).collect();
    let mut observed = Observed { conf, vips: Vec::with_capacity(vips.len()), foreign: Vec::new() };
    for details in vips {
        let key = foreign_key(details.pfx, details.protocol, details.port)
            .map_err(|source| CallError::Decode { message: LbVipDump::name(), source })?;
        let Some(shown) = shown.remove(&key) else {
            return Err(ObserveError::Moving(Difference::Vip(key)));
        };
        let Some(vip) = vip(key) else {
            observed.foreign.push(key);
            continue;
        };
        let mut servers = by_vip.remove(&key).unwrap_or_default();
        servers.sort_unstable_by_key(|server| server.address);
        observed.vips.push(VipState {
            vip,
            encap: encapsulation(details.encap),
            table_length: shown.table_length,
            src_ip_sticky: shown.src_ip_sticky,
            pool_index: shown.pool_index,
            servers,
        });
    }
    if let Some(&key) = shown.keys().next() {
        return Err(ObserveError::Moving(Difference::Vip(key)));
    }
    observed.vips.sort_unstable_by_key(|state| state.vip);
    observed.foreign.sort_unstable();
    Ok(observed)
}

/// Servers by VIP, without those that were removed and only wait to be collected.
fn live_servers(details: &[LbAsV2Details]) -> Result<HashMap<ForeignKey, Vec<ServerState>>, ObserveError> {
    let mut by_vip: HashMap<ForeignKey, Vec<ServerState>> = HashMap::new();
    for server in details.iter().filter(|server| server.flags & AS_FLAG_USED != 0) {
        let key = foreign_key(server.pfx, server.protocol, server.port)
            .map_err(|source| CallError::Decode { message: LbAsV2Dump::name(), source })?;
        by_vip.entry(key).or_default().push(ServerState {
            address: server.app_srv.0,
            weight: server.weight,
            buckets: server.num_buckets,
        });
    }
    Ok(by_vip)
}

fn encapsulation(number: u32) -> Encapsulation {
    match number {
        ENCAP_GRE4 => Encapsulation::Gre(Encap::Gre4),
        ENCAP_GRE6 => Encapsulation::Gre(Encap::Gre6),
        ENCAP_L3DSR => Encapsulation::L3dsr,
        ENCAP_NAT4 => Encapsulation::Nat4,
        ENCAP_NAT6 => Encapsulation::Nat6,
        other => Encapsulation::Other(other),
    }
}

#[cfg(test)]
mod tests;
