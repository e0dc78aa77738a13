use proptest::prelude::*;

use super::{VerboseError, VerboseVip, parse};
use maglev_core::observed::ForeignKey;

/// As VPP 26.10 printed it.
const RECORDED: &str = " ip4-gre4 [1] 203.0.113.1/32
  new_size:1024
  protocol:6 port:80
  counters:
    packet from existing sessions: 0
    first session packet: 0
    untracked packet: 0
    no server configured: 0
  #as:2
    10.0.0.1 weight:100 buckets:1024 flows:0 dpo:12 used
    10.0.0.2 weight:100 buckets:0 flows:0 dpo:13  removed

 ip6-gre6 [2] 2001:db8:1::1/128 src_ip_sticky
  new_size:65536
  protocol:6 port:443
  counters:
  #as:0

 ip4-gre4 [4] 203.0.113.2/32 removed
  new_size:4096
  counters:
  #as:1
    10.0.2.1 weight:100 buckets:0 flows:0 dpo:21  removed

";

fn vip(prefix: &str, protocol: u8, port: u16, pool_index: u32, table_length: u32) -> VerboseVip {
    VerboseVip {
        key: ForeignKey { prefix: prefix.parse().unwrap(), protocol, port },
        pool_index,
        table_length,
        src_ip_sticky: false,
        removed: false,
        servers: 0,
    }
}

#[test]
fn the_recorded_text_is_understood() {
    let expected = [
        VerboseVip { servers: 2, ..vip("203.0.113.1/32", 6, 80, 1, 1024) },
        VerboseVip { src_ip_sticky: true, ..vip("2001:db8:1::1/128", 6, 443, 2, 65536) },
        VerboseVip { removed: true, servers: 1, ..vip("203.0.113.2/32", 255, 0, 4, 4096) },
    ];
    assert_eq!(parse(RECORDED).unwrap(), expected);
}

#[test]
fn other_kinds_of_vips_are_understood_too() {
    let text = " ip4-nat4 [7] 203.0.113.9/32\n  new_size:16\n  protocol:6 port:80\n  \
                type:clusterip port:20480 target_port:8080  counters:\n ip4-l3dsr [8] 203.0.113.10/32\n  new_size:16\n  dscp:7\n";
    let expected = [vip("203.0.113.9/32", 6, 80, 7, 16), vip("203.0.113.10/32", 255, 0, 8, 16)];
    assert_eq!(parse(text).unwrap(), expected);
}

#[test]
fn no_vips_are_no_text() {
    assert_eq!(parse("").unwrap(), []);
}

#[test]
fn a_vip_that_cannot_be_told_is_an_error() {
    let prefix = parse(" ip4-gre4 [1] somewhere\n  new_size:1024\n").unwrap_err();
    assert_eq!(prefix, VerboseError::Prefix { line: 1, text: " ip4-gre4 [1] somewhere".to_owned() });
    let length = parse("\n ip4-gre4 [1] 203.0.113.1/32\n  protocol:6 port:80\n").unwrap_err();
    assert_eq!(length, VerboseError::TableLength { line: 2 });
}

proptest! {
    #[test]
    fn any_text_is_vips_or_an_error(text in "( ip4-gre4 \\[[0-9]{1,3}\\] |203.0.113.1/32|new_size:|port:|[0-9]|\\n|\\PC){0,60}") {
        let _ = parse(&text);
    }
}
