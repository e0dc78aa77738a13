//! Plans as an operator reads them, and the rules that need a word each.

use std::time::Duration;

use super::model::{Model, ModelVip};
use super::*;
use crate::config::{Frontend, Member, Pool, TableLength, WeightScaling};
use crate::desired::{BackendState, decide};
use crate::net::{Family, Protocol, Service};

const UP: BackendState = BackendState::Up;
const DOWN: BackendState = BackendState::Down;

fn vip(port: u16) -> Vip {
    Vip { prefix: "203.0.113.1/32".parse().unwrap(), service: Service::Port(Protocol::Tcp, port) }
}

/// Two servers in front of a spare one.
fn site() -> Frontend {
    let member = |(name, weight): (&str, u8)| Member {
        backend: name.parse().unwrap(),
        weight: weight.try_into().unwrap(),
    };
    let pool = |name: &str, members: &[(&str, u8)]| Pool {
        name: name.parse().unwrap(),
        members: members.iter().copied().map(member).collect(),
    };
    Frontend {
        name: "site".parse().unwrap(),
        description: String::new(),
        vip: vip(80),
        family: Family::Ipv4,
        pools: vec![pool("primary", &[("nginx0", 100), ("nginx1", 50)]), pool("spare", &[("nginx9", 50)])],
        src_ip_sticky: false,
        flush_on_down: true,
        table_length: TableLength::Auto,
        weight_steps: None,
    }
}

/// What follows from the states of nginx0, nginx1 and nginx9.
fn desired(frontend: &Frontend, states: [BackendState; 3]) -> DesiredVip {
    desired_with(frontend, states, WeightScaling::Ratio)
}

fn desired_with(frontend: &Frontend, states: [BackendState; 3], scaling: WeightScaling) -> DesiredVip {
    let number = |name: &str| ["nginx0", "nginx1", "nginx9"].iter().position(|n| *n == name).unwrap();
    let decision =
        decide(frontend, |member| states[number(member.backend.as_str())], |_, member| member.weight);
    let address = |name: &crate::names::BackendName| {
        let last = name.as_str().strip_prefix("nginx").unwrap();
        let text = match frontend.family {
            Family::Ipv4 => format!("192.0.2.1{last}"),
            Family::Ipv6 => format!("2001:db8::1{last}"),
        };
        Some(text.parse().unwrap())
    };
    let fit = frontend.fit(scaling, &frontend.weights());
    DesiredVip::new(frontend, &decision, fit, address)
}

fn settings(ownership: Ownership) -> VppSettings {
    VppSettings {
        source_v4: Some([192, 0, 2, 1].into()),
        source_v6: None,
        sync_interval: Duration::from_secs(30),
        sticky_buckets_per_core: 65536,
        flow_timeout: Duration::from_secs(40),
        startup_min_delay: Duration::ZERO,
        startup_max_delay: Duration::ZERO,
        ownership,
        weight_scaling: WeightScaling::Ratio,
    }
}

/// A dataplane and what the engine would remember of it.
struct World {
    model: Model,
    memory: Memory,
    settings: VppSettings,
}

impl World {
    fn new() -> Self {
        World { model: Model::empty(), memory: Memory::default(), settings: settings(Ownership::Managed) }
    }

    /// With all servers of the frontends up.
    fn serving(frontends: &[&Frontend]) -> Self {
        let mut world = World::new();
        let desired: Vec<DesiredVip> = frontends.iter().map(|f| desired(f, [UP; 3])).collect();
        world.carry_out(&desired);
        world
    }

    /// The plan, a step a line.
    fn plan(&self, desired: &[DesiredVip]) -> Vec<String> {
        let scope = Scope::All { settings: &self.settings, reserved: &BTreeSet::new() };
        let plan = plan(desired, &self.model.observe(), &self.memory, scope);
        plan.steps.iter().map(|step| format!("{}: {}", step.operation, step.because)).collect()
    }

    fn carry_out(&mut self, desired: &[DesiredVip]) {
        let scope = Scope::All { settings: &self.settings, reserved: &BTreeSet::new() };
        for step in plan(desired, &self.model.observe(), &self.memory, scope).steps {
            self.model.apply(&step.operation).unwrap();
        }
        for desired in desired {
            let evicted = desired.servers.iter().filter(|(_, server)| server.flush);
            self.memory.evicted.insert(desired.vip, evicted.map(|(address, _)| *address).collect());
            self.memory.ours.insert(desired.vip);
        }
    }
}

