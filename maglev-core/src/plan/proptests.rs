//! What defines a plan, over random worlds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::model::{Model, ModelVip};
use super::*;
use crate::config::{Frontend, Member, Pool, TableLength, WeightScaling};
use crate::desired::{BackendState, decide};
use crate::names::BackendName;
use crate::net::{Encap, Family, Protocol, Service};
use crate::observed::Encapsulation;

const BACKENDS: [&str; 5] = ["a", "b", "c", "d", "e"];
const PREFIXES: [&str; 2] = ["203.0.113.1/32", "2001:db8:1::/64"];
const PORTS: [u16; 3] = [80, 443, 8080];
const LENGTHS: [u32; 4] = [256, 1024, 4096, 65536];

fn vip(prefix: usize, port: usize) -> Vip {
    Vip { prefix: PREFIXES[prefix].parse().unwrap(), service: Service::Port(Protocol::Tcp, PORTS[port]) }
}

fn address(encap: Encap, number: usize) -> IpAddr {
    let last = u8::try_from(number).unwrap();
    match encap {
        Encap::Gre4 => [192, 0, 2, last].into(),
        Encap::Gre6 => [0x2001, 0xdb8, 2, 0, 0, 0, 0, u16::from(last)].into(),
    }
}

/// One try at everything: what is wanted and what is there.
#[derive(Clone, Debug)]
struct World {
    desired: Vec<DesiredVip>,
    model: Model,
    settings: VppSettings,
    ours: BTreeSet<Vip>,
}

fn any_encap() -> impl Strategy<Value = Encap> {
    prop_oneof![Just(Encap::Gre4), Just(Encap::Gre6)]
}

fn any_weight() -> impl Strategy<Value = u8> {
    prop_oneof![1 => Just(0_u8), 3 => Just(100_u8), 3 => prop::sample::select(vec![1_u8, 10, 50]), 2 => 1_u8..=100]
}

fn any_state() -> impl Strategy<Value = BackendState> {
    prop_oneof![3 => Just(BackendState::Up), 2 => prop::sample::select(BackendState::ALL.to_vec())]
}

type Shape = (Vec<Vec<(usize, u8)>>, bool, Option<usize>, Vec<BackendState>);

fn any_shape() -> impl Strategy<Value = Shape> {
    let pools = vec(vec((0..BACKENDS.len(), any_weight()), 1..5), 1..3);
    let length = prop::option::weighted(0.3, 0..LENGTHS.len());
    (pools, prop::bool::weighted(0.2), length, vec(any_state(), BACKENDS.len()))
}

fn desired_vip(vip: Vip, encap: Encap, scaling: WeightScaling, shape: &Shape) -> DesiredVip {
    let (pools, src_ip_sticky, length, states) = shape;
    let pool = |(index, members): (usize, &Vec<(usize, u8)>)| {
        let mut seen = BTreeSet::new();
        let members = members.iter().filter(|(backend, _)| seen.insert(*backend));
        let member = |&(backend, weight): &(usize, u8)| Member {
            backend: BACKENDS[backend].parse().unwrap(),
            weight: weight.try_into().unwrap(),
        };
        Pool { name: format!("p{index}").parse().unwrap(), members: members.map(member).collect() }
    };
    let Service::Port(_, port) = vip.service else { unreachable!() };
    let frontend = Frontend {
        name: format!("f{port}-{}", if vip.prefix == PREFIXES[0].parse().unwrap() { 4 } else { 6 })
            .parse()
            .unwrap(),
        description: String::new(),
        vip,
        family: if encap == Encap::Gre4 { Family::Ipv4 } else { Family::Ipv6 },
        pools: pools.iter().enumerate().map(pool).collect(),
        src_ip_sticky: *src_ip_sticky,
        flush_on_down: true,
        table_length: length.map_or(TableLength::Auto, |index| TableLength::Fixed(LENGTHS[index])),
        weight_steps: None,
    };
    let number = |name: &BackendName| BACKENDS.iter().position(|known| *known == name.as_str()).unwrap();
    let decision = decide(&frontend, |member| states[number(&member.backend)], |_, member| member.weight);
    let address = |name: &BackendName| Some(address(encap, number(name)));
    let fit = frontend.fit(scaling, &frontend.weights());
    DesiredVip::new(&frontend, &decision, fit, address)
}

