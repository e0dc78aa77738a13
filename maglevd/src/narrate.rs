//! Edge. One log line for each thing that happens.

use maglev_core::desired::{BackendState, FrontendState};
use maglev_core::engine::{Cause, Event, SyncReport, Transition};
use maglev_core::intent::Attribution;
use maglev_core::names::{BackendName, FrontendName, PoolName};

/// Writes the log line of an event.
pub fn narrate(event: &Event) {
    match event {
        Event::BackendAdded { backend, state, .. } => tracing::info!(%backend, %state, "backend added"),
        Event::BackendChanged { backend, transition } => transitioned(backend, transition),
        Event::IntentChanged { backend, request, attribution, ended, .. } => {
            let (by, reason) = (&attribution.by, &attribution.reason);
            if *ended {
                tracing::info!(%backend, %request, by, reason, "what an operator wanted has ended, and the configuration says the same");
            } else {
                tracing::info!(%backend, %request, by, reason, lasts = lasts(attribution), "what an operator wants has another end");
            }
        }
        Event::BackendRemoved { backend, transition } => {
            tracing::info!(%backend, from = %transition.from, to = %transition.to, "backend removed");
        }
        Event::FrontendAdded { frontend, state, pool, .. } => {
            tracing::info!(%frontend, %state, pool = name(pool.as_ref()), "frontend added");
        }
        Event::FrontendChanged { frontend, from, to, from_pool, to_pool, .. } => {
            let (from_pool, to_pool) = (name(from_pool.as_ref()), name(to_pool.as_ref()));
            match to {
                FrontendState::Down => {
                    tracing::warn!(%frontend, %from, %to, from_pool, to_pool, "frontend is down");
                }
                FrontendState::Unknown if *from == FrontendState::Up => {
                    tracing::warn!(%frontend, %from, %to, from_pool, to_pool, "frontend lost its last server");
                }
                FrontendState::Up | FrontendState::Unknown => {
                    tracing::info!(%frontend, %from, %to, from_pool, to_pool, "frontend changed");
                }
            }
        }
        Event::FrontendRemoved { frontend, state, .. } => {
            tracing::info!(%frontend, %state, "frontend removed");
        }
        Event::WeightSet { frontend, pool, backend, from, to, attribution, .. } => {
            tracing::info!(
                %frontend, %pool, %backend, from = from.get(), to = to.get(), by = attribution.by,
                reason = attribution.reason, lasts = lasts(attribution), "weight set"
            );
        }
        Event::WeightEnded { frontend, pool, backend, from, to, attribution, .. } => {
            tracing::info!(
                %frontend, %pool, %backend, from = from.get(), to = to.get(), by = attribution.by,
                reason = attribution.reason, "the time of a set weight is over"
            );
        }
        Event::WeightChanged { frontend, pool, backend, from, to, because, .. } => {
            tracing::debug!(
                %frontend, %pool, %backend, from = from.get(), to = to.get(), reason = %because,
                "effective weight changed"
            );
        }
    }
}

fn transitioned(backend: &BackendName, Transition { from, to, cause, .. }: &Transition) {
    let (code, detail) = explain(cause);
    match to {
        BackendState::Down => tracing::warn!(%backend, %from, %to, code, detail, "backend is down"),
        BackendState::Unknown
        | BackendState::Up
        | BackendState::Paused
        | BackendState::Disabled
        | BackendState::Removed => tracing::info!(%backend, %from, %to, code, detail, "backend changed"),
    }
}

/// The code, if a probe did it, and a sentence.
pub fn explain(cause: &Cause) -> (&'static str, String) {
    match cause {
        Cause::Probe { code, detail } => (code.as_str(), detail.clone()),
        Cause::Operator { request, attribution } => {
            let lasts = attribution.until.map(|_| format!(" for {}", lasts(attribution)));
            ("", format!("{request}{} {attribution}", lasts.unwrap_or_default()))
        }
        Cause::Expired { request, attribution } => ("", format!("{request} ended as asked {attribution}")),
        Cause::Config => ("", "the configuration changed".to_owned()),
    }
}

/// How long it was to last: `2h`, or `for ever`.
fn lasts(attribution: &Attribution) -> String {
    match attribution.until {
        Some(until) => humantime::format_duration(until.since(attribution.at)).to_string(),
        None => "for ever".to_owned(),
    }
}

fn name(pool: Option<&PoolName>) -> &str {
    pool.map_or("", PoolName::as_str)
}

/// Writes a log line for each operation that was written to VPP.
pub fn narrate_sync(report: &SyncReport) {
    for (step, result) in &report.steps {
        let (operation, reason) = (step.operation.to_string(), step.because.to_string());
        let frontend = step.frontend.as_ref().map_or("", FrontendName::as_str);
        match result {
            Ok(()) => tracing::info!(frontend, operation, reason, "written to VPP"),
            Err(error) => tracing::error!(frontend, operation, reason, error, "refused by VPP"),
        }
    }
    if report.full {
        tracing::debug!(operations = report.steps.len(), "compared with VPP");
    }
}
