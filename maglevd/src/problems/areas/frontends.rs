//! Pure. Frontends that lose traffic, or are about to.

use maglev_core::config::Pool;
use maglev_core::desired::{BackendState, Decision, FrontendState, Reason};
use maglev_core::engine::{BackendStatus, Engine, FrontendStatus};

use crate::clock::Reading;
use crate::problems::{Problem, ProblemCode};

/// Frontends that are down, unknown, or served by a pool after the first.
pub(in crate::problems) fn frontends(engine: &Engine, reading: Reading, found: &mut Vec<Problem>) {
    for frontend in engine.frontends() {
        let decision = frontend.decision();
        let (code, because) = match (decision.state, decision.active) {
            (FrontendState::Down, _) => (
                ProblemCode::FrontendDown,
                format!("its traffic is dropped: {}", census(engine, frontend, usize::MAX)),
            ),
            (FrontendState::Unknown, _) => {
                (ProblemCode::FrontendUnknown, "none of its backends has a verdict yet".to_owned())
            }
            (FrontendState::Up, Some(active)) if active > 0 => {
                let pool = frontend.active_pool().map(ToString::to_string).unwrap_or_default();
                let because = format!("pool {pool} serves: {}", census(engine, frontend, active));
                (ProblemCode::FrontendOnSpare, because)
            }
            (FrontendState::Up, _) => continue,
        };
        found.push(
            Problem::new(code, because).named(frontend.name().as_str()).since(reading.wall(frontend.since())),
        );
    }
}

/// How the backends of the first pools are: `pool primary has 2 down and 1 paused`.
fn census(engine: &Engine, frontend: &FrontendStatus, pools: usize) -> String {
    let pools = frontend.config().pools.iter().zip(&frontend.decision().pools).take(pools);
    pools.map(|(pool, decisions)| count(engine, pool, decisions)).collect::<Vec<_>>().join("; ")
}

fn count(engine: &Engine, pool: &Pool, decisions: &[Decision]) -> String {
    let state = |name: &str| engine.backend(name).map_or(BackendState::Removed, BackendStatus::state);
    let counted = [BackendState::Down, BackendState::Disabled, BackendState::Paused, BackendState::Unknown];
    let mut parts: Vec<String> = counted
        .into_iter()
        .map(|one| (one, pool.members.iter().filter(|member| state(member.backend.as_str()) == one).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let zero = decisions.iter().filter(|decision| matches!(decision.because, Reason::Zero)).count();
    if zero > 0 {
        parts.push(format!("{zero} at weight 0"));
    }
    format!("pool {} has {}", pool.name, parts.join(", "))
}