#[test]
fn a_new_vip_is_added_with_its_servers() {
    assert_eq!(
        World::new().plan(&[desired(&site(), [UP, UP, UP])]),
        [
            "set the load balancer's sources to 192.0.2.1, its sticky buckets to 65536 a core, its flow timeout to \
             40 s: it differs from the configuration",
            "add VIP 203.0.113.1/32 tcp 80 with gre4, table length 4096: the VIP is missing",
            "add server 192.0.2.10 with weight 2 to 203.0.113.1/32 tcp 80: nginx0 is missing; it takes traffic",
            "add server 192.0.2.11 with weight 1 to 203.0.113.1/32 tcp 80: nginx1 is missing; it takes traffic",
            "add server 192.0.2.19 with weight 0 to 203.0.113.1/32 tcp 80: nginx9 is missing; it stands by, pool \
             primary is active",
        ]
    );
}

#[test]
fn a_failover_raises_the_spare_before_the_last_one_goes() {
    let mut world = World::serving(&[&site()]);
    let one_down = desired(&site(), [DOWN, UP, UP]);
    assert_eq!(
        world.plan(std::slice::from_ref(&one_down)),
        [
            "set weight of server 192.0.2.10 in 203.0.113.1/32 tcp 80 to 0 and evict its flows: nginx0 is down; its weight \
          was 2"
        ]
    );
    world.carry_out(&[one_down]);
    assert_eq!(
        world.plan(&[desired(&site(), [DOWN, DOWN, UP])]),
        [
            "set weight of server 192.0.2.19 in 203.0.113.1/32 tcp 80 to 1: nginx9 takes traffic; its weight was 0",
            "set weight of server 192.0.2.11 in 203.0.113.1/32 tcp 80 to 0 and evict its flows: nginx1 is down; its \
             weight was 1",
        ]
    );
}

#[test]
fn a_changed_encap_takes_down_all_on_the_prefix_before_it_puts_up_any() {
    let https = Frontend { name: "https".parse().unwrap(), vip: vip(443), ..site() };
    let world = World::serving(&[&site(), &https]);
    let moved = |frontend: Frontend| {
        let frontend = Frontend { family: Family::Ipv6, pools: frontend.pools[1..].to_vec(), ..frontend };
        desired(&frontend, [UP; 3])
    };
    let why = "its encapsulation differs, which takes a new VIP";
    assert_eq!(
        world.plan(&[moved(site()), moved(https)]),
        [
            format!("remove VIP 203.0.113.1/32 tcp 80: {why}"),
            format!("remove VIP 203.0.113.1/32 tcp 443: {why}"),
            format!("add VIP 203.0.113.1/32 tcp 80 with gre6, table length 1024: {why}"),
            "add server 2001:db8::19 with weight 1 to 203.0.113.1/32 tcp 80: nginx9 is missing; it takes traffic".into(),
            format!("add VIP 203.0.113.1/32 tcp 443 with gre6, table length 1024: {why}"),
            "add server 2001:db8::19 with weight 1 to 203.0.113.1/32 tcp 443: nginx9 is missing; it takes traffic".into(),
        ]
    );
}

#[test]
fn a_disabled_backend_loses_its_flows_also_if_it_was_paused_before() {
    let mut world = World::serving(&[&site()]);
    let disabled = desired(&site(), [BackendState::Disabled, UP, UP]);
    assert_eq!(
        world.plan(std::slice::from_ref(&disabled)),
        [
            "set weight of server 192.0.2.10 in 203.0.113.1/32 tcp 80 to 0 and evict its flows: nginx0 is disabled; its \
          weight was 2"
        ]
    );
    let paused = desired(&site(), [BackendState::Paused, UP, UP]);
    assert_eq!(
        world.plan(std::slice::from_ref(&paused)),
        ["set weight of server 192.0.2.10 in 203.0.113.1/32 tcp 80 to 0: nginx0 is paused; its weight was 2"]
    );
    world.carry_out(&[paused]);
    assert_eq!(
        world.plan(std::slice::from_ref(&disabled)),
        [
            "set weight of server 192.0.2.10 in 203.0.113.1/32 tcp 80 to 0 and evict its flows: nginx0 is disabled, and may \
          still have flows"
        ]
    );
    world.carry_out(std::slice::from_ref(&disabled));
    assert_eq!(world.plan(std::slice::from_ref(&disabled)), [""; 0], "once");
    world.memory.evicted.clear();
    assert_eq!(world.plan(&[disabled]), [""; 0], "after a restart it is taken to be done");
}

