use std::time::Duration;

use maglev_core::net::Encap;

use super::{Encapsulation, ForeignKey, ObserveError, ServerState, assemble};
use crate::lb::{Conf, verbose};
use crate::message::lb::{ENCAP_GRE4, ENCAP_L3DSR, LbAsV2Details, LbVipDetails};
use crate::wire::{Address, Prefix};

fn conf() -> Conf {
    let flow_timeout = Duration::from_secs(40);
    Conf { ipv4_source: None, ipv6_source: None, sticky_buckets_per_core: 1024, flow_timeout }
}

fn prefix(text: &str) -> Prefix {
    text.parse::<ipnet::IpNet>().unwrap().into()
}

fn vip(pfx: &str, protocol: u8, port: u16, encap: u32) -> LbVipDetails {
    let pfx = prefix(pfx);
    LbVipDetails { pfx, protocol, port, encap, dscp: 0, srv_type: 0, target_port: 0, flow_table_length: 0 }
}

fn server(pfx: &str, protocol: u8, port: u16, address: &str, flags: u8) -> LbAsV2Details {
    LbAsV2Details {
        pfx: prefix(pfx),
        protocol,
        port,
        app_srv: Address(address.parse().unwrap()),
        flags,
        in_use_since: 0,
        weight: 7,
        num_buckets: 11,
    }
}

#[test]
fn servers_find_their_vip_by_prefix_protocol_and_port() {
    let vips = [vip("203.0.113.1/32", 17, 80, ENCAP_GRE4), vip("203.0.113.1/32", 6, 80, ENCAP_GRE4)];
    let servers = [
        server("203.0.113.1/32", 17, 80, "10.0.0.3", 1),
        server("203.0.113.1/32", 6, 80, "10.0.0.20", 1),
        server("203.0.113.1/32", 6, 80, "10.0.0.3", 1),
        server("203.0.113.1/32", 6, 80, "10.0.0.9", 0),
        server("203.0.113.1/32", 6, 80, "10.0.0.8", 0),
    ];
    let shown = verbose::parse(
        " ip4-gre4 [3] 203.0.113.1/32\n  new_size:65536\n  protocol:6 port:80\n  #as:3\n\
         \x20ip4-gre4 [4] 203.0.113.1/32 src_ip_sticky removed\n  new_size:16\n  protocol:6 port:80\n  #as:1\n\
         \x20ip4-gre4 [5] 203.0.113.1/32 src_ip_sticky\n  new_size:1024\n  protocol:17 port:80\n  #as:1\n",
    )
    .unwrap();
    let observed = assemble(conf(), &vips, &servers, shown).unwrap();
    let [tcp, udp] = &observed.vips[..] else { panic!("{:?}", observed.vips) };
    assert_eq!((tcp.pool_index, tcp.table_length, tcp.src_ip_sticky), (3, 65536, false));
    assert_eq!((udp.pool_index, udp.table_length, udp.src_ip_sticky), (5, 1024, true));
    assert_eq!(tcp.encap, Encapsulation::Gre(Encap::Gre4));
    let state = |address: &str| ServerState { address: address.parse().unwrap(), weight: 7, buckets: 11 };
    assert_eq!(tcp.servers, [state("10.0.0.3"), state("10.0.0.20")]);
    assert_eq!(udp.servers, [state("10.0.0.3")]);
}

#[test]
fn vips_we_have_no_words_for_are_kept_apart() {
    let vips = [vip("203.0.113.1/32", 132, 80, ENCAP_GRE4), vip("203.0.113.2/32", 6, 80, ENCAP_L3DSR)];
    let text = " ip4-l3dsr [1] 203.0.113.2/32\n  new_size:16\n  protocol:6 port:80\n\
                \x20ip4-gre4 [2] 203.0.113.1/32\n  new_size:16\n  protocol:132 port:80\n";
    let observed = assemble(conf(), &vips, &[], verbose::parse(text).unwrap()).unwrap();
    let sctp = ForeignKey { prefix: "203.0.113.1/32".parse().unwrap(), protocol: 132, port: 80 };
    assert_eq!(observed.foreign, [sctp]);
    assert_eq!(observed.vips.len(), 1);
    assert_eq!(observed.vips[0].encap.to_string(), "l3dsr");
}

#[test]
fn answers_that_contradict_each_other_are_no_state() {
    let vips = [vip("203.0.113.1/32", 6, 80, ENCAP_GRE4)];
    let text = " ip4-gre4 [1] 203.0.113.1/32\n  new_size:16\n  protocol:6 port:80\n  #as:1\n";
    let shown = || verbose::parse(text).unwrap();
    let servers = [server("203.0.113.1/32", 6, 80, "10.0.0.1", 1)];
    assert!(assemble(conf(), &vips, &servers, shown()).is_ok());
    for (vips, servers, shown, difference) in [
        (&vips[..], &[][..], Vec::new(), "203.0.113.1/32 tcp 80"),
        (&[], &servers, shown(), "203.0.113.1/32 tcp 80"),
        (&vips, &[], shown(), "0 servers where there should be 1"),
    ] {
        let error = assemble(conf(), vips, servers, shown).unwrap_err();
        assert!(matches!(error, ObserveError::Moving(_)), "{error:?}");
        assert!(error.to_string().contains(difference), "{error}");
    }
}

#[test]
fn an_impossible_prefix_is_an_error_not_a_vip() {
    let mut broken = vip("203.0.113.1/32", 6, 80, ENCAP_GRE4);
    broken.pfx.length = 77;
    assert!(matches!(assemble(conf(), &[broken], &[], Vec::new()), Err(ObserveError::Call(_))));
}
