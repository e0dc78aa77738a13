//! Random lives of an engine and its dataplane.

mod world;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use self::world::{MAX, World, in_conflict};
use crate::check::Thresholds;
use crate::config::{Config, Frontend, Ownership, TableLength, WeightScaling};
use crate::engine::tests::{backend, check, config, frontend};
use crate::health::ProbeId;
use crate::intent::Request;
use crate::net::{Family, Protocol, Service};
use crate::plan::model::Model;

const BACKENDS: [&str; 4] = ["a", "b", "c", "d"];
const FRONTENDS: [&str; 3] = ["blog", "mail", "site"];
const INTERVAL: Duration = Duration::from_secs(30);

fn any_config() -> impl Strategy<Value = Config> {
    let weight =
        prop_oneof![1 => Just(0u8), 4 => Just(100_u8), 2 => prop::sample::select(vec![1_u8, 10, 50, 97])];
    let pools = vec(vec((0..BACKENDS.len(), weight), 1..4), 1..3);
    let length = prop_oneof![3 => Just(TableLength::Auto), 1 => Just(TableLength::Fixed(256))];
    let steps = prop::option::weighted(0.3, prop::sample::select(vec![1_u8, 3, 10, 25]));
    let layout = (pools, any::<bool>(), prop::bool::weighted(0.2), (length, steps), 0..3_u16);
    let frontends = vec(prop::option::weighted(0.8, layout), FRONTENDS.len());
    let backends = vec((1..6_u8, prop::bool::weighted(0.9), prop::bool::weighted(0.9)), BACKENDS.len());
    (frontends, backends, any::<bool>(), prop::bool::weighted(0.3), prop::bool::weighted(0.2)).prop_map(
        |(frontends, backends, v6, exclusive, raw)| {
            let ping = check("ping", Duration::from_secs(2), Thresholds { rise: 1, fall: 1 });
            let backends = BACKENDS.iter().zip(backends).map(|(name, (octet, enabled, checked))| {
                let mut made = backend(name, octet, checked.then(|| ping.clone()));
                if v6 {
                    made.address = IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(octet)]);
                }
                crate::config::Backend { enabled, ..made }
            });
            let mut ports = BTreeSet::new();
            let frontends = FRONTENDS.iter().zip(frontends).filter_map(|(name, layout)| {
                let (pools, flush_on_down, src_ip_sticky, (table_length, steps), port) = layout?;
                if !ports.insert(port) {
                    return None;
                }
                let pools: Vec<Vec<(&str, u8)>> = pools
                    .into_iter()
                    .map(|members| {
                        let mut seen = BTreeSet::new();
                        members
                            .into_iter()
                            .filter(|(n, _)| seen.insert(*n))
                            .map(|(n, w)| (BACKENDS[n], w))
                            .collect()
                    })
                    .collect();
                let named: Vec<(&str, &[(&str, u8)])> =
                    ["one", "two"].into_iter().zip(pools.iter().map(|members| &members[..])).collect();
                let family = if v6 { Family::Ipv6 } else { Family::Ipv4 };
                let mut made = frontend(name, &named);
                made.vip.service = Service::Port(Protocol::Tcp, 80 + port);
                let weight_steps = steps.map(|steps| steps.try_into().unwrap());
                Some(Frontend { family, flush_on_down, src_ip_sticky, table_length, weight_steps, ..made })
            });
            let mut made = config(backends.collect(), frontends.collect());
            made.vpp.source_v4 = Some([192, 0, 2, 254].into());
            made.vpp.weight_scaling = if raw { WeightScaling::Raw } else { WeightScaling::Ratio };
            made.vpp.ownership = if exclusive { Ownership::Exclusive } else { Ownership::Managed };
            made
        },
    )
}

#[derive(Clone, Debug)]
enum Op {
    Wait(u64),
    Wake,
    Answer(usize, bool),
    Request(usize, Request),
    SetWeight {
        frontend: usize,
        backend: usize,
        weight: u8,
        flush: bool,
        /// For how many seconds; without end where absent.
        lasts: Option<u64>,
    },
    Reload(Box<Config>),
    Rename,
    Sync,
    /// The dataplane answers what it was asked.
    Respond,
    /// It does so, but refuses some of the operations: those whose bit is set.
    Refuse(u64),
    /// It also acknowledges some and does nothing.
    Pretend {
        refused: u64,
        pretended: u64,
    },
    /// It cannot say what it has.
    FailToObserve,
    /// The connection is gone, before or after the dataplane did some of what it was told.
    Lose(usize),
    Connect,
    Restart,
    Meddle(u8),
}

fn any_op() -> impl Strategy<Value = Op> {
    let requests = vec![Request::Pause, Request::Resume, Request::Enable, Request::Disable];
    prop_oneof![
        6 => (0..4000_u64).prop_map(Op::Wait),
        10 => Just(Op::Wake),
        14 => (any::<usize>(), prop::bool::weighted(0.7)).prop_map(|(n, good)| Op::Answer(n, good)),
        2 => (0..BACKENDS.len(), prop::sample::select(requests)).prop_map(|(b, r)| Op::Request(b, r)),
        2 => (0..FRONTENDS.len(), 0..BACKENDS.len(), prop::sample::select(vec![0_u8, 1, 30, 50, 96, 100]), any::<bool>(), prop::option::of(1..60_u64))
            .prop_map(|(frontend, backend, weight, flush, lasts)| Op::SetWeight { frontend, backend, weight, flush, lasts }),
        2 => any_config().prop_map(|config| Op::Reload(Box::new(config))),
        1 => Just(Op::Rename),
        1 => Just(Op::Sync),
        14 => Just(Op::Respond),
        2 => any::<u64>().prop_map(Op::Refuse),
        2 => (any::<u64>(), any::<u64>()).prop_map(|(refused, pretended)| Op::Pretend { refused, pretended }),
        1 => Just(Op::FailToObserve),
        1 => (0..8_usize).prop_map(Op::Lose),
        4 => Just(Op::Connect),
        1 => Just(Op::Restart),
        1 => any::<u8>().prop_map(Op::Meddle),
    ]
}