#[test]
fn an_operators_flush_needs_no_change_of_weight() {
    let mut world = World::serving(&[&site()]);
    world.memory.flush.insert((vip(80), [192, 0, 2, 11].into()));
    assert_eq!(
        world.plan(&[desired(&site(), [UP; 3])]),
        [
            "set weight of server 192.0.2.11 in 203.0.113.1/32 tcp 80 to 1 and evict its flows: an operator has the flows \
          of nginx1 evicted"
        ]
    );
}

#[test]
fn each_property_that_is_fixed_makes_a_new_vip() {
    let world = World::serving(&[&site()]);
    let first = |frontend: Frontend| world.plan(&[desired(&frontend, [UP; 3])])[0].clone();
    let remove = "remove VIP 203.0.113.1/32 tcp 80: its ";
    assert_eq!(
        first(Frontend { src_ip_sticky: true, ..site() }),
        format!("{remove}stickiness differs, which takes a new VIP")
    );
    assert_eq!(
        first(Frontend { table_length: TableLength::Fixed(1024), ..site() }),
        format!("{remove}table length differs, which takes a new VIP")
    );
    let both = Frontend { table_length: TableLength::Fixed(1024), src_ip_sticky: true, ..site() };
    assert_eq!(first(both), format!("{remove}stickiness and table length differ, which takes a new VIP"));
}

#[test]
fn a_length_chosen_when_the_vip_was_made_is_never_a_reason_to_make_it_anew() {
    let world = World::serving(&[&site()]);
    let mut more = site();
    more.pools[1].members.extend(site().pools[0].members.clone());
    assert_eq!(world.plan(&[desired(&more, [UP; 3])]), [""; 0]);
}

#[test]
fn servers_that_are_gone_lose_their_flows_and_go_last() {
    let world = World::serving(&[&site()]);
    let mut less = site();
    less.pools.remove(0);
    assert_eq!(
        world.plan(&[desired(&less, [UP; 3])]),
        [
            "set weight of server 192.0.2.19 in 203.0.113.1/32 tcp 80 to 1: nginx9 takes traffic; its weight was 0",
            "remove server 192.0.2.10 from 203.0.113.1/32 tcp 80 and evict its flows: no backend of the frontend has \
             this address",
            "remove server 192.0.2.11 from 203.0.113.1/32 tcp 80 and evict its flows: no backend of the frontend has \
             this address",
        ]
    );
}

#[test]
fn vips_that_nobody_wants() {
    let mut world = World::serving(&[&site()]);
    let foreign = ModelVip {
        encap: Encapsulation::Nat4,
        table_length: 1024,
        src_ip_sticky: false,
        servers: BTreeMap::new(),
    };
    let prefix = "198.51.100.0/24".parse().unwrap();
    world.model.vips.insert(Vip { prefix, service: Service::All }, foreign);
    assert_eq!(world.plan(&[]), ["remove VIP 203.0.113.1/32 tcp 80: no frontend has it any more"]);
    world.settings = settings(Ownership::Exclusive);
    assert_eq!(
        world.plan(&[]),
        [
            "remove VIP 198.51.100.0/24 all ports: no frontend has it, and ownership is exclusive",
            "remove VIP 203.0.113.1/32 tcp 80: no frontend has it any more",
        ]
    );
}

#[test]
fn a_vip_that_carries_packets_in_another_way_is_made_anew() {
    let mut world = World::serving(&[&site()]);
    world.model.vips.get_mut(&vip(80)).unwrap().encap = Encapsulation::L3dsr;
    let plan = world.plan(&[desired(&site(), [UP; 3])]);
    assert_eq!(plan[0], "remove VIP 203.0.113.1/32 tcp 80: its encapsulation differs, which takes a new VIP");
    assert_eq!(plan.len(), 5);
}

