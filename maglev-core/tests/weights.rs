//! What VPP's own table makes of weights: shares, and flows that stay. The numbers in `docs/weights.md` come from here.

#![expect(clippy::unwrap_used, reason = "this is a test, which fails by panicking")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use maglev_core::table::Difference;
use maglev_core::table::vpp::{Length, build};
use maglev_core::weight::scale::{Fit, PoolWeights, Scale};
use maglev_core::weight::share;
use maglev_core::weight::{Weight, WeightSteps, auto_length};
use proptest::collection::vec;
use proptest::prelude::*;

/// Address sets: what moves depends on the addresses, in a few sets by much, so all here is of the median set.
const SETS: u32 = 7;

/// Servers with these weights as sent.
fn servers(set: u32, sent: &[u8]) -> Vec<(IpAddr, u8)> {
    let address = |number: u32| {
        if set.is_multiple_of(2) {
            IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + (set << 16) + number))
        } else {
            IpAddr::from(Ipv6Addr::from_bits(
                (0x2001_0db8 << 96) | u128::from(set) << 64 | u128::from(number),
            ))
        }
    };
    (1..).map(address).zip(sent.iter().copied()).collect()
}

/// For each bucket its server.
fn table(length: u32, servers: &[(IpAddr, u8)]) -> Vec<Option<IpAddr>> {
    let table = build(Length::new(length).unwrap(), servers);
    table.entries().iter().map(|entry| table.backends().get(entry).copied()).collect()
}

fn counted(length: u32, servers: &[(IpAddr, u8)]) -> Vec<u32> {
    let table = table(length, servers);
    let count = |address| table.iter().filter(|entry| **entry == Some(address)).count();
    servers.iter().map(|&(address, _)| count(address).try_into().unwrap()).collect()
}

/// Of the new flows of the others, the share that changes server when one goes, in percent.
fn moved(length: u32, servers: &[(IpAddr, u8)], lost: usize) -> f64 {
    let (gone, _) = servers[lost];
    let rest: Vec<_> = servers.iter().copied().filter(|(address, _)| *address != gone).collect();
    let (before, after) = (table(length, servers), table(length, &rest));
    let others = before.iter().filter(|server| **server != Some(gone)).count();
    let changed = before.iter().zip(&after).filter(|(b, a)| **b != Some(gone) && a != b).count();
    100.0 * changed as f64 / others as f64
}

/// The mean over the servers that may go (ten of them, where there are more), in the median address set.
fn typically_moved(length: u32, count: usize, weight: u8) -> f64 {
    let mean = |set| {
        let servers = servers(set, &vec![weight; count]);
        let moved: Vec<f64> =
            (0..count).step_by(count.div_ceil(10)).map(|lost| moved(length, &servers, lost)).collect();
        moved.iter().sum::<f64>() / moved.len() as f64
    };
    let mut means: Vec<f64> = (0..SETS).map(mean).collect();
    means.sort_by(f64::total_cmp);
    means[means.len() / 2]
}

fn weights(configured: &[u8]) -> Vec<Weight> {
    configured.iter().map(|&weight| weight.try_into().unwrap()).collect()
}

fn fit(configured: &[u8]) -> Fit {
    fit_with(configured, configured, None)
}

/// What servers that have these weights by overrides get.
fn fit_with(configured: &[u8], in_force: &[u8], steps: Option<WeightSteps>) -> Fit {
    let table_length = auto_length(configured.len(), steps);
    let pools = |pool| PoolWeights::new([weights(pool)]);
    Fit { scale: Scale::of(&pools(configured), &pools(in_force), steps, table_length), table_length }
}

fn sent(scale: Scale, configured: &[u8]) -> Vec<u8> {
    weights(configured).into_iter().map(|weight| scale.apply(weight)).collect()
}

/// What the documentation says has to be what is found.
#[track_caller]
fn assert_documented(row: &str) {
    assert!(include_str!("../../docs/weights.md").contains(row), "docs/weights.md does not say: {row}");
}

/// How much traffic a server of weight 10 gets beside those of weight 100: one for this many.
fn canary(length: u32, full: usize, canaries: usize, scale: Scale) -> f64 {
    let configured = [vec![100; full], vec![10; canaries]].concat();
    let counts = counted(length, &servers(0, &sent(scale, &configured)));
    let mean = |counts: &[u32]| f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    mean(&counts[..full]) / mean(&counts[full..])
}

#[test]
fn a_tenth_of_the_weight_is_a_tenth_of_the_traffic() {
    for (full, canaries) in [(9, 1), (20, 20)] {
        let configured = [vec![100; full], vec![10; canaries]].concat();
        let fit = fit(&configured);
        let (defaults, ours) =
            (canary(1024, full, canaries, Scale::RAW), canary(fit.table_length, full, canaries, fit.scale));
        assert!((9.9..10.1).contains(&ours), "{ours}");
        assert_documented(&format!(
            "| {full} of 100, {canaries} of 10 | {defaults:.1} : 1 | {ours:.1} : 1 |"
        ));
    }
    assert!((4.0..4.2).contains(&canary(1024, 20, 20, Scale::RAW)), "as measured with a real VPP");
}

#[test]
fn a_server_that_goes_takes_few_flows_of_others_along() {
    for count in [4, 10, 40, 100] {
        let fit = fit(&vec![100; count]);
        assert_eq!(sent(fit.scale, &[100]), [1]);
        let defaults = typically_moved(1024, count, 100);
        let ours = typically_moved(fit.table_length, count, 1);
        assert!(ours < defaults / 2.0);
        let length = fit.table_length;
        assert_documented(&format!("| {count} | {defaults:.0} % | {ours:.1} % | {length} |"));
        if count == 10 {
            assert!(
                (13.0..17.0).contains(&defaults),
                "13.4 % in the one set measured with a real VPP: {defaults}"
            );
            assert!((0.5..0.7).contains(&ours), "{ours}");
        }
    }
}