fn any_life() -> impl Strategy<Value = (Config, Vec<Op>)> {
    (any_config(), vec(any_op(), 0..80))
}

const LONG: Duration = Duration::from_secs(MAX.as_secs() + INTERVAL.as_secs() + 10);

proptest! {
    #[test]
    fn whatever_happened_it_comes_to_agree((config, ops) in any_life()) {
        let mut world = World::new(config, Model::empty());
        for op in &ops {
            world.step(op);
        }
        world.settle(LONG);
        if world.engine.config().vpp.ownership == Ownership::Managed && in_conflict(&world) {
            return Ok(());
        }
        world.assert_agrees();
    }

    /// Whatever happened to an instance, what it wants and what it sends is what one wants and sends that has just started
    /// with the same configuration, the same overrides, and the same health, and a dataplane that has nothing. So any two
    /// histories that end in the same end in the same tables. Only a VIP that keeps its length has another one.
    #[test]
    fn history_does_not_matter((config, ops) in any_life(), restarts in any::<bool>()) {
        let mut world = World::new(config, Model::empty());
        for op in &ops {
            world.step(op);
        }
        if restarts {
            world.step(&Op::Lose(0));
            world = world.restart_daemon();
        }
        world.settle(LONG);
        if world.engine.config().vpp.ownership == Ownership::Managed && in_conflict(&world) {
            return Ok(());
        }
        let mut fresh = world.fresh();
        fresh.settle(LONG);
        prop_assert_eq!(world.engine.desired(), fresh.engine.desired());
        let kept: BTreeSet<_> = world.engine.kept_lengths().map(|kept| kept.vip).collect();
        for (vip, found) in &fresh.model.vips {
            let mut before = world.model.vips[vip].clone();
            if kept.contains(vip) {
                prop_assert_ne!(before.table_length, found.table_length);
                before.table_length = found.table_length;
            }
            prop_assert_eq!(&before, found, "{}", vip);
        }
        for (one, other) in world.engine.frontends().zip(fresh.engine.frontends()) {
            let same = world.engine.table_fingerprint(one) == fresh.engine.table_fingerprint(other);
            prop_assert_eq!(same, !kept.contains(&one.config().vip));
        }
        let same = world.engine.all_tables_fingerprint() == fresh.engine.all_tables_fingerprint();
        prop_assert_eq!(same, kept.is_empty());
        // An operator ends what is left of the history.
        for kept in world.engine.kept_lengths().collect::<Vec<_>>() {
            world.engine.recreate(kept.frontend.as_str());
        }
        world.step(&Op::Sync);
        world.settle(LONG);
        prop_assert_eq!(world.engine.all_tables_fingerprint(), fresh.engine.all_tables_fingerprint());
    }

    #[test]
    fn an_unchanged_world_is_not_written_to((config, ops) in any_life()) {
        let mut world = World::new(config, Model::empty());
        for op in &ops {
            world.step(op);
        }
        world.settle(LONG);
        if world.engine.config().vpp.ownership == Ownership::Managed && in_conflict(&world) {
            return Ok(());
        }
        world.writes.clear();
        for _ in 0..100 {
            world.step(&Op::Sync);
            world.settle(Duration::ZERO);
            world.step(&Op::Lose(0));
            world.settle(Duration::ZERO);
        }
        world.settle(LONG);
        if world.engine.intents().weights.is_empty() {
            // Operators' weights are kept by the frontend's name.
            world.step(&Op::Rename);
            world.settle(LONG);
        }
        prop_assert_eq!(&world.writes, &[]);
    }

    /// In whatever order the verdicts come in, and whenever the dataplane is connected.
    #[test]
    fn a_restart_writes_nothing(
        (config, ops) in any_life(),
        order in vec((any::<usize>(), 0..2000_u64), 0..20),
        connects_at in 0..20_usize,
    ) {
        let mut world = World::new(config, Model::empty());
        for op in &ops {
            world.step(op);
        }
        world.settle(LONG);
        let before = world.observed();
        if world.engine.config().vpp.ownership == Ownership::Managed && in_conflict(&world) {
            return Ok(());
        }
        let mut world = world.restart_daemon();
        for (number, (which, wait)) in order.into_iter().enumerate() {
            if number == connects_at {
                world.step(&Op::Connect);
            }
            world.now += Duration::from_millis(wait).min((world.started + MAX).since(world.now) / 4);
            world.timeout();
            world.collect();
            let probes: Vec<ProbeId> = world.in_flight.keys().copied().collect();
            if let Some(index) = which.checked_rem(probes.len()) {
                let id = probes[index];
                let good = world.verdicts.get(&world.in_flight[&id]).copied().unwrap_or(true);
                world.answer(id, good);
            }
            world.collect();
            world.step(&Op::Respond);
        }
        world.settle(LONG);
        prop_assert_eq!(&world.writes, &[]);
        prop_assert_eq!(world.observed(), before);
    }
}
