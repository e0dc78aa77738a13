//! Edge. Waiting for what should become true.

use std::fmt::Debug;
use std::panic::Location;
use std::time::Duration;

use tokio::time::Instant;

/// How often to look. Short against any interval in a test, long against what a look costs.
const PAUSE: Duration = Duration::from_millis(10);

/// Generous: for what has no bound of its own, on a machine that is busy with other things.
pub const SOON: Duration = Duration::from_secs(15);

/// Looks until `look` finds what it looks for, and returns that. Panics at the caller's line when `within` is over, with
/// what was last seen in its place.
#[track_caller]
pub fn eventually<T, S: Debug>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, S>,
) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let begun = Instant::now();
        loop {
            let late = begun.elapsed() >= within;
            match look().await {
                Ok(found) => return found,
                Err(seen) if late => panic!("{caller}: no {what} within {within:?}; last seen: {seen:#?}"),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}
