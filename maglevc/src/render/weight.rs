//! Pure. Weights, why they are what they are, and who did something.

use crate::render::{Page, Span};
use crate::view::backend::Weight;
use crate::view::words::WeightReason;

/// The weight in effect, and the one it would have otherwise: `0 of 100`.
pub(crate) fn weight(weight: &Weight) -> Span {
    let wanted = weight.wanted();
    if weight.effective == wanted {
        Span::plain(wanted.to_string())
    } else {
        Span::plain(format!("{} of {wanted}", weight.effective))
    }
}

/// Why a weight is what it is, in words.
pub(crate) fn because(weight: &Weight, active_pool: Option<&str>, page: &Page) -> String {
    let reason = reason(weight.because, active_pool);
    match overridden(weight, page, |by| by) {
        Some(set) => format!("{reason}; {set}"),
        None => reason,
    }
}

/// A reason in words.
pub(crate) fn reason(because: WeightReason, active_pool: Option<&str>) -> String {
    match because {
        WeightReason::Active => "up in the active pool".to_owned(),
        WeightReason::Standby => match active_pool {
            Some(pool) => format!("standby: pool {pool} is active"),
            None => "standby: another pool is active".to_owned(),
        },
        WeightReason::Awaiting => "up, a pool before its own is waited for after the start".to_owned(),
        WeightReason::Zero => "its weight is set to 0".to_owned(),
        WeightReason::Unknown => "no verdict yet".to_owned(),
        WeightReason::Down => "it is down".to_owned(),
        WeightReason::Paused => "it is paused".to_owned(),
        WeightReason::Disabled => "it is disabled".to_owned(),
        WeightReason::Unspecified => String::new(),
    }
}

/// Who set a weight in place of the configured one: `10 instead of 100 by alice 3h1m ago: canary`.
pub(crate) fn overridden(weight: &Weight, page: &Page, name: fn(&str) -> &str) -> Option<String> {
    let set = weight.overridden.as_ref()?;
    let left = set.until.map(|until| page.until(until));
    let said = who(set.by.as_deref().map(name), page.age(set.at), left, set.reason.as_deref());
    Some(format!("{} instead of {} {said}", set.weight, weight.configured))
}

/// A name without what the daemon adds of the peer, `alice (unix socket, uid 1000)`, for which lists have no room.
pub(crate) fn short(by: &str) -> &str {
    by.split_once(" (").map_or(by, |(name, _)| name)
}

/// Who did something, when, why, and how long it still holds: `by alice 3m12s ago, 1h56m left: new kernel`.
pub(crate) fn who(by: Option<&str>, age: String, left: Option<String>, reason: Option<&str>) -> String {
    let by = by.map_or_else(String::new, |by| format!("by {by} "));
    let age = if age.is_empty() { age } else { format!("{age} ago") };
    let said = format!("{by}{age}");
    let left = left.map_or_else(String::new, |left| format!(", {left} left"));
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{}{left}{reason}", said.trim_end())
}
