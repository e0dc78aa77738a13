//! Pure. Answers of the `lb` plugin.

use super::Replies;
use crate::message::Message;
use crate::message::lb::{
    AS_FLAG_USED, LbAddDelAsV2, LbAddDelVip, LbAddDelVipV2, LbAsSetWeight, LbAsSetWeightReply, LbAsV2Details,
    LbAsV2Dump, LbConf, LbConfGetReply, LbConfReply, LbFlushVip, LbFlushVipReply, LbVipDetails, PROTOCOL_ANY,
};
use crate::retval::Retval;
use crate::sim::ip46::Prefix46;
use crate::sim::plugin::{Key, NewVip};
use crate::wire::{Address, Prefix};

impl Replies<'_> {
    pub(super) fn conf(&mut self, request: &LbConf) {
        let LbConf { ip4_src_address, ip6_src_address, sticky_buckets_per_core, flow_timeout } = *request;
        let done =
            self.world.plugin.conf(ip4_src_address, ip6_src_address, sticky_buckets_per_core, flow_timeout);
        let what = format!(
            "set source addresses {} and {}, {sticky_buckets_per_core} sticky buckets, {flow_timeout} s flow timeout",
            std::net::Ipv4Addr::from(ip4_src_address),
            std::net::Ipv6Addr::from(ip6_src_address),
        );
        self.mutation(LbConf::name(), what, retval(done));
        self.put(&LbConfReply { retval: retval(done) });
    }

    pub(super) fn conf_get(&mut self) {
        let plugin = &self.world.plugin;
        let reply = LbConfGetReply {
            retval: 0,
            ip4_src_address: plugin.ipv4_source,
            ip6_src_address: plugin.ipv6_source,
            sticky_buckets_per_core: plugin.sticky_buckets,
            flow_timeout: plugin.flow_timeout,
        };
        self.put(&reply);
    }

    /// A table of length 0 gets a mask of all ones, and VPP dies trying to allocate it.
    pub(super) fn kills(&mut self, is_del: bool, table_length: u32) -> bool {
        let kills = !is_del && table_length == 0;
        if kills {
            tracing::warn!(
                "the simulated VPP was asked for a table of length 0 and dies of it, as a real one would"
            );
        }
        kills
    }

    pub(super) fn vip(&mut self, message: &'static str, request: &LbAddDelVipV2) -> i32 {
        let key = key(request.pfx, request.protocol, request.port);
        let now = self.world.uptime();
        let (done, what) = if request.is_del {
            (self.world.plugin.del_vip(key, now), format!("remove VIP {key}"))
        } else {
            let new = NewVip {
                encap: request.encap,
                dscp: request.dscp,
                srv_type: u8::try_from(request.srv_type).unwrap_or(0),
                target_port: request.target_port,
                table_length: request.new_flows_table_length,
                src_ip_sticky: request.src_ip_sticky,
            };
            let added = self.world.plugin.add_vip(key, new, now);
            if let Ok(index) = added {
                self.world.validate_counters(index);
            }
            let encap = match request.encap {
                0 => "gre4".to_owned(),
                1 => "gre6".to_owned(),
                other => format!("encapsulation {other}"),
            };
            let sticky = if request.src_ip_sticky { ", sticky by source address" } else { "" };
            let length = request.new_flows_table_length;
            (added.map(drop), format!("add VIP {key} with {encap}, table length {length}{sticky}"))
        };
        self.mutation(message, what, retval(done));
        retval(done)
    }

    pub(super) fn server(&mut self, message: &'static str, request: &LbAddDelAsV2) -> i32 {
        let LbAddDelAsV2 { as_address: Address(address), weight, is_flush, .. } = *request;
        let key = key(request.pfx, request.protocol, request.port);
        let now = self.world.uptime();
        let plugin = &mut self.world.plugin;
        let (done, what) = if request.is_del {
            (plugin.del_server(key, address, is_flush, now), format!("remove server {address} from {key}"))
        } else {
            let done = plugin.add_server(key, address, weight, is_flush, now);
            (done, format!("add server {address} with weight {weight} to {key}"))
        };
        self.mutation(message, what + flushing(is_flush), retval(done));
        retval(done)
    }

    pub(super) fn weight(&mut self, request: &LbAsSetWeight) {
        let LbAsSetWeight { as_address: Address(address), weight, is_flush, .. } = *request;
        let key = key(request.pfx, request.protocol, request.port);
        let done = self.world.plugin.set_weight(key, address, weight, is_flush);
        let what = format!("set weight of server {address} in {key} to {weight}{}", flushing(is_flush));
        self.mutation(LbAsSetWeight::name(), what, retval(done));
        self.put(&LbAsSetWeightReply { retval: retval(done) });
    }

    pub(super) fn flush(&mut self, request: &LbFlushVip) {
        let key = key(request.pfx, request.protocol, request.port);
        self.world.plugin.flush_vip(key);
        self.mutation(LbFlushVip::name(), format!("flush the flows of {key}"), 0);
        self.put(&LbFlushVipReply { retval: 0 });
    }

    pub(super) fn vips(&mut self) {
        let details: Vec<LbVipDetails> = self
            .world
            .plugin
            .vips
            .iter()
            .skip(1)
            .filter(|(_, vip)| vip.used)
            .map(|(_, vip)| LbVipDetails {
                pfx: vip.key.prefix.wire(),
                protocol: vip.key.protocol,
                port: vip.key.port,
                encap: vip.kind.encap(),
                dscp: vip.dscp,
                srv_type: u32::from(vip.srv_type),
                target_port: vip.target_port,
                flow_table_length: (vip.table_length & 0xffff) as u16,
            })
            .collect();
        for details in details {
            self.put(&details);
        }
    }

    pub(super) fn servers(&self, request: &LbAsV2Dump) -> Vec<LbAsV2Details> {
        let all = Address(request.pfx.address).octets() == [0; 16];
        let wanted = |key: &Key| {
            all || (key.prefix.matches_filter(request.pfx)
                && key.protocol == request.protocol
                && key.port == request.port)
        };
        let vips = self.world.plugin.vips.iter().skip(1).filter(|(_, vip)| wanted(&vip.key));
        vips.flat_map(|(_, vip)| {
            vip.servers.iter().map(|(_, server)| LbAsV2Details {
                pfx: vip.key.prefix.wire(),
                protocol: vip.key.protocol,
                port: vip.key.port,
                app_srv: server.address.wire(),
                flags: if server.used { AS_FLAG_USED } else { 0 },
                in_use_since: server.last_used,
                weight: server.weight,
                num_buckets: server.buckets,
            })
        })
        .collect()
    }
}

