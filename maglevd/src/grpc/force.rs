//! Edge. Changes that may leave frontends without a server, because the client says that this is meant.

use maglev_core::engine::frontends_named;
use maglev_core::names::FrontendName;
use maglev_core::pattern::Pattern;
use tonic::{Code, Status};

use crate::control::Force;
use crate::grpc::refusal::{invalid, status};

/// What a request says with `force` and `force_frontends`, of a caller who may change the frontends `within` its patterns.
pub(super) fn forced(
    force: bool,
    frontends: Vec<String>,
    within: Vec<Pattern>,
) -> Result<Option<Force>, Status> {
    if !force && !frontends.is_empty() {
        return Err(invalid("force_frontends says what `force` is for: set `force` too, or leave it out"));
    }
    Ok(force.then_some(Force { frontends, within }))
}

/// The refusal of a forced change that would leave frontends without a server which the caller may not change. `None`
/// where it may change all of them.
pub(super) fn out_of_bounds(force: &Force, emptied: &[FrontendName]) -> Option<Status> {
    let outside: Vec<FrontendName> = emptied.iter().filter(|name| !force.permits(name)).cloned().collect();
    if outside.is_empty() {
        return None;
    }
    let text = format!(
        "{} would have no server left, and the access file does not let you change {}: ask an admin who may",
        frontends_named(&outside),
        if outside.len() == 1 { "it" } else { "them" }
    );
    Some(status(Code::PermissionDenied, &text))
}

#[cfg(test)]
mod tests;
