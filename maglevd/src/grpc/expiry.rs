//! Pure. How long an operator's change is to hold.

use std::time::Duration;

use tonic::Status;

use crate::grpc::refusal::invalid;

/// The longest anybody may ask for, a leap year. Whoever means longer means for ever.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// What a request says of its end: nothing for ever.
pub(super) fn lasts(expires_in: Option<prost_types::Duration>) -> Result<Option<Duration>, Status> {
    let Some(span) = expires_in else { return Ok(None) };
    // By hand: the conversion of prost-types normalises first, and overflows on the least of all durations.
    let seconds = u64::try_from(span.seconds).ok();
    let nanos = u32::try_from(span.nanos).ok().filter(|&nanos| nanos < 1_000_000_000);
    match seconds.zip(nanos).map(|(seconds, nanos)| Duration::new(seconds, nanos)) {
        Some(span) if !span.is_zero() && span <= LONGEST => Ok(Some(span)),
        Some(_) | None => Err(invalid(
            "expires_in is more than nothing and at most 366 days; leave it out for what has no end",
        )),
    }
}

#[cfg(test)]
mod tests;
