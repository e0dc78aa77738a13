//! What a plan does to new flows, on small worlds.

use std::time::Duration;

use super::*;
use crate::net::{Encap, Protocol, Service};
use crate::observed::Conf;
use crate::plan::{Because, Step};

fn vip() -> Vip {
    Vip { prefix: "203.0.113.1/32".parse().unwrap(), service: Service::Port(Protocol::Tcp, 80) }
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn plan(operations: &[Operation]) -> Plan {
    let frontend: FrontendName = "site".parse().unwrap();
    let step = |&operation| Step {
        frontend: Some(frontend.clone()),
        operation,
        because: Because::VipMissing,
        waits: false,
    };
    Plan { steps: operations.iter().map(step).collect() }
}

/// A VIP with a table of 1024 and servers of these weights.
fn world(weights: &[u8]) -> Observed {
    let conf = Conf {
        ipv4_source: None,
        ipv6_source: None,
        sticky_buckets_per_core: 1024,
        flow_timeout: Duration::from_secs(40),
    };
    let mut world = Observed { conf, vips: Vec::new(), foreign: Vec::new() };
    if !weights.is_empty() {
        world.apply(&Operation::AddVip {
            vip: vip(),
            encap: Encap::Gre4,
            table_length: 1024,
            src_ip_sticky: false,
        });
        for (&weight, last) in weights.iter().zip(1..) {
            world.apply(&Operation::AddServer { vip: vip(), address: address(last), weight });
        }
    }
    world
}

fn set_weight(last: u8, weight: u8) -> Operation {
    Operation::SetWeight { vip: vip(), address: address(last), weight, flush: false }
}

#[test]
fn a_drained_server_gives_its_share_to_the_others() {
    let impacts = impacts(&plan(&[set_weight(1, 0)]), &world(&[1, 1]));
    let [impact] = impacts.as_slice() else { panic!("one VIP, not {impacts:?}") };
    assert_eq!(impact.frontend.as_ref().map(FrontendName::as_str), Some("site"));
    assert_eq!((impact.difference.slots, impact.difference.changed), (1024, 512));
    let [moved] = impact.difference.moves.as_slice() else { panic!("one move, not {impact:?}") };
    assert_eq!((moved.from, moved.to, moved.slots), (Some(address(1)), Some(address(2)), 512));
    assert!(!impact.recreated);
    assert_eq!(impact.worst, None, "there is nothing on the way");
}

#[test]
fn the_wrong_order_shows_as_a_moment_in_which_flows_are_dropped() {
    let drained_first = [set_weight(1, 0), set_weight(2, 1)];
    let impacts = impacts(&plan(&drained_first), &world(&[1, 0]));
    let worst = impacts[0].worst.expect("nobody serves in between");
    assert_eq!((worst.unserved, worst.after), (1024, 1));

    let raised_first = [set_weight(2, 1), set_weight(1, 0)];
    let impacts = super::impacts(&plan(&raised_first), &world(&[1, 0]));
    assert_eq!(impacts[0].worst, None);
}

#[test]
fn a_vip_made_anew_with_a_longer_table_is_compared_share_by_share() {
    let operations = [
        Operation::RemoveVip { vip: vip() },
        Operation::AddVip { vip: vip(), encap: Encap::Gre4, table_length: 4096, src_ip_sticky: true },
        Operation::AddServer { vip: vip(), address: address(1), weight: 1 },
    ];
    let impacts = impacts(&plan(&operations), &world(&[1]));
    assert!(impacts[0].recreated);
    assert_eq!(impacts[0].difference.changed, 0, "its one server has all of it before and after");
}

#[test]
fn a_new_vip_takes_all_its_slots_from_nobody() {
    let operations = [
        Operation::AddVip { vip: vip(), encap: Encap::Gre4, table_length: 1024, src_ip_sticky: false },
        Operation::AddServer { vip: vip(), address: address(1), weight: 1 },
    ];
    let impacts = impacts(&plan(&operations), &world(&[]));
    assert!(!impacts[0].recreated);
    assert_eq!(impacts[0].difference.moves.first().map(|m| (m.from, m.to)), Some((None, Some(address(1)))));
    assert_eq!(impacts[0].difference.changed, 1024);
}

#[test]
fn parameters_of_the_load_balancer_move_nothing() {
    let world = world(&[1]);
    assert_eq!(impacts(&plan(&[Operation::SetConf(world.conf)]), &world), []);
}
