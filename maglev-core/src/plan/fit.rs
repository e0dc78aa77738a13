//! Pure. Which scale a frontend's weights get.

use crate::config::WeightScaling;
use crate::desired::DesiredVip;
use crate::observed::VipState;
use crate::weight::Weight;
use crate::weight::scale::{Fit, Scale};

/// How the weights of a VIP are scaled, and the length of its table, which for a VIP that `stays` is what it is.
///
/// The scale is that which was `used` last, if it can still express the weights. Where none is known, as after a start, it
/// is one that explains the weights found, so that a restart changes nothing. Else, and for a VIP that is made, the
/// smallest.
pub(super) fn fit(
    desired: &DesiredVip,
    stays: Option<&VipState>,
    used: Option<(WeightScaling, Scale)>,
) -> Fit {
    let weights = &desired.weights;
    let Some(present) = stays else { return desired.table_length.fit(weights, desired.scaling) };
    let table_length = present.table_length;
    let scale = match (desired.scaling, used) {
        (WeightScaling::Raw, _) => Scale::RAW,
        (WeightScaling::Ratio, None) => Scale::explaining(found(desired, present), weights, table_length),
        (WeightScaling::Ratio, Some((WeightScaling::Ratio, used))) => {
            used.kept_or_smallest(weights, table_length)
        }
        // Raw until now.
        (WeightScaling::Ratio, Some((WeightScaling::Raw, _))) => Scale::smallest(weights, table_length),
    };
    Fit { scale, table_length }
}

/// The weights found, beside those they are to be. A weight of 0 on either side says nothing of the scale.
fn found<'a>(
    desired: &'a DesiredVip,
    present: &'a VipState,
) -> impl Iterator<Item = (Weight, u8)> + Clone + 'a {
    let servers = desired.servers.iter();
    servers
        .filter_map(|(address, server)| Some((server.weight, present.server(address)?.weight)))
        .filter(|&(weight, sent)| !weight.is_zero() && sent > 0)
}
