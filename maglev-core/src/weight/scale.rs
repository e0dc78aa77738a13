//! Pure. The weights that are sent to VPP.
//!
//! VPP's `lb` plugin enters a server into its new-flow table as many times as its weight says, as so many *replicas*.
//! That is costly twice: each change takes time in proportion to the sum of weights, and when a server goes, the replicas
//! of the others move as well, so that many more flows change server than Maglev hashing promises. With ten servers and a
//! table of 1024, the loss of one moves 13 % of the new flows of the nine others at weight 100 each, and 3 % at weight 1.
//! So the smallest whole numbers with the configured ratios are sent.
//!
//! Behind ECMP several instances of VPP must have the same table. So the scale is a pure function of the weights of all
//! pools of a frontend, its `weight-steps`, and the length its table should have. It depends neither on health, nor on
//! the weights that were sent before, nor on what VPP has.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Weight, WeightSteps};

/// The share of the table's length that the sum of weights may have before exact ratios give way to near ones: at a
/// hundred buckets for a replica a change moves a few percent of the other flows at most.
const BUCKETS_PER_REPLICA: u64 = 100;

/// Overrides leave the configured scale in place only if each replica then has this many buckets: with fewer, shares are off
/// by more than a tenth of a replica's, and a change moves a tenth of the other flows and more.
const LEAST_BUCKETS_PER_REPLICA: u64 = 10;

/// The largest error of a share, in percent of itself, when ratios are near ones.
const TOLERANCE_PERCENT: u64 = 1;

/// The largest error of a share, in percent of itself, at which overrides leave the configured scale in place.
const OVERRIDE_TOLERANCE_PERCENT: u64 = 5;

/// The configured weights of a frontend, pool by pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolWeights {
    /// How often each weight above 0 occurs in each pool.
    pools: Vec<BTreeMap<Weight, u64>>,
}

impl PoolWeights {
    /// Collects the weights of each pool.
    pub fn new<P: IntoIterator<Item = Weight>>(pools: impl IntoIterator<Item = P>) -> PoolWeights {
        let count = |pool: P| {
            let mut counts = BTreeMap::new();
            for weight in pool.into_iter().filter(|weight| !weight.is_zero()) {
                *counts.entry(weight).or_insert(0) += 1;
            }
            counts
        };
        PoolWeights { pools: pools.into_iter().map(count).collect() }
    }

    /// Every (weight, how often), a weight once for each pool that has it.
    fn counts(&self) -> impl Iterator<Item = (Weight, u64)> {
        self.pools.iter().flatten().map(|(&weight, &count)| (weight, count))
    }

    /// The sum over all pools of what `number` makes of a weight.
    fn sum(&self, number: impl Fn(Weight) -> u64) -> u64 {
        self.counts().map(|(weight, count)| number(weight).saturating_mul(count)).fold(0, u64::saturating_add)
    }
}

/// From configured weights to weights in VPP: a factor of at most 1, and rounding to the nearest whole number, a half
/// up, but never from above 0 to 0.
///
/// A weight is mapped without regard to any other, so that one that changes touches no server but its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scale {
    numerator: u64,
    denominator: u64,
}

impl Scale {
    /// Weights are sent as they are configured.
    pub const RAW: Scale = Scale { numerator: 1, denominator: 1 };

    /// What makes 1 of the largest weight; the scale of weights that are all 0.
    const UNIT: Scale = Scale { numerator: 1, denominator: 100 };

    /// The scale of a frontend with the weights `configured`, of which overrides make those `in_force`.
    ///
    /// It is [`for_weights`](Self::for_weights) of the configured weights, as long as that expresses the weights in force
    /// within 5 %, so that an override changes the weight of its own server only. Otherwise it is the same function of the
    /// weights in force.
    pub fn of(
        configured: &PoolWeights,
        in_force: &PoolWeights,
        steps: Option<WeightSteps>,
        table_length: u32,
    ) -> Scale {
        let scale = Scale::for_weights(configured, steps, table_length);
        if configured == in_force {
            return scale;
        }
        let sum = scale.sum(in_force);
        let expresses = scale.expresses_within(in_force, OVERRIDE_TOLERANCE_PERCENT);
        if expresses && sum.saturating_mul(LEAST_BUCKETS_PER_REPLICA) <= u64::from(table_length) {
            return scale;
        }
        let other = Scale::for_weights(in_force, steps, table_length);
        if expresses && sum <= other.sum(in_force) { scale } else { other }
    }

    /// The scale for weights in a table of `table_length` buckets.
    ///
    /// It is [`smallest`](Self::smallest), unless `steps` are given and the smallest sends a weight of 100 as less than
    /// that: then it is the smallest factor from `steps` / 100 on under which, in each pool, the shares are within 1 % of
    /// those wanted.
    pub fn for_weights(weights: &PoolWeights, steps: Option<WeightSteps>, table_length: u32) -> Scale {
        let smallest = Scale::smallest(weights, table_length);
        let Some(steps) = steps else { return smallest };
        let least = Scale::fraction(u64::from(steps.get()), 100);
        if !smallest.is_below(least) {
            return smallest;
        }
        let finer = Scale::steps(weights).into_iter().filter(|step| !step.is_below(least));
        std::iter::once(least).chain(finer).find(|scale| scale.expresses(weights)).unwrap_or(Scale::RAW)
    }

