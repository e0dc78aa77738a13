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

#[test]
fn a_scale_is_kept_as_long_as_it_can_express_the_ratios() {
    let before = Scale::smallest(&weights(&[&[100, 50]]), 16384);
    let raised = weights(&[&[100, 100]]);
    assert_eq!(before.kept_or_smallest(&raised, 16384), before, "2 and 2 are as good as 1 and 1");
    let odd = weights(&[&[100, 25]]);
    assert_ne!(before.kept_or_smallest(&odd, 16384), before);
    assert!(before.kept_or_smallest(&odd, 16384).expresses(&odd));
}

#[test]
fn a_scale_the_table_has_no_room_for_is_not_kept() {
    let equal = weights(&[&[100; 11]]);
    assert_eq!(sent(Scale::RAW.kept_or_smallest(&equal, 1024), &[100]), [1], "VPP's default: 1100 in 1024");
    assert_eq!(Scale::RAW.kept_or_smallest(&equal, 16384), Scale::RAW, "14 buckets for each replica");
    // The smallest scale has 2398 replicas, which is too many as well.
    let crowded: Vec<i64> = (1..=24).map(|n| 100 - n % 2).chain([1]).collect();
    let crowded = weights(&[&crowded]);
    let smallest = Scale::smallest(&crowded, 1024);
    assert!(smallest.sum(&crowded) * 10 > 1024);
    assert_eq!(smallest.kept_or_smallest(&crowded, 1024), smallest);
}

#[track_caller]
fn assert_explained(found: &[(i64, u8)], pools: &[&[i64]], table_length: u32, expected: &[u8]) {
    let weight = |n: i64| Weight::try_from(n).unwrap();
    let pairs = found.iter().map(|&(configured, sent)| (weight(configured), sent));
    let scale = Scale::explaining(pairs, &weights(pools), table_length);
    assert_eq!(sent(scale, pools[0]), expected, "{found:?}");
}

#[test]
fn a_kept_scale_is_recovered_from_what_vpp_has() {
    assert_explained(&[(100, 2), (50, 1)], &[&[100, 50, 0]], 4096, &[2, 1, 0]);
    // The ratios were 4:1 once. Anew they would become 2:1.
    assert_explained(&[(100, 4), (50, 2)], &[&[100, 50]], 4096, &[4, 2]);
    assert_explained(&[(100, 4)], &[&[100, 50]], 4096, &[4, 2]);
    // And they were near ones: 23 and 12 stood for 97 and 50.
    assert_explained(&[(97, 23), (97, 23)], &[&[97, 97]], 1024, &[23, 23]);
}

#[test]
fn weights_that_nothing_explains_are_written_anew() {
    assert_explained(&[], &[&[100, 50]], 4096, &[2, 1]);
    assert_explained(&[(100, 2), (50, 2)], &[&[100, 50]], 4096, &[2, 1]);
    assert_explained(&[(1, 2)], &[&[1, 1]], 4096, &[1, 1]);
    // Explained, but off by more than 1 %: what was 97 is 99 now.
    assert_explained(&[(99, 23), (50, 12)], &[&[99, 50]], 1024, &[2, 1]);
    // As VPP is programmed by those who send weights as configured.
    assert_explained(&[(100, 100); 11], &[&[100; 11]], 1024, &[1; 11]);
}

#[test]
fn table_lengths_follow_the_sum_of_weights() {
    let length = |pools: &[&[i64]]| Fit::smallest(&weights(pools)).table_length;
    assert_eq!(length(&[&[100]]), 1024);
    assert_eq!(length(&[&[100, 100]]), 2048);
    assert_eq!(length(&[&[100, 100], &[100]]), 4096);
    assert_eq!(length(&[&[100, 50, 25]]), 8192);
    assert_eq!(length(&[&[100; 17]]), 16384);
    assert_eq!(length(&[&[100; 1000]]), 16384);
    assert_eq!(length(&[&[0]]), 1024);
}

#[test]
fn a_length_is_tried_with_the_scale_that_suits_it() {
    // Exact ratios would need 199 replicas; near ones need 2, for which 2048 buckets are enough.
    let fit = Fit::smallest(&weights(&[&[100, 99]]));
    assert_eq!((fit.table_length, sent(fit.scale, &[100, 99])), (2048, vec![1, 1]));
    // 19 replicas are too many for 1024, near ones no fewer, and the longest table has room for the exact ones.
    let fit = Fit::smallest(&weights(&[&[100, 90]]));
    assert_eq!((fit.table_length, sent(fit.scale, &[100, 90])), (16384, vec![10, 9]));
}

#[test]
fn raw_weights_are_left_alone() {
    let fit = Fit::raw(&weights(&[&[100, 50]]));
    assert_eq!((fit.table_length, sent(fit.scale, &[100, 50])), (16384, vec![100, 50]));
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
    fn what_was_fitted_is_kept(pools in any_pools()) {
        let pools: Vec<&[i64]> = pools.iter().map(Vec::as_slice).collect();
        let weights = weights(&pools);
        let fit = Fit::smallest(&weights);
        prop_assert!(fit.table_length.is_power_of_two() && (1024..=16384).contains(&fit.table_length));
        prop_assert_eq!(fit.scale.kept_or_smallest(&weights, fit.table_length), fit.scale);
        prop_assert_eq!(Fit::smallest(&weights), fit);
    }

    /// A restart after any history of edits: the scale found explains all weights, so nothing is written.
    #[test]
    fn what_was_kept_is_explained(
        history in vec(vec(vec(prop_oneof![0..=100_i64, Just(100), Just(50), Just(10)], 4), 2), 1..6),
        length in any_length(),
        seen in vec(any::<bool>(), 4),
        active in 0..2_usize,
    ) {
        let mut scale = None;
        for pools in &history {
            let pools: Vec<&[i64]> = pools.iter().map(Vec::as_slice).collect();
            let weights = weights(&pools);
            scale = Some(scale.map_or_else(
                || Scale::smallest(&weights, length),
                |scale: Scale| scale.kept_or_smallest(&weights, length),
            ));
        }
        let (Some(scale), Some(pools)) = (scale, history.last()) else { unreachable!() };
        let shown = pools[active].iter().zip(&seen).filter(|&(&weight, &seen)| seen && weight > 0);
        let pairs: Vec<(Weight, u8)> =
            shown.map(|(&weight, _)| weight.try_into().unwrap()).map(|w: Weight| (w, scale.apply(w))).collect();
        let pools: Vec<&[i64]> = pools.iter().map(Vec::as_slice).collect();
        let recovered = Scale::explaining(pairs.iter().copied(), &weights(&pools), length);
        for (weight, found) in pairs {
            prop_assert_eq!(recovered.apply(weight), found);
        }
    }
}