/// What Maglev hashing can do at best, by table length: facts of VPP's table, from a real one and from models of it.
#[test]
fn equal_weights_move_no_more_than_weight_one_does() {
    let lengths = [1024, 4096, 16384, 65536];
    let known = [
        (4, [1.03, 0.37, 0.21, 0.07]),
        (10, [2.38, 1.02, 0.56, 0.26]),
        (40, [4.44, 2.14, 0.91, 0.41]),
        (100, [3.63, 2.91, 1.36, 0.58]),
    ];
    for (count, known) in known {
        for (length, known) in lengths.into_iter().zip(known) {
            let configured = PoolWeights::new([weights(&vec![70; count])]);
            let sent = Scale::smallest(&configured, length).apply(70_u8.try_into().unwrap());
            let found = typically_moved(length, count, sent);
            assert!(found <= 1.5 * known, "{count} in {length}: {found:.2} %, known is {known} %");
        }
    }
}

/// The share of all new flows that changes server when one of equal servers gets another weight, in percent: what moves,
/// and what has to. In the median address set.
fn moved_by_override(count: usize, to: u8, steps: Option<WeightSteps>) -> (f64, f64) {
    let configured = vec![100; count];
    let in_force = [vec![to], vec![100; count - 1]].concat();
    let table = |set, in_force: &[u8]| {
        let fit = fit_with(&configured, in_force, steps);
        build(Length::new(fit.table_length).unwrap(), &servers(set, &sent(fit.scale, in_force)))
    };
    let mut moved: Vec<(f64, f64)> = (0..SETS)
        .map(|set| {
            let difference = Difference::between(&table(set, &configured), &table(set, &in_force)).unwrap();
            let share = |slots| 100.0 * difference.share_of(slots);
            (share(difference.changed), share(difference.unavoidable))
        })
        .collect();
    moved.sort_by(|a, b| a.0.total_cmp(&b.0));
    moved[moved.len() / 2]
}

#[test]
fn an_override_moves_few_flows_with_steps() {
    let ten = Some(WeightSteps::try_from(10).unwrap());
    for (count, to) in [(4, 50), (4, 30), (10, 50), (10, 30), (40, 50), (40, 30)] {
        let (without, least) = moved_by_override(count, to, None);
        let (with, _) = moved_by_override(count, to, ten);
        assert_documented(&format!(
            "| {count} | 100 to {to} | {least:.1} % | {without:.1} % | {with:.1} % |"
        ));
        assert!(with < without / 2.0 && with < least + 4.0);
    }
    for count in [4, 10, 40, 100] {
        let configured = vec![100; count];
        let (one, ten) = (fit(&configured), fit_with(&configured, &configured, ten));
        assert_eq!((sent(one.scale, &[100]), sent(ten.scale, &[100])), (vec![1], vec![10]));
        let without = typically_moved(one.table_length, count, 1);
        let with = typically_moved(ten.table_length, count, 10);
        assert_documented(&format!("| {count} | {without:.1} % | {with:.1} % |"));
    }
}

fn any_weights(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![1..=100_u8, Just(100), Just(50), Just(10)], 1..=most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Ratios are exact while there are at most a hundredth as many replicas as buckets. As VPP gives every replica the same
    /// number of buckets or one more, each share is then within 1 % of the one wanted, whichever servers are up.
    #[test]
    fn shares_are_those_wanted_in_a_table_long_enough(
        configured in any_weights(6), up in vec(any::<bool>(), 6), set in 0..SETS,
    ) {
        let length = 65536;
        let scale = Scale::smallest(&PoolWeights::new([weights(&configured)]), length);
        let all = sent(scale, &configured);
        prop_assert!(all.iter().map(|&weight| u32::from(weight)).sum::<u32>() * 100 <= length);
        let up: Vec<u8> = all.iter().zip(&up).map(|(&weight, &up)| if up { weight } else { 0 }).collect();
        let wanted: f64 = configured.iter().zip(&up).filter(|(_, up)| **up > 0).map(|(&c, _)| f64::from(c)).sum();
        let counts = counted(length, &servers(set, &up));
        for ((&configured, &up), &count) in configured.iter().zip(&up).zip(&counts) {
            let share = f64::from(configured) / wanted;
            let given = f64::from(count) / f64::from(length);
            if up == 0 {
                prop_assert_eq!(count, 0);
            } else {
                prop_assert!((given / share - 1.0).abs() <= 0.01, "{} instead of {}", given, share);
            }
        }
    }

    /// In a table of the length chosen for them: within 1 %, and what one bucket more or less for a replica makes.
    #[test]
    fn shares_are_near_those_wanted_in_a_table_chosen(configured in any_weights(20), set in 0..SETS) {
        let fit = fit(&configured);
        let all = sent(fit.scale, &configured);
        let replicas: f64 = all.iter().map(|&weight| f64::from(weight)).sum();
        let wanted: f64 = configured.iter().map(|&weight| f64::from(weight)).sum();
        let off = 0.01 + 1.01 * replicas / f64::from(fit.table_length);
        for (&configured, count) in configured.iter().zip(counted(fit.table_length, &servers(set, &all))) {
            let share = f64::from(configured) / wanted;
            let given = f64::from(count) / f64::from(fit.table_length);
            prop_assert!((given / share - 1.0).abs() <= off, "{} instead of {}", given, share);
        }
    }

    #[test]
    fn buckets_are_known_without_building_the_table(all in vec(0..=100_u8, 1..20), set in 0..SETS) {
        let servers = servers(set, &all);
        prop_assert_eq!(share::buckets(4096, &servers), counted(4096, &servers));
    }
}
