//! What the canned server answers about VPP.

use maglev_api::v1::*;

use super::Mood;
use super::fixtures::ago;

pub(crate) fn info(well: bool) -> VppInfo {
    let connected = VppInfo {
        status: VppStatus::Connected.into(),
        problem: String::new(),
        api_addr: "/run/vpp/api.sock".into(),
        stats_addr: "/run/vpp/stats.sock".into(),
        version: "26.10-rc0~117-g4a9a2b7".into(),
        build_date: "2026-03-02T10:11:12".into(),
        pid: 4711,
        boot_at: ago(9 * 86400),
        connected_since: ago(2 * 86400 + 4 * 3600),
        last_sync_at: ago(17),
    };
    let unsupported = VppInfo {
        status: VppStatus::Unsupported.into(),
        problem: "VPP 26.06 lacks lb_conf_get; probing goes on, and nothing is written to it".into(),
        version: "26.06-release".into(),
        last_sync_at: None,
        ..connected.clone()
    };
    if well { connected } else { unsupported }
}

fn server(address: &str, backend: &str, weights: [u32; 2], buckets: u32, wanted: f64) -> VppServer {
    VppServer {
        address: address.into(),
        backend: backend.into(),
        effective_weight: weights[0],
        weight: weights[1],
        buckets,
        share_wanted: wanted,
        share: f64::from(buckets) / 16384.0,
    }
}

pub(crate) fn state() -> VpplbState {
    VpplbState {
        ipv4_src_address: "192.0.2.1".into(),
        ipv6_src_address: String::new(),
        sticky_buckets_per_core: 65536,
        flow_timeout: Some(prost_types::Duration { seconds: 40, nanos: 0 }),
        vips: vec![
            VppVip {
                prefix: "203.0.113.1/32".into(),
                protocol: "tcp".into(),
                port: 80,
                encap: "gre4".into(),
                table_length: 16384,
                table_length_desired: 4096,
                table_length_kept: true,
                fingerprint: "1f0c9a6b27de".into(),
                src_ip_sticky: false,
                frontend: "site".into(),
                servers: vec![
                    server("192.0.2.10", "nginx0", [100, 10], 14894, 10.0 / 11.0),
                    server("192.0.2.11", "nginx1", [10, 1], 1490, 1.0 / 11.0),
                    server("192.0.2.12", "nginx2", [0, 0], 0, 0.0),
                    server("192.0.2.77", "", [0, 1], 0, 0.0),
                ],
                sync_error: String::new(),
            },
            VppVip {
                prefix: "203.0.113.53/32".into(),
                encap: "gre4".into(),
                table_length: 4096,
                table_length_desired: 4096,
                fingerprint: "93a324e14403".into(),
                src_ip_sticky: true,
                frontend: "dns".into(),
                servers: Vec::new(),
                sync_error: "lb_add_del_as_v2 for 192.0.2.99 was refused: wrong address family (-97)".into(),
                ..VppVip::default()
            },
            VppVip {
                prefix: "2001:db8:ff::/64".into(),
                encap: "l3dsr".into(),
                table_length: 1024,
                ..VppVip::default()
            },
        ],
        observed_at: ago(17),
        fingerprint: "c4e83b5a9d10".into(),
    }
}

pub(crate) fn counters() -> VpplbCounters {
    VpplbCounters {
        vips: vec![
            VppVipCounters {
                prefix: "203.0.113.1/32".into(),
                protocol: "tcp".into(),
                port: 80,
                frontend: "site".into(),
                next_packets: 1_234_567_890,
                first_packets: 4_321,
                untracked_packets: 12,
                no_server_packets: 7,
                route_packets: 1_234_572_230,
                route_bytes: 1_876_543_210_987,
            },
            VppVipCounters {
                prefix: "2001:db8:ff::/64".into(),
                route_bytes: 512,
                ..VppVipCounters::default()
            },
        ],
        read_at: ago(3),
    }
}

pub(crate) fn operations(frontend: &str, mood: Mood) -> Vec<VppOperation> {
    if matches!(mood, Mood::Already | Mood::Calm) {
        return Vec::new();
    }
    let operation = |frontend: &str, action: &str, reason: &str| VppOperation {
        frontend: frontend.into(),
        action: action.into(),
        reason: reason.into(),
        error: String::new(),
    };
    let mut all = vec![
        operation(
            "site",
            "set weight of 192.0.2.18 from 0 to 1",
            "pool spare is active: pool primary has no server",
        ),
        operation("site", "set weight of 192.0.2.11 from 1 to 0 and evict its flows", "it is down"),
        operation("shop", "add 192.0.2.19 with weight 10", "new in the configuration"),
        operation("", "remove VIP 203.0.113.9 tcp/80", "no frontend has it, and ownership is exclusive"),
    ];
    if mood == Mood::Unwell {
        all[2].error = "lb_add_del_as_v2 was refused: wrong address family (-97)".into();
    }
    all.retain(|operation| frontend.is_empty() || operation.frontend == frontend);
    all
}

/// What the first of the writes do to new flows.
pub(crate) fn impacts(operations: &[VppOperation]) -> Vec<FlowImpact> {
    let address = |last: u8| format!("192.0.2.{last}");
    let server = |last: u8, backend: &str, before: f64, after: f64| ShareChange {
        address: address(last),
        backend: backend.into(),
        before,
        after,
    };
    let moved = |from: u8, to: u8, share: f64| ShareMove { from: address(from), to: address(to), share };
    let impact = |operation: &VppOperation| FlowImpact {
        prefix: "203.0.113.1/32".into(),
        protocol: "tcp".into(),
        port: 80,
        frontend: operation.frontend.clone(),
        recreated: false,
        moved: 0.506,
        unavoidable: 0.5,
        servers: vec![
            server(11, "nginx0", 0.5, 0.0),
            server(12, "nginx1", 0.5, 0.497),
            server(18, "", 0.0, 0.503),
        ],
        moves: vec![moved(11, 18, 0.5), moved(12, 18, 0.006)],
        worst: Some(WorstMoment { after_operations: 1, dropped: 0.0, astray: 0.012 }),
    };
    operations.first().map(impact).into_iter().collect()
}
