//! Pure. Scales of known weights, and what holds for those of any.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn weights(pools: &[&[i64]]) -> PoolWeights {
    PoolWeights::new(pools.iter().map(|pool| pool.iter().map(|&weight| Weight::try_from(weight).unwrap())))
}

fn sent(scale: Scale, pool: &[i64]) -> Vec<u8> {
    pool.iter().map(|&weight| scale.apply(Weight::try_from(weight).unwrap())).collect()
}

#[track_caller]
fn assert_sent(pools: &[&[i64]], table_length: u32, expected: &[&[u8]]) {
    let scale = Scale::smallest(&weights(pools), table_length);
    let found: Vec<Vec<u8>> = pools.iter().map(|pool| sent(scale, pool)).collect();
    assert_eq!(found, expected, "{pools:?} in {table_length} with {scale:?}");
}

#[test]
fn equal_weights_become_one() {
    assert_sent(&[&[100, 100, 100]], 1024, &[&[1, 1, 1]]);
    assert_sent(&[&[7, 7], &[7]], 1024, &[&[1, 1], &[1]]);
}

#[test]
fn ratios_are_exact_while_the_sum_is_below_a_hundredth_of_the_table() {
    assert_sent(&[&[100, 50, 25]], 1024, &[&[4, 2, 1]]);
    assert_sent(&[&[60, 40]], 1024, &[&[3, 2]]);
    assert_sent(&[&[100, 99]], 65536, &[&[100, 99]]);
}

#[test]
fn the_pools_share_one_scale() {
    // Alone the spare pool would become 1, but then a failover would change what a weight of 50 means.
    assert_sent(&[&[100, 50], &[50, 50]], 1024, &[&[2, 1], &[1, 1]]);
}

#[test]
fn ratios_are_near_where_exact_ones_need_too_many_replicas() {
    assert_sent(&[&[100, 99]], 1024, &[&[1, 1]]);
    // 2 and 1 would give the second 2 % too little, 23 and 12 give it 0.8 % too much.
    assert_sent(&[&[97, 50]], 1024, &[&[23, 12]]);
}

#[test]
fn zero_stays_zero_and_nothing_else_becomes_zero() {
    assert_sent(&[&[100, 0]], 1024, &[&[1, 0]]);
    assert_sent(&[&[100, 1]], 1024, &[&[99, 1]]);
    assert_sent(&[&[0, 0]], 1024, &[&[0, 0]]);
    assert_sent(&[], 1024, &[]);
}

#[track_caller]
fn assert_in_force(
    configured: &[&[i64]],
    in_force: &[&[i64]],
    steps: Option<u8>,
    table_length: u32,
    expected: &[&[u8]],
) {
    let steps = steps.map(|steps| WeightSteps::try_from(steps).unwrap());
    let scale = Scale::of(&weights(configured), &weights(in_force), steps, table_length);
    let found: Vec<Vec<u8>> = in_force.iter().map(|pool| sent(scale, pool)).collect();
    assert_eq!(found, expected, "{in_force:?} over {configured:?} with {scale:?}");
}

#[test]
fn steps_send_a_weight_of_100_as_that_many() {
    assert_in_force(&[&[100, 100]], &[&[100, 100]], Some(10), 16384, &[&[10, 10]]);
    assert_in_force(&[&[100], &[50, 30]], &[&[100], &[50, 30]], Some(10), 16384, &[&[10], &[5, 3]]);
    // The configured ratios need more than that.
    assert_in_force(&[&[100, 1]], &[&[100, 1]], Some(10), 65536, &[&[100, 1]]);
    // A quarter of ten is no whole number.
    assert_in_force(&[&[100, 50, 25]], &[&[100, 50, 25]], Some(10), 16384, &[&[12, 6, 3]]);
    assert_in_force(&[&[100, 50]], &[&[100, 50]], Some(100), 16384, &[&[100, 50]]);
    assert_in_force(&[&[0, 0]], &[&[0, 0]], Some(10), 16384, &[&[0, 0]]);
}

#[test]
fn an_override_within_the_steps_changes_no_other_weight() {
    for weight in (10..=100).step_by(10) {
        let expected = [10, u8::try_from(weight / 10).unwrap()];
        assert_in_force(&[&[100, 100]], &[&[100, weight]], Some(10), 16384, &[&expected]);
    }
    assert_in_force(&[&[100, 100]], &[&[100, 0]], Some(10), 16384, &[&[10, 0]]);
}

#[test]
fn an_override_that_the_scale_expresses_within_5_percent_keeps_it() {
    assert_in_force(&[&[100, 50]], &[&[100, 100]], None, 2048, &[&[2, 2]]);
    assert_in_force(&[&[100, 100]], &[&[100, 96]], None, 2048, &[&[1, 1]]);
    assert_in_force(&[&[100, 100, 100]], &[&[100, 100, 0]], None, 4096, &[&[1, 1, 0]]);
}

#[test]
fn an_override_that_it_does_not_express_takes_the_scale_of_the_weights_in_force() {
    assert_in_force(&[&[100, 100]], &[&[100, 30]], None, 2048, &[&[10, 3]]);
    assert_in_force(&[&[100, 50]], &[&[100, 25]], None, 2048, &[&[4, 1]]);
    // A twentieth of a step is the smallest weight that the steps give.
    assert_in_force(&[&[100, 100]], &[&[100, 25]], Some(10), 16384, &[&[12, 3]]);
}