fn any_world() -> impl Strategy<Value = World> {
    let wanted = vec(prop::option::weighted(0.7, any_shape()), PREFIXES.len() * PORTS.len());
    let servers = prop::collection::btree_map(0..BACKENDS.len(), any_weight(), 0..5);
    let there = (prop::sample::select(LENGTHS.to_vec()), prop::bool::weighted(0.2), servers);
    let there = vec(prop::option::weighted(0.6, there), PREFIXES.len() * PORTS.len());
    let encaps = vec((any_encap(), prop::bool::weighted(0.8)), PREFIXES.len());
    let settings = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.8));
    let ours = vec(any::<bool>(), PREFIXES.len() * PORTS.len());
    (wanted, there, encaps, settings, ours, any::<bool>()).prop_map(
        |(wanted, there, encaps, (conf, exclusive, ratio), ours, same)| {
            let scaling = if ratio { WeightScaling::Ratio } else { WeightScaling::Raw };
            let vips: Vec<Vip> =
                (0..PREFIXES.len()).flat_map(|p| (0..PORTS.len()).map(move |s| vip(p, s))).collect();
            let mut model = Model::empty();
            let mut desired = Vec::new();
            for (index, &vip) in vips.iter().enumerate() {
                let (encap, stays) = encaps[index / PORTS.len()];
                let before = if stays || encap == Encap::Gre6 { encap } else { Encap::Gre6 };
                if let Some(shape) = &wanted[index] {
                    desired.push(desired_vip(vip, encap, scaling, shape));
                }
                if let Some((table_length, src_ip_sticky, servers)) = &there[index] {
                    let state = ModelVip {
                        encap: Encapsulation::Gre(before),
                        table_length: *table_length,
                        src_ip_sticky: *src_ip_sticky,
                        servers: servers.iter().map(|(n, w)| (address(before, *n), *w)).collect(),
                    };
                    model.vips.insert(vip, state);
                }
            }
            let settings = VppSettings {
                source_v4: conf.then_some([192, 0, 2, 1].into()),
                source_v6: None,
                sync_interval: Duration::from_secs(30),
                sticky_buckets_per_core: if same { 1024 } else { 65536 },
                flow_timeout: Duration::from_secs(40),
                startup_min_delay: Duration::ZERO,
                startup_max_delay: Duration::ZERO,
                ownership: if exclusive { Ownership::Exclusive } else { Ownership::Managed },
                weight_scaling: scaling,
            };
            let ours = vips.into_iter().zip(ours).filter(|(_, ours)| *ours).map(|(vip, _)| vip).collect();
            World { desired, model, settings, ours }
        },
    )
}

impl World {
    fn memory(&self) -> Memory {
        Memory { ours: self.ours.clone(), ..Memory::default() }
    }

    fn plan(&self, memory: &Memory) -> Plan {
        let scope = Scope::All { settings: &self.settings, reserved: &BTreeSet::new() };
        plan(&self.desired, &self.model.observe(), memory, scope)
    }

    /// VIPs that are there, wanted by nobody, and not ours.
    fn foreign(&self) -> BTreeSet<Vip> {
        let wanted: BTreeSet<Vip> = self.desired.iter().map(|desired| desired.vip).collect();
        let there = self.model.vips.keys().copied();
        there.filter(|vip| !wanted.contains(vip) && !self.ours.contains(vip)).collect()
    }

    /// A VIP that is not ours, on a prefix of ours, with another encapsulation: what VPP has to refuse.
    fn is_in_conflict(&self) -> bool {
        self.settings.ownership == Ownership::Managed
            && self.foreign().iter().any(|foreign| {
                let on_prefix = self.desired.iter().filter(|desired| desired.vip.prefix == foreign.prefix);
                on_prefix.into_iter().any(|d| self.model.vips[foreign].encap != Encapsulation::Gre(d.encap))
            })
    }
}

/// The state that is wanted, worked out without the planner.
fn assert_is_as_desired(world: &World) {
    for desired in &world.desired {
        let found = &world.model.vips[&desired.vip];
        assert_eq!(found.servers, desired.sent().collect());
        assert_eq!(found.encap, Encapsulation::Gre(desired.encap));
        assert_eq!(found.src_ip_sticky, desired.src_ip_sticky);
        if !desired.keeps_length(found.table_length) {
            assert_eq!(found.table_length, desired.fit.table_length);
        }
    }
}

