use std::net::IpAddr;

use bytes::BytesMut;

use super::control::{CliInbandReply, ShowVersionReply};
use super::lb::{
    LbAddDelAs, LbAddDelAsV2, LbAddDelVip, LbAddDelVipV2, LbAsDetails, LbAsDump, LbAsSetWeight,
    LbAsV2Details, LbAsV2Dump, LbConf, LbConfGetReply, LbVipDetails, LbVipDump,
};
use super::route::{IpRouteLookup, IpRouteLookupReply};
use super::{Message, plain_name};

const RECORDING: &str = include_str!("../../tests/fixtures/lb-session.txt");

/// Bodies of the recorded messages of this number: without number and context, for requests without client index.
fn recorded(id: u16) -> Vec<Vec<u8>> {
    let messages = RECORDING.lines().filter_map(|line| {
        let (direction, hex) = line.split_once(' ').filter(|(direction, _)| *direction != "#")?;
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let header = if direction == ">" { 10 } else { 6 };
        (bytes[..2] == id.to_be_bytes()).then(|| bytes[header..].to_vec())
    });
    messages.collect()
}

/// Reads all recorded messages of a number and checks that writing them gives the same bytes.
fn check<M: Message>(id: u16) -> Vec<M> {
    let bodies = recorded(id);
    assert!(!bodies.is_empty(), "{} is not in the recording", M::name());
    let read = |body: &Vec<u8>| {
        let message = M::read(body).unwrap_or_else(|error| panic!("{}: {error}", M::name()));
        let mut written = BytesMut::new();
        message.put(&mut written);
        assert_eq!(written[..], body[..], "{}", M::name());
        for length in 0..body.len() {
            let cut = M::read(&body[..length]);
            assert!(
                cut.is_err() || M::name() == "ip_route_lookup_reply",
                "{} cut to {length} bytes",
                M::name()
            );
        }
        message
    };
    bodies.iter().map(read).collect()
}

#[test]
fn recorded_messages_read_and_write_back() {
    check::<LbAddDelVip>(101);
    check::<LbAddDelAs>(105);
    check::<LbAddDelAsV2>(107);
    check::<LbAsSetWeight>(109);
    check::<LbVipDump>(113);
    check::<LbAsDump>(115);
    check::<LbAsDetails>(116);
    check::<LbAsV2Dump>(117);
    check::<CliInbandReply>(161);
    check::<IpRouteLookup>(442);
}

#[test]
fn recorded_values_are_where_they_belong() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();

    let version = &check::<ShowVersionReply>(889)[0];
    assert_eq!(
        (version.program.0.as_str(), version.version.0.as_str()),
        ("vpe", "26.10-rc0~374-gb575ec2c56d")
    );

    let conf = &check::<LbConf>(97)[0];
    assert_eq!(
        (conf.ip4_src_address, conf.sticky_buckets_per_core, conf.flow_timeout),
        ([192, 0, 2, 1], 65536, 40)
    );
    assert_eq!(check::<LbConfGetReply>(100)[0].ip4_src_address, [255; 4]);

    let sticky = &check::<LbAddDelVipV2>(103)[1];
    assert_eq!((sticky.pfx.address, sticky.pfx.length), (address("2001:db8:1::1"), 128));
    assert_eq!((sticky.protocol, sticky.port, sticky.encap), (6, 443, 1));
    assert_eq!((sticky.new_flows_table_length, sticky.src_ip_sticky, sticky.is_del), (1024, true, false));

    let all_ports = &check::<LbVipDetails>(114)[3];
    assert_eq!((all_ports.pfx.address, all_ports.pfx.length), (address("203.0.113.2"), 32));
    assert_eq!((all_ports.protocol, all_ports.port, all_ports.flow_table_length), (255, 0, 4096));

    let server = &check::<LbAsV2Details>(118)[5];
    assert_eq!(server.app_srv.0, address("2001:db8:2::2"));
    assert_eq!((server.flags, server.weight, server.num_buckets), (1, 30, 240));

    let route = &check::<IpRouteLookupReply>(444)[0];
    assert_eq!((route.retval, route.stats_index, route.n_paths), (0, 8, 1));
}

#[test]
fn names_lose_their_layout_only() {
    assert_eq!(LbAddDelAsV2::name(), "lb_add_del_as_v2");
    assert_eq!(plain_name("lb_as_v2_dump_1063f819"), "lb_as_v2_dump");
}