/// `lb_add_del_vip` is its successor without stickiness.
pub(super) fn widen(old: LbAddDelVip) -> LbAddDelVipV2 {
    LbAddDelVipV2 {
        pfx: old.pfx,
        protocol: old.protocol,
        port: old.port,
        encap: old.encap,
        dscp: old.dscp,
        srv_type: old.srv_type,
        target_port: old.target_port,
        node_port: old.node_port,
        new_flows_table_length: old.new_flows_table_length,
        src_ip_sticky: false,
        is_del: old.is_del,
    }
}

fn key(prefix: Prefix, protocol: u8, port: u16) -> Key {
    let protocol = if port == 0 { PROTOCOL_ANY } else { protocol };
    Key { prefix: Prefix46::from(prefix), protocol, port }
}

fn retval(done: Result<(), Retval>) -> i32 {
    done.err().map_or(0, |retval| retval.0)
}

fn flushing(flush: bool) -> &'static str {
    if flush { ", flushing its flows" } else { "" }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            0 => write!(f, "{} all ports", self.prefix),
            port => match self.protocol {
                6 => write!(f, "{} tcp {port}", self.prefix),
                17 => write!(f, "{} udp {port}", self.prefix),
                protocol => write!(f, "{} protocol {protocol} port {port}", self.prefix),
            },
        }
    }
}
