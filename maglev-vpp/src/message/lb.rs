//! Pure. Messages of the `lb` plugin. (`src/plugins/lb/lb.api`, `lb_types.api`.)
//!
//! A VIP is told by prefix, protocol and port. Port 0 stands for every port, and the protocol is then 255.

use super::{Dump, Reply, Request, messages, plain_replies};
use crate::wire::{Address, Prefix};

/// `lb_encap_type`: GRE over IPv4.
pub const ENCAP_GRE4: u32 = 0;
/// `lb_encap_type`: GRE over IPv6.
pub const ENCAP_GRE6: u32 = 1;
/// `lb_encap_type`: L3DSR.
pub const ENCAP_L3DSR: u32 = 2;
/// `lb_encap_type`: NAT to IPv4.
pub const ENCAP_NAT4: u32 = 3;
/// `lb_encap_type`: NAT to IPv6.
pub const ENCAP_NAT6: u32 = 4;

/// The protocol of a VIP that takes every port.
pub const PROTOCOL_ANY: u8 = 255;

/// In [`LbConf`]: keep the present value.
pub const KEEP: u32 = u32::MAX;

/// In [`LbAsV2Details`] and [`LbAsDetails`]: the server is in use. Without it, it has been removed and only waits to be
/// collected.
pub const AS_FLAG_USED: u8 = 1;