#[test]
fn raw_weights_turn_into_ratios_with_the_setting_and_back() {
    let mut world = World::serving(&[&site()]);
    let scaled = |scaling| desired_with(&site(), [UP; 3], scaling);
    let weights = |world: &World| world.model.vips[&vip(80)].servers.values().copied().collect::<Vec<_>>();
    world.carry_out(&[scaled(WeightScaling::Raw)]);
    assert_eq!(weights(&world), [100, 50, 0]);
    world.carry_out(&[scaled(WeightScaling::Ratio)]);
    assert_eq!(weights(&world), [2, 1, 0]);
}

/// As a build that remembered scales, or somebody else, may have left them.
#[test]
fn weights_that_are_there_are_replaced_by_those_of_the_configuration() {
    let mut world = World::serving(&[&site()]);
    let state = world.model.vips.get_mut(&vip(80)).unwrap();
    state.servers = BTreeMap::from([
        ([192, 0, 2, 10].into(), 4),
        ([192, 0, 2, 11].into(), 2),
        ([192, 0, 2, 19].into(), 0),
    ]);
    let wanted = desired(&site(), [UP; 3]);
    assert_eq!(
        world.plan(std::slice::from_ref(&wanted)),
        [
            "set weight of server 192.0.2.10 in 203.0.113.1/32 tcp 80 to 2: nginx0 takes traffic; its weight was 4",
            "set weight of server 192.0.2.11 in 203.0.113.1/32 tcp 80 to 1: nginx1 takes traffic; its weight was 2",
        ]
    );
    world.carry_out(std::slice::from_ref(&wanted));
    assert_eq!(world.plan(&[wanted]), [""; 0], "once");
}

#[test]
fn a_vip_of_another_length_gets_the_weights_of_the_length_it_should_have() {
    let frontend = |weight: u8| {
        let mut site = site();
        site.pools[0].members[1].weight = weight.try_into().unwrap();
        site
    };
    let mut world = World::serving(&[&frontend(99)]);
    let sent = |world: &World| world.model.vips[&vip(80)].servers.values().copied().collect::<Vec<_>>();
    let fresh = sent(&world);
    for length in [64, 1024, 65536] {
        let state = world.model.vips.get_mut(&vip(80)).unwrap();
        state.table_length = length;
        state.servers.values_mut().for_each(|weight| *weight = 0);
        world.carry_out(&[desired(&frontend(99), [UP; 3])]);
        assert_eq!(sent(&world), fresh, "in a table of {length}");
        assert_eq!(world.model.vips[&vip(80)].table_length, length, "it is kept");
    }
}

#[test]
fn a_kept_length_ends_when_an_operator_asks_for_it() {
    let mut world = World::serving(&[&site()]);
    world.memory.recreate.insert(vip(80));
    let wanted = desired(&site(), [UP; 3]);
    assert_eq!(world.plan(std::slice::from_ref(&wanted)), [""; 0], "its length is right");
    world.model.vips.get_mut(&vip(80)).unwrap().table_length = 1024;
    let plan = world.plan(std::slice::from_ref(&wanted));
    assert_eq!(plan[0], "remove VIP 203.0.113.1/32 tcp 80: its table length differs, which takes a new VIP");
    assert_eq!(
        plan[1],
        "add VIP 203.0.113.1/32 tcp 80 with gre4, table length 4096: its table length differs, which takes a new VIP"
    );
    assert_eq!(plan.len(), 5);
    world.memory.recreate.clear();
    assert_eq!(world.plan(&[wanted]), [""; 0], "else it is kept");
}

#[test]
fn the_source_of_a_family_that_is_not_configured_stays() {
    let mut world = World::serving(&[&site()]);
    world.model.conf.ipv6_source = Some("2001:db8::1".parse().unwrap());
    assert_eq!(world.plan(&[desired(&site(), [UP; 3])]), [""; 0]);
    world.model.conf.flow_timeout = Duration::from_secs(41);
    assert_eq!(
        world.plan(&[desired(&site(), [UP; 3])]),
        [
            "set the load balancer's sources to 192.0.2.1 and 2001:db8::1, its sticky buckets to 65536 a core, its flow \
          timeout to 40 s: it differs from the configuration"
        ]
    );
}
