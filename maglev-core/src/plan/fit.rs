//! Pure. Which scale a frontend's weights get.

use crate::config::{TableLength, WeightScaling};
use crate::desired::DesiredVip;
use crate::observed::VipState;
use crate::weight::Weight;
use crate::weight::scale::{Fit, Scale};

/// How the weights of a VIP are scaled, and the length of its table.
///
/// The table of a VIP that stays is as long as it is. Its scale is, in this order: the one we have used so far, if it can
/// still express the weights; the one we would choose anew, if it explains the weights found; one recovered from the
/// weights found, so that a restart changes nothing; else a new one.
pub(super) fn fit(
    desired: &DesiredVip,
    present: Option<&VipState>,
    stays: Option<&VipState>,
    used: Option<Scale>,
) -> Fit {
    let weights = &desired.weights;
    let table_length = match (stays, desired.table_length) {
        (Some(present), _) => present.table_length,
        (None, TableLength::Fixed(length)) => length,
        (None, TableLength::Auto) => match desired.scaling {
            WeightScaling::Raw => Fit::raw(weights).table_length,
            WeightScaling::Ratio => Fit::smallest(weights).table_length,
        },
    };
    let scale = match desired.scaling {
        WeightScaling::Raw => Scale::RAW,
        WeightScaling::Ratio => {
            let fresh = Scale::smallest(weights, table_length);
            let used = used.filter(|scale| scale.expresses(weights));
            used.or_else(|| {
                let found = found(desired, present?);
                let explains = |scale: Scale| found.iter().all(|&(weight, sent)| scale.apply(weight) == sent);
                if explains(fresh) {
                    return Some(fresh);
                }
                Scale::recovered(found).filter(|scale| scale.expresses(weights))
            })
            .unwrap_or(fresh)
        }
    };
    Fit { scale, table_length }
}

/// The weights found, beside those they are to be. A weight of 0 on either side says nothing of the scale.
fn found(desired: &DesiredVip, present: &VipState) -> Vec<(Weight, u8)> {
    desired
        .servers
        .iter()
        .filter_map(|(address, server)| Some((server.weight, present.server(address)?.weight)))
        .filter(|&(weight, sent)| !weight.is_zero() && sent > 0)
        .collect()
}
