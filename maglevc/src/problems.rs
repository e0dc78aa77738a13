//! Pure. From what a server says of everything to what is wrong with it.

use crate::render::plural;
use crate::render::weight::short;
use crate::view::backend::{Backend, Override};
use crate::view::config::ConfigCheck;
use crate::view::daemon::Version;
use crate::view::frontend::{Frontend, Pool};
use crate::view::problem::{Problem, ProblemKind, ProblemSeverity};
use crate::view::vpp::{LbState, Operations, VppInfo};
use crate::view::words::{self, BackendState, FrontendState, IntentKind, VppStatus};

/// What a server says of everything. What it does not say is left out.
#[derive(Default)]
pub(crate) struct Everything {
    /// The daemon.
    pub(crate) version: Option<Version>,
    /// The configuration file as it is on disk.
    pub(crate) check: Option<ConfigCheck>,
    /// Every frontend.
    pub(crate) frontends: Vec<Frontend>,
    /// Every backend.
    pub(crate) backends: Vec<Backend>,
    /// VPP.
    pub(crate) vpp: Option<VppInfo>,
    /// What VPP has.
    pub(crate) lb: Option<LbState>,
    /// What a sync would write.
    pub(crate) plan: Option<Operations>,
    /// What could not be found out, each with the server's sentence.
    pub(crate) unknown: Vec<(&'static str, String)>,
}

/// All that is not as it should be, the worst first.
pub(crate) fn problems(all: &Everything) -> Vec<Problem> {
    let mut found = Vec::new();
    config(all, &mut found);
    vpp(all, &mut found);
    all.frontends.iter().for_each(|one| frontend(one, &mut found));
    all.backends.iter().for_each(|one| backend(one, &mut found));
    for (what, sentence) in &all.unknown {
        found.push(Problem {
            severity: ProblemSeverity::Notice,
            kind: ProblemKind::Daemon,
            name: None,
            what: "not known".to_owned(),
            since: None,
            until: None,
            because: format!("{what}: {sentence}"),
        });
    }
    // Stable: in each kind as the server has them, which is by name.
    found.sort_by_key(|problem| (problem.severity, problem.kind));
    found
}

fn config(all: &Everything, found: &mut Vec<Problem>) {
    if let Some(version) = &all.version
        && !version.last_reload_successful
    {
        found.push(Problem {
            severity: ProblemSeverity::Bad,
            kind: ProblemKind::Config,
            name: version.config_path.clone(),
            what: "reload refused".to_owned(),
            since: None,
            until: None,
            because: "the daemon still runs on the configuration before it".to_owned(),
        });
    }
    let Some(check) = &all.check else { return };
    for diagnostic in check.diagnostics.iter().filter(|one| one.severity == words::Severity::Error) {
        let place = [diagnostic.line, diagnostic.column].into_iter().flatten();
        let place: String = place.map(|number| format!(":{number}")).collect();
        let key = diagnostic.key.as_ref().map_or_else(String::new, |key| format!("{key}: "));
        found.push(Problem {
            severity: ProblemSeverity::Bad,
            kind: ProblemKind::Config,
            name: Some(format!("{}{place}", diagnostic.file)),
            what: "not valid".to_owned(),
            since: None,
            until: None,
            because: format!("{key}{}", diagnostic.message),
        });
    }
    if check.changes.as_ref().is_some_and(|changes| !changes.is_empty()) {
        found.push(Problem {
            severity: ProblemSeverity::Notice,
            kind: ProblemKind::Config,
            name: all.version.as_ref().and_then(|version| version.config_path.clone()),
            what: "not loaded".to_owned(),
            since: None,
            until: None,
            because: "the file was changed; `config check` says what `config reload` would do".to_owned(),
        });
    }
}

fn vpp(all: &Everything, found: &mut Vec<Problem>) {
    let mut vpp = |severity, status: &VppInfo, what: &str, because: &str| {
        found.push(Problem {
            severity,
            kind: ProblemKind::Vpp,
            name: None,
            what: what.to_owned(),
            since: None,
            until: None,
            because: status.problem.clone().unwrap_or_else(|| because.to_owned()),
        });
    };
    if let Some(info) = &all.vpp {
        match info.status {
            VppStatus::Disconnected => {
                vpp(ProblemSeverity::Bad, info, "disconnected", "nothing is written to VPP")
            }
            VppStatus::Unsupported => {
                vpp(ProblemSeverity::Bad, info, "unsupported", "this VPP cannot be driven")
            }
            VppStatus::WarmingUp => {
                vpp(ProblemSeverity::Notice, info, "warming up", "what has no verdict yet is not written")
            }
            VppStatus::Off | VppStatus::Connected | VppStatus::Unspecified => {}
        }
    }
    for vip in all.lb.iter().flat_map(|lb| &lb.vips) {
        let Some(error) = &vip.sync_error else { continue };
        found.push(Problem {
            severity: ProblemSeverity::Bad,
            kind: ProblemKind::Sync,
            name: Some(vip.frontend.clone().unwrap_or_else(|| vip.prefix.clone())),
            what: "refused".to_owned(),
            since: None,
            until: None,
            because: error.clone(),
        });
    }
    if let Some(plan) = all.plan.as_ref().filter(|plan| !plan.operations.is_empty()) {
        found.push(Problem {
            severity: ProblemSeverity::Notice,
            kind: ProblemKind::Sync,
            name: None,
            what: "not in step".to_owned(),
            since: None,
            until: None,
            because: format!(
                "{} to VPP missing; `plan vpp lb state` lists them",
                plural(plan.operations.len(), "write")
            ),
        });
    }
}

fn frontend(one: &Frontend, found: &mut Vec<Problem>) {
    let preferred = one.pools.first().map(|pool| &pool.name);
    let (severity, what, because) = match (one.state, &one.active_pool) {
        (FrontendState::Down, _) => (
            ProblemSeverity::Bad,
            "down".to_owned(),
            format!("its traffic is dropped: {}", census(&one.pools)),
        ),
        (FrontendState::Unknown, _) => (
            ProblemSeverity::Notice,
            "unknown".to_owned(),
            "none of its backends has a verdict yet".to_owned(),
        ),
        (FrontendState::Up, Some(active)) if preferred != Some(active) => {
            let before: Vec<Pool> =
                one.pools.iter().take_while(|pool| pool.name != *active).cloned().collect();
            (
                ProblemSeverity::Bad,
                "on a spare pool".to_owned(),
                format!("pool {active} serves: {}", census(&before)),
            )
        }
        (FrontendState::Up | FrontendState::Unspecified, _) => return,
    };
    found.push(Problem {
        severity,
        kind: ProblemKind::Frontend,
        name: Some(one.name.clone()),
        what,
        since: one.since,
        until: None,
        because,
    });
}

/// How the backends of some pools are: `pool primary has 2 down and 1 paused`.
fn census(pools: &[Pool]) -> String {
    let count = |pool: &Pool| {
        let words = [BackendState::Down, BackendState::Disabled, BackendState::Paused, BackendState::Unknown];
        let mut parts: Vec<String> = words
            .into_iter()
            .map(|state| (state, pool.backends.iter().filter(|backend| backend.state == state).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        let zero = |backend: &&crate::view::frontend::PoolBackend| {
            backend.state == BackendState::Up && backend.weight.wanted() == 0
        };
        match pool.backends.iter().filter(zero).count() {
            0 => {}
            zero => parts.push(format!("{zero} at weight 0")),
        }
        format!("pool {} has {}", pool.name, parts.join(", "))
    };
    pools.iter().map(count).collect::<Vec<_>>().join("; ")
}

fn backend(one: &Backend, found: &mut Vec<Problem>) {
    let intent = one.intent.as_ref().filter(|intent| intent.kind != IntentKind::Enabled);
    let until = intent.and_then(|intent| intent.until);
    let mut problem = |severity, what: &str, because: String| {
        found.push(Problem {
            severity,
            kind: ProblemKind::Backend,
            name: Some(one.name.clone()),
            what: what.to_owned(),
            since: one.since,
            until,
            because,
        });
    };
    let wanted = intent.map(|intent| said(intent.by.as_deref(), intent.reason.as_deref()));
    let failed = one.last_probe.as_ref().filter(|probe| probe.success == Some(false));
    match one.state {
        BackendState::Down => {
            let probe = one.last_probe.as_ref().filter(|probe| probe.success != Some(true));
            let because = match probe {
                Some(probe) => format!("{} {}", probe.code, probe.detail),
                None => format!("{} of {} passes in a row so far", one.health.counter, one.health.rise),
            };
            problem(ProblemSeverity::Bad, "down", because);
        }
        BackendState::Unknown => {
            let because = match &one.last_probe {
                Some(probe) if probe.success.is_none() => format!("{} {}", probe.code, probe.detail),
                _ => "no verdict yet".to_owned(),
            };
            problem(ProblemSeverity::Notice, "unknown", because);
        }
        BackendState::Paused => problem(ProblemSeverity::Notice, "paused", wanted.unwrap_or_default()),
        // What the configuration disables is as it should be.
        BackendState::Disabled => {
            if let Some(wanted) = wanted {
                problem(ProblemSeverity::Notice, "disabled", wanted);
            }
        }
        BackendState::Up => {
            if let Some(probe) = failed {
                let left = one.health.counter.saturating_sub(one.health.rise.saturating_sub(1));
                let left = plural(left as usize, "more failure");
                problem(
                    ProblemSeverity::Notice,
                    "failing",
                    format!("{} {}; {left} and it is down", probe.code, probe.detail),
                );
            }
        }
        BackendState::Removed | BackendState::Unspecified => {}
    }
    for membership in &one.memberships {
        let Some(Override { weight, by, at, reason, until }) = &membership.weight.overridden else {
            continue;
        };
        found.push(Problem {
            severity: ProblemSeverity::Notice,
            kind: ProblemKind::Backend,
            name: Some(one.name.clone()),
            what: format!("weight {weight}"),
            since: *at,
            until: *until,
            because: format!(
                "instead of {} in {}, {}",
                membership.weight.configured,
                membership.frontend,
                said(by.as_deref(), reason.as_deref())
            ),
        });
    }
}

/// Who wants something, and why: `by alice: new kernel`.
fn said(by: Option<&str>, reason: Option<&str>) -> String {
    let by = by.map_or_else(|| "by an operator".to_owned(), |by| format!("by {}", short(by)));
    reason.map_or_else(|| by.clone(), |reason| format!("{by}: {reason}"))
}

#[cfg(test)]
mod tests;