/// The fewest operations between two states.
fn difference(before: &Model, after: &Model) -> usize {
    let vips: BTreeSet<&Vip> = before.vips.keys().chain(after.vips.keys()).collect();
    let per_vip = vips.into_iter().map(|vip| match (before.vips.get(vip), after.vips.get(vip)) {
        (None, None) => 0,
        (Some(_), None) => 1,
        (None, Some(after)) => 1 + after.servers.len(),
        (Some(before), Some(after)) => {
            let fixed = |vip: &ModelVip| (vip.encap, vip.src_ip_sticky, vip.table_length);
            if fixed(before) == fixed(after) {
                let both = before.servers.keys().chain(after.servers.keys()).collect::<BTreeSet<_>>();
                both.into_iter().filter(|s| before.servers.get(s) != after.servers.get(s)).count()
            } else {
                2 + after.servers.len()
            }
        }
    });
    usize::from(before.conf != after.conf) + per_vip.sum::<usize>()
}

proptest! {
    #[test]
    fn all_of_it_leaves_nothing_to_do_and_there_is_no_shorter_way(world in any_world()) {
        prop_assume!(!world.is_in_conflict());
        let plan = world.plan(&world.memory());
        let mut after = world.clone();
        let mut observed = world.model.observe();
        for step in &plan.steps {
            prop_assert_eq!(after.model.apply(&step.operation), Ok(()), "{}", step.operation);
            observed.apply(&step.operation);
        }
        prop_assert_eq!(&observed, &after.model.observe(), "what is believed is what is");
        assert_is_as_desired(&after);
        prop_assert_eq!(plan.steps.len(), difference(&world.model, &after.model));

        prop_assert_eq!(&after.plan(&world.memory()).steps, &[]);
        // Also for somebody who has just started and remembers nothing.
        prop_assert_eq!(after.plan(&Memory::default()).steps.iter().filter(|step| step.frontend.is_some()).count(), 0);
    }

    #[test]
    fn no_vip_is_empty_on_the_way(world in any_world()) {
        let plan = world.plan(&world.memory());
        let recreated: BTreeSet<Vip> = plan.steps.iter()
            .filter(|step| matches!(step.because, Because::VipDiffers(_))).filter_map(|step| step.operation.vip()).collect();
        let mut after = world.model.clone();
        let mut states = Vec::new();
        for step in &plan.steps {
            let _ = after.apply(&step.operation);
            states.push(after.clone());
        }
        for (vip, before) in &world.model.vips {
            let has_weight_after = after.vips.get(vip).is_some_and(|vip| vip.total() > 0);
            if before.total() > 0 && has_weight_after && !recreated.contains(vip) {
                for state in &states {
                    prop_assert!(state.vips[vip].total() > 0, "{}", vip);
                }
            }
        }
    }

    #[test]
    fn any_operation_may_fail_and_the_next_plan_converges(world in any_world(), fails in vec(any::<bool>(), 64)) {
        prop_assume!(!world.is_in_conflict());
        let first = world.plan(&world.memory());
        let mut after = world.clone();
        for (step, fails) in first.steps.iter().zip(fails.iter().chain(std::iter::repeat(&false))) {
            if !fails {
                let _ = after.model.apply(&step.operation);
            }
        }
        let memory = world.memory();
        let second = after.plan(&memory);
        for step in &second.steps {
            prop_assert_eq!(after.model.apply(&step.operation), Ok(()), "{}", step.operation);
        }
        assert_is_as_desired(&after);
        prop_assert_eq!(after.plan(&memory).steps, []);
    }

    #[test]
    fn the_order_of_input_does_not_matter(world in any_world(), seed in any::<u64>()) {
        let mut shuffled = world.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled.desired);
        prop_assert_eq!(world.plan(&world.memory()), shuffled.plan(&world.memory()));
    }

    #[test]
    fn what_is_not_ours_is_left_alone_or_removed(world in any_world(), reserved in vec(any::<bool>(), 6)) {
        let foreign = world.foreign();
        let reserved: BTreeSet<Vip> =
            foreign.iter().zip(reserved).filter(|(_, reserved)| *reserved).map(|(vip, _)| *vip).collect();
        let scope = Scope::All { settings: &world.settings, reserved: &reserved };
        let plan = plan(&world.desired, &world.model.observe(), &world.memory(), scope);
        let touched: BTreeSet<Vip> = plan.steps.iter().filter_map(|step| step.operation.vip()).collect();
        for vip in &foreign {
            let removed = world.settings.ownership == Ownership::Exclusive && !reserved.contains(vip);
            prop_assert_eq!(touched.contains(vip), removed, "{}", vip);
        }
        let only_given = super::plan(&world.desired, &world.model.observe(), &world.memory(), Scope::Given);
        let wanted: BTreeSet<Vip> = world.desired.iter().map(|desired| desired.vip).collect();
        prop_assert!(only_given.steps.iter().all(|s| s.operation.vip().is_some_and(|vip| wanted.contains(&vip))));
    }

    /// Additions and raises, then the rest; each by address. VIPs by prefix, and what goes from a prefix before what comes.
    #[test]
    fn the_order_is_as_told(world in any_world()) {
        let rank = |step: &Step| match &step.operation {
            Operation::SetConf(_) => (0, 0),
            Operation::RemoveVip { .. } => (1, 0),
            Operation::AddVip { .. } => (2, 0),
            Operation::AddServer { .. } => (2, 1),
            Operation::SetWeight { weight, .. } => match step.because {
                Because::Weight { from, .. } if from < *weight => (2, 1),
                _ => (2, 2),
            },
            Operation::RemoveServer { .. } => (2, 2),
        };
        let key = |step: &Step| {
            let (class, within) = rank(step);
            let vip = step.operation.vip();
            (vip.map(|vip| vip.prefix), class, vip, within, step.operation.server())
        };
        let steps = world.plan(&world.memory()).steps;
        let keys: Vec<_> = steps.iter().map(key).collect();
        prop_assert!(keys.is_sorted(), "{:#?}", steps);
        let different: BTreeSet<_> = keys.iter().collect();
        prop_assert_eq!(different.len(), keys.len(), "nothing is written twice");
    }

    /// A healthy server's weight is set when it is its own state that changed, and never otherwise.
    #[test]
    fn health_alters_no_other_servers_weight(
        shape in any_shape(),
        changes in vec((0..BACKENDS.len(), any_state()), 1..30),
    ) {
        let (_, sticky, length, mut states) = shape.clone();
        // One pool: with more of them a failover changes others by intent, from 0 or to 0.
        let pools = vec![shape.0[0].clone()];
        let memory = Memory::default();
        let mut model = Model::empty();
        for (index, (backend, state)) in changes.into_iter().enumerate() {
            states[backend] = state;
            let shape = (pools.clone(), sticky, length, states.clone());
            let desired = desired_vip(vip(0, 0), Encap::Gre4, WeightScaling::Ratio, &shape);
            let plan = plan([&desired], &model.observe(), &memory, Scope::Given);
            for step in &plan.steps {
                prop_assert_eq!(model.apply(&step.operation), Ok(()));
                if index > 0 {
                    prop_assert_eq!(step.operation.server(), Some(address(Encap::Gre4, backend)), "{}", step.operation);
                }
            }
        }
    }

    /// With several pools a failover takes servers from 0 and to 0. Whatever the sequence, each configured weight is only
    /// ever sent as one number.
    #[test]
    fn no_sequence_of_health_changes_alters_what_a_weight_is_sent_as(
        shape in any_shape(),
        changes in vec((0..BACKENDS.len(), any_state()), 1..30),
    ) {
        let (pools, sticky, length, mut states) = shape;
        let (memory, mut model) = (Memory::default(), Model::empty());
        let mut sent: BTreeMap<_, u8> = BTreeMap::new();
        for (backend, state) in changes {
            states[backend] = state;
            let shape = (pools.clone(), sticky, length, states.clone());
            let desired = desired_vip(vip(0, 0), Encap::Gre4, WeightScaling::Ratio, &shape);
            let plan = plan([&desired], &model.observe(), &memory, Scope::Given);
            for step in &plan.steps {
                prop_assert_eq!(model.apply(&step.operation), Ok(()));
            }
            for (address, server) in &desired.servers {
                let found = model.vips[&desired.vip].servers[address];
                prop_assert_eq!(*sent.entry(server.weight).or_insert(found), found);
            }
        }
    }
}
