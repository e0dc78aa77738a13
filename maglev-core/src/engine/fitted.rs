//! Pure. The scale of a frontend's weights, kept while what it follows from is the same.

use crate::config::{Frontend, WeightScaling};
use crate::weight::WeightSteps;
use crate::weight::scale::{Fit, PoolWeights};

/// The ratio scale of a frontend, with all that it follows from. To find it takes up to milliseconds where weights are many
/// and different, too long for each change of health.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    configured: PoolWeights,
    in_force: PoolWeights,
    steps: Option<WeightSteps>,
    ratio: Fit,
}

impl Fitted {
    pub(super) fn new(config: &Frontend, in_force: PoolWeights) -> Self {
        let ratio = config.fit(WeightScaling::Ratio, &in_force);
        Fitted { configured: config.weights(), in_force, steps: config.weight_steps, ratio }
    }

    /// Finds the scale again, if anything it follows from has changed.
    pub(super) fn update(&mut self, config: &Frontend, in_force: PoolWeights) {
        let same = self.in_force == in_force
            && self.configured == config.weights()
            && self.steps == config.weight_steps
            && self.ratio.table_length == config.wanted_length();
        if !same {
            *self = Fitted::new(config, in_force);
        }
    }

    pub(super) fn get(&self, config: &Frontend, scaling: WeightScaling) -> Fit {
        match scaling {
            WeightScaling::Ratio => self.ratio,
            WeightScaling::Raw => config.fit(scaling, &self.in_force),
        }
    }
}