messages! {
    /// Sets the plugin's parameters, all at once.
    LbConf = "lb_conf_56cd3261" {
        /// Source of GRE over IPv4.
        ip4_src_address: [u8; 4],
        /// Source of GRE over IPv6.
        ip6_src_address: [u8; 16],
        /// Buckets of the table of established flows, for each worker; a power of two, or [`KEEP`].
        sticky_buckets_per_core: u32,
        /// Seconds after which an idle flow is forgotten, or [`KEEP`].
        flow_timeout: u32,
    }

    /// Asks for the plugin's parameters. A VPP that has this message has an `lb` plugin that works.
    LbConfGet = "lb_conf_get_51077d14" {}

    /// The answer to [`LbConfGet`].
    LbConfGetReply = "lb_conf_get_reply_923427ac" {
        /// 0.
        retval: i32,
        /// All ones if never set.
        ip4_src_address: [u8; 4],
        /// All ones if never set.
        ip6_src_address: [u8; 16],
        /// Buckets for each worker.
        sticky_buckets_per_core: u32,
        /// Seconds.
        flow_timeout: u32,
    }

    /// Adds or removes a VIP, without stickiness. Here for a peer that must understand it; see [`LbAddDelVipV2`].
    LbAddDelVip = "lb_add_del_vip_6fa569c7" {
        /// The addresses served.
        pfx: Prefix,
        /// IP protocol, or [`PROTOCOL_ANY`].
        protocol: u8,
        /// Port, or 0.
        port: u16,
        /// `lb_encap_type`.
        encap: u32,
        /// For L3DSR.
        dscp: u8,
        /// For NAT: `lb_srv_type`.
        srv_type: u32,
        /// For NAT.
        target_port: u16,
        /// For NAT.
        node_port: u16,
        /// Length of the table of new flows, a power of two. **0 kills VPP.**
        new_flows_table_length: u32,
        /// Remove instead of add.
        is_del: bool,
    }

    /// Adds or removes a VIP.
    LbAddDelVipV2 = "lb_add_del_vip_v2_7c520e0f" {
        /// The addresses served.
        pfx: Prefix,
        /// IP protocol, or [`PROTOCOL_ANY`].
        protocol: u8,
        /// Port, or 0.
        port: u16,
        /// `lb_encap_type`.
        encap: u32,
        /// For L3DSR.
        dscp: u8,
        /// For NAT: `lb_srv_type`.
        srv_type: u32,
        /// For NAT.
        target_port: u16,
        /// For NAT.
        node_port: u16,
        /// Length of the table of new flows, a power of two. **0 kills VPP.**
        new_flows_table_length: u32,
        /// Flows of one source address go to one server.
        src_ip_sticky: bool,
        /// Remove instead of add.
        is_del: bool,
    }

    /// Adds (with weight 100) or removes a server. Here for a peer that must understand it; see [`LbAddDelAsV2`].
    LbAddDelAs = "lb_add_del_as_35d72500" {
        /// The VIP's prefix.
        pfx: Prefix,
        /// The VIP's protocol.
        protocol: u8,
        /// The VIP's port.
        port: u16,
        /// The server.
        as_address: Address,
        /// Remove instead of add.
        is_del: bool,
        /// Also forget its established flows.
        is_flush: bool,
    }

    /// Adds or removes a server.
    LbAddDelAsV2 = "lb_add_del_as_v2_2f1d3b0e" {
        /// The VIP's prefix.
        pfx: Prefix,
        /// The VIP's protocol.
        protocol: u8,
        /// The VIP's port.
        port: u16,
        /// The server.
        as_address: Address,
        /// How often it stands in the lottery for buckets, 0 to 100.
        weight: u8,
        /// Remove instead of add.
        is_del: bool,
        /// Also forget its established flows.
        is_flush: bool,
    }

    /// Sets the weight of a server.
    LbAsSetWeight = "lb_as_set_weight_2d89bdbd" {
        /// The VIP's prefix.
        pfx: Prefix,
        /// The VIP's protocol.
        protocol: u8,
        /// The VIP's port.
        port: u16,
        /// The server.
        as_address: Address,
        /// 0 to 100; 0 takes no new flows.
        weight: u8,
        /// Also forget its established flows.
        is_flush: bool,
    }

    /// Forgets the established flows of a VIP.
    ///
    /// VPP answers 0 even if there is no such VIP, and then flushes whichever VIP an uninitialised variable names
    /// (`vl_api_lb_flush_vip_t_handler` in `api.c`): send it only for a VIP that was just seen.
    LbFlushVip = "lb_flush_vip_1063f819" {
        /// The VIP's prefix.
        pfx: Prefix,
        /// The VIP's protocol.
        protocol: u8,
        /// The VIP's port.
        port: u16,
    }

    /// Asks for all VIPs. VPP ignores the fields.
    LbVipDump = "lb_vip_dump_56110cb7" {
        /// Ignored.
        pfx: Prefix,
        /// Ignored.
        le: u8,
        /// Ignored.
        ge: u8,
        /// Ignored.
        protocol: u8,
        /// Ignored.
        port: u16,
    }

    /// One VIP.
    LbVipDetails = "lb_vip_details_1329ec9b" {
        /// The addresses served.
        pfx: Prefix,
        /// IP protocol, or [`PROTOCOL_ANY`].
        protocol: u8,
        /// Port, or 0.
        port: u16,
        /// `lb_encap_type`.
        encap: u32,
        /// For L3DSR.
        dscp: u8,
        /// For NAT.
        srv_type: u32,
        /// For NAT.
        target_port: u16,
        /// Length of the table of new flows, cut to 16 bits: 65536 reads 0.
        flow_table_length: u16,
    }

    /// Asks for the servers of all VIPs, without weights; see [`LbAsV2Dump`].
    LbAsDump = "lb_as_dump_1063f819" {
        /// Leave [`Prefix::UNSPECIFIED`]: a filter finds nothing for IPv4.
        pfx: Prefix,
        /// 0.
        protocol: u8,
        /// 0.
        port: u16,
    }

    /// One server of one VIP.
    LbAsDetails = "lb_as_details_8d24c29e" {
        /// The VIP's prefix.
        pfx: Prefix,
        /// The VIP's protocol.
        protocol: u8,
        /// The VIP's port.
        port: u16,
        /// The server.
        app_srv: Address,
        /// See [`AS_FLAG_USED`].
        flags: u8,
        /// When it was removed, in seconds of VPP's uptime.
        in_use_since: u32,
    }

    /// Asks for the servers of all VIPs.
    LbAsV2Dump = "lb_as_v2_dump_1063f819" {
        /// Leave [`Prefix::UNSPECIFIED`]: a filter finds nothing for IPv4.
        pfx: Prefix,
        /// 0.
        protocol: u8,
        /// 0.
        port: u16,
    }

    /// One server of one VIP. Those of VIPs already removed are listed too, until they are collected.
    LbAsV2Details = "lb_as_v2_details_90064aae" {
        /// The VIP's prefix.
        pfx: Prefix,
        /// The VIP's protocol.
        protocol: u8,
        /// The VIP's port.
        port: u16,
        /// The server.
        app_srv: Address,
        /// See [`AS_FLAG_USED`].
        flags: u8,
        /// When it was removed, in seconds of VPP's uptime.
        in_use_since: u32,
        /// Its weight, or the last it had.
        weight: u8,
        /// Entries of the VIP's table of new flows that name it.
        num_buckets: u32,
    }
}

plain_replies! {
    LbConf => LbConfReply = "lb_conf_reply_e8d4e804";
    LbAddDelVip => LbAddDelVipReply = "lb_add_del_vip_reply_e8d4e804";
    LbAddDelVipV2 => LbAddDelVipV2Reply = "lb_add_del_vip_v2_reply_e8d4e804";
    LbAddDelAs => LbAddDelAsReply = "lb_add_del_as_reply_e8d4e804";
    LbAddDelAsV2 => LbAddDelAsV2Reply = "lb_add_del_as_v2_reply_e8d4e804";
    LbAsSetWeight => LbAsSetWeightReply = "lb_as_set_weight_reply_e8d4e804";
    LbFlushVip => LbFlushVipReply = "lb_flush_vip_reply_e8d4e804";
}

impl Reply for LbConfGetReply {}
impl Request for LbConfGet {
    type Reply = LbConfGetReply;
}

impl Dump for LbVipDump {
    type Details = LbVipDetails;
}

impl Dump for LbAsDump {
    type Details = LbAsDetails;
}

impl Dump for LbAsV2Dump {
    type Details = LbAsV2Details;
}
