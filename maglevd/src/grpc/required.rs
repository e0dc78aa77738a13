//! Edge. Fields that a request cannot do without. In proto3 an absent one reads as empty or 0, which could be meant.

use maglev_core::weight::Weight;
use tonic::Status;

use crate::grpc::refusal::invalid;

/// Refuses an empty name. `what` says whose it is.
pub(super) fn present(field: &str, what: &str, name: &str) -> Result<(), Status> {
    if name.is_empty() {
        return Err(invalid(&format!("{field} is empty: set it to the name of {what}")));
    }
    Ok(())
}

/// The weight of a request.
pub(super) fn weight(weight: Option<u32>) -> Result<Weight, Status> {
    let weight = weight.ok_or_else(|| invalid("weight is not set: give a number from 0 to 100"))?;
    Weight::try_from(i64::from(weight)).map_err(|error| invalid(&error.to_string()))
}