    /// The scale with the smallest weights that suit a table of `table_length` buckets.
    ///
    /// It divides by the greatest common divisor. If the sum of the weights of all pools then still exceeds a hundredth
    /// of the table's length, exact ratios are given up: of all factors it takes the smallest under which, in each pool,
    /// the shares are within 1 % of those wanted.
    pub fn smallest(weights: &PoolWeights, table_length: u32) -> Scale {
        let exact = Scale::exact(weights);
        if exact.suits(weights, table_length) { exact } else { Scale::near(weights, exact) }
    }

    /// Divides by the greatest common divisor.
    fn exact(weights: &PoolWeights) -> Scale {
        match weights.counts().fold(0, |divisor, (weight, _)| gcd(divisor, u64::from(weight.get()))) {
            0 => Scale::UNIT,
            divisor => Scale { numerator: 1, denominator: divisor },
        }
    }

    /// Whether each replica has enough buckets in a table of this length.
    fn suits(self, weights: &PoolWeights, table_length: u32) -> bool {
        self.sum(weights).saturating_mul(BUCKETS_PER_REPLICA) <= u64::from(table_length)
    }

    /// The smallest factor that can express the weights, or `exact`.
    fn near(weights: &PoolWeights, exact: Scale) -> Scale {
        Scale::steps(weights)
            .into_iter()
            .take_while(|step| step.is_below(exact))
            .find(|scale| scale.expresses(weights))
            .unwrap_or(exact)
    }

    /// For each way in which a factor can map the weights the smallest factor that does so, from the smallest on. At most
    /// 5050.
    ///
    /// As the factor grows, the weight sent for w changes from j to j+1 where the factor is (j + ½) / w, and nowhere
    /// else. Below all of these every weight is sent as 1.
    fn steps(weights: &PoolWeights) -> Vec<Scale> {
        let distinct: BTreeSet<u64> = weights.counts().map(|(weight, _)| u64::from(weight.get())).collect();
        let all_one = distinct.last().map_or(Scale::UNIT, |&largest| Scale::fraction(1, largest));
        let mut steps: Vec<Scale> = distinct
            .iter()
            .flat_map(|&weight| (1..weight).map(move |sent| Scale::fraction(2 * sent + 1, 2 * weight)))
            .collect();
        steps.sort_by(|a, b| (a.numerator * b.denominator).cmp(&(b.numerator * a.denominator)));
        steps.dedup();
        steps.insert(0, all_one);
        steps
    }

    /// Whether under this scale all shares, in each pool, are within 1 % of those wanted.
    pub fn expresses(self, weights: &PoolWeights) -> bool {
        self.expresses_within(weights, TOLERANCE_PERCENT)
    }

    fn expresses_within(self, weights: &PoolWeights, percent: u64) -> bool {
        weights.pools.iter().all(|pool| {
            let total = |number: &dyn Fn(Weight) -> u64| {
                pool.iter().map(|(&weight, &count)| number(weight).saturating_mul(count)).sum::<u64>()
            };
            let configured = total(&|weight| u64::from(weight.get()));
            let sent = total(&|weight| u64::from(self.apply(weight)));
            pool.keys().all(|&weight| {
                let wanted = u64::from(weight.get()).saturating_mul(sent);
                let given = u64::from(self.apply(weight)).saturating_mul(configured);
                given.abs_diff(wanted).saturating_mul(100) <= wanted.saturating_mul(percent)
            })
        })
    }

    /// The weight to send for a configured one.
    pub fn apply(self, weight: Weight) -> u8 {
        if weight.is_zero() {
            return 0;
        }
        let product = u64::from(weight.get()).saturating_mul(self.numerator);
        let doubled = product.saturating_mul(2).saturating_add(self.denominator);
        let rounded = doubled / self.denominator.saturating_mul(2).max(1);
        u8::try_from(rounded).unwrap_or(u8::MAX).clamp(1, Weight::MAX.get())
    }

    fn is_below(self, other: Scale) -> bool {
        self.numerator.saturating_mul(other.denominator) < other.numerator.saturating_mul(self.denominator)
    }

    fn fraction(numerator: u64, denominator: u64) -> Scale {
        let divisor = gcd(numerator, denominator).max(1);
        Scale { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    fn sum(self, weights: &PoolWeights) -> u64 {
        weights.sum(|weight| u64::from(self.apply(weight)))
    }
}

/// Euclid's, with gcd(0, n) = n.
fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A scale and the length of the table it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    /// From configured weights to those sent.
    pub scale: Scale,
    /// The buckets of the new-flow table, a power of two.
    pub table_length: u32,
}

#[cfg(test)]
mod tests;