#[test]
fn overrides_that_need_too_many_replicas_take_a_smaller_scale() {
    assert_in_force(&[&[1; 11]], &[&[100; 11]], None, 1024, &[&[1; 11]]);
    // In a longer table there is room for them.
    assert_in_force(&[&[1; 11]], &[&[100; 11]], None, 16384, &[&[100; 11]]);
}

fn any_pools() -> impl Strategy<Value = Vec<Vec<i64>>> {
    vec(vec(prop_oneof![0..=100_i64, Just(100), Just(50), Just(10)], 1..12), 1..4)
}

fn any_length() -> impl Strategy<Value = u32> {
    (4_u32..=16).prop_map(|power| 1 << power)
}

proptest! {
    #[test]
    fn shares_are_within_one_percent_in_each_pool(pools in any_pools(), length in any_length()) {
        let pools: Vec<&[i64]> = pools.iter().map(Vec::as_slice).collect();
        let scale = Scale::smallest(&weights(&pools), length);
        for pool in pools {
            let sent = sent(scale, pool);
            let (sum, sent_sum): (i64, i64) = (pool.iter().sum(), sent.iter().map(|&n| i64::from(n)).sum());
            for (&configured, &sent) in pool.iter().zip(&sent) {
                prop_assert_eq!(configured == 0, sent == 0);
                if configured > 0 {
                    let (wanted, given) = (configured as f64 / sum as f64, f64::from(sent) / sent_sum as f64);
                    prop_assert!((given / wanted - 1.0).abs() <= 0.01 + 1e-9, "{} instead of {}", given, wanted);
                }
            }
        }
    }

    #[test]
    fn sums_below_a_hundredth_of_the_table_have_exact_ratios(pools in any_pools(), length in any_length()) {
        let pools: Vec<&[i64]> = pools.iter().map(Vec::as_slice).collect();
        let weights = weights(&pools);
        let scale = Scale::smallest(&weights, length);
        let exact = Scale::exact(&weights);
        prop_assert!(scale.sum(&weights) <= exact.sum(&weights));
        if exact.sum(&weights) * 100 <= u64::from(length) {
            prop_assert_eq!(scale, exact);
        }
    }

    #[test]
    fn no_smaller_factor_would_do(pools in any_pools(), total in 1_u64..5000) {
        let pools: Vec<&[i64]> = pools.iter().map(Vec::as_slice).collect();
        let weights = weights(&pools);
        let smallest = Scale::near(&weights, Scale::exact(&weights));
        let configured = Scale::RAW.sum(&weights);
        prop_assume!(configured > 0);
        let other = Scale::fraction(total.min(configured), configured);
        if other.expresses(&weights) {
            prop_assert!(smallest.sum(&weights) <= other.sum(&weights));
        }
    }

    #[test]
    fn a_weight_is_mapped_without_regard_to_others(
        pools in any_pools(), length in any_length(), a in 0..=100_i64, b in 0..=100_i64,
    ) {
        let pools: Vec<&[i64]> = pools.iter().map(Vec::as_slice).collect();
        let scale = Scale::smallest(&weights(&pools), length);
        let (small, large) = (a.min(b), a.max(b));
        prop_assert!(sent(scale, &[small]) <= sent(scale, &[large]), "the order is kept");
    }

    #[test]
    fn steps_are_given_and_shares_are_still_within_one_percent(
        pools in any_pools(), length in any_length(), steps in 1..=100_u8,
    ) {
        let pools: Vec<&[i64]> = pools.iter().map(Vec::as_slice).collect();
        let weights = weights(&pools);
        let steps = WeightSteps::try_from(steps).unwrap();
        let scale = Scale::for_weights(&weights, Some(steps), length);
        prop_assert!(scale.expresses(&weights));
        prop_assert!(scale.apply(Weight::MAX) >= steps.get());
        prop_assert!(!scale.is_below(Scale::smallest(&weights, length)));
    }

    /// Neither the order of pools and members, nor members of weight 0, nor the form of the input matters.
    #[test]
    fn the_order_of_weights_does_not_matter(
        pools in any_pools(), over in any_pools(), length in any_length(), steps in prop::option::of(1..=100_u8),
    ) {
        let steps = steps.map(|steps| WeightSteps::try_from(steps).unwrap());
        let turned = |pools: &[Vec<i64>]| -> Vec<Vec<i64>> {
            pools.iter().rev().map(|pool| pool.iter().rev().copied().chain([0]).collect()).collect()
        };
        let made = |pools: &[Vec<i64>]| weights(&pools.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(
            Scale::of(&made(&pools), &made(&over), steps, length),
            Scale::of(&made(&turned(&pools)), &made(&turned(&over)), steps, length)
        );
    }

    #[test]
    fn weights_in_force_have_shares_within_five_percent(
        pools in any_pools(), over in any_pools(), length in any_length(), steps in prop::option::of(1..=100_u8),
    ) {
        let steps = steps.map(|steps| WeightSteps::try_from(steps).unwrap());
        let made = |pools: &[Vec<i64>]| weights(&pools.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let scale = Scale::of(&made(&pools), &made(&over), steps, length);
        prop_assert!(scale.expresses_within(&made(&over), 5));
    }
}
