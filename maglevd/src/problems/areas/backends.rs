//! Pure. Backends that are down, about to go down, not probed, or kept from traffic by an operator.

use std::time::Duration;

use maglev_core::check::WhenUnprobeable;
use maglev_core::desired::BackendState;
use maglev_core::engine::{BackendStatus, Engine, FrontendStatus, KeptIntents, KeptWeight};
use maglev_core::intent::{Admin, Attribution};
use maglev_core::outcome::{Code, Verdict};

use super::plural;
use crate::clock::Reading;
use crate::problems::{Problem, ProblemCode};

/// A backend that went down more often than [`FLAPS`] in this time flaps, as the alert has it.
const FLAP_WINDOW: Duration = Duration::from_secs(15 * 60);
const FLAPS: usize = 2;

/// A share of backends whose last probe could not be made above which probing is blind, in percent, as the alert has it.
const BLIND: usize = 90;

/// Every backend that is not as configured, and the weights that operators set.
pub(in crate::problems) fn backends(engine: &Engine, reading: Reading, found: &mut Vec<Problem>) {
    for backend in engine.backends() {
        states(backend, reading, found);
        flapping(backend, reading, found);
    }
    blind(engine, found);
    engine.frontends().for_each(|frontend| weights(frontend, reading, found));
    kept(engine, reading, found);
}

/// Operator intent for what is not in the configuration: it applies again when the name and the address return.
fn kept(engine: &Engine, reading: Reading, found: &mut Vec<Problem>) {
    let mut add = |name: &str, because: String, left_at, kept_until| {
        found.push(
            Problem::new(ProblemCode::IntentKept, because)
                .named(name)
                .since(reading.wall(left_at))
                .until(Some(reading.wall(kept_until))),
        );
    };
    let KeptIntents { backends, weights } = engine.kept_intents();
    for kept in backends {
        let Some((request, who)) = kept.intent.in_force() else { continue };
        let because = format!("{request} {who}; the backend is not in the configuration");
        add(kept.backend.as_str(), because, kept.left_at, kept.kept_until());
    }
    for kept in weights {
        let KeptWeight { frontend, pool, backend, weight, .. } = kept;
        let (who, weight) = (&weight.attribution, weight.weight.get());
        let because = format!(
            "weight {weight} in pool {pool} of {frontend} {who}; it is not a member of that pool any more"
        );
        add(backend.as_str(), because, kept.left_at, kept.kept_until());
    }
}

fn states(backend: &BackendStatus, reading: Reading, found: &mut Vec<Problem>) {
    let since = reading.wall(backend.since());
    let mut add = |code, because: String| {
        found.push(Problem::new(code, because).named(backend.name().as_str()).since(since));
    };
    let probe = backend.last_probe().map(|probe| &probe.outcome);
    let said = probe.map(|probe| format!("{} {}", probe.code, probe.detail));
    let verdict = probe.map(|probe| probe.verdict());
    match backend.state() {
        BackendState::Down => {
            let because = match (said.clone(), verdict, backend.counter()) {
                (Some(said), Some(Verdict::Fail), _) => said,
                (_, Some(Verdict::Inconclusive), _) => "its last verdict was down".to_owned(),
                (_, _, Some(counter)) => {
                    format!("{} of {} passes in a row so far", counter.value(), counter.rise())
                }
                (_, _, None) => String::new(),
            };
            add(ProblemCode::BackendDown, because);
        }
        BackendState::Unknown if backend.unprobeable().is_none() => {
            add(ProblemCode::BackendUnknown, "no verdict yet".to_owned());
        }
        BackendState::Up if verdict == Some(Verdict::Fail) => {
            if let (Some(said), Some(counter)) = (said.clone(), backend.counter()) {
                let left = counter.value().saturating_sub(counter.rise().saturating_sub(1));
                let left = plural(left as usize, "more failure");
                add(ProblemCode::BackendFailing, format!("{said}; {left} and it is down"));
            }
        }
        BackendState::Paused | BackendState::Disabled => return intent(backend, reading, found),
        BackendState::Unknown | BackendState::Up | BackendState::Removed => {}
    }
    if let Some(unprobeable) = backend.unprobeable() {
        let held = match backend.config().check.as_ref().map(|check| check.unprobeable) {
            Some(WhenUnprobeable::Down) => "each such probe counts as a failure".to_owned(),
            Some(WhenUnprobeable::Hold) | None => {
                format!("its state is the last one known, {}", backend.state())
            }
        };
        let because = format!("{} {}; {held}", Code::SockErr, unprobeable.reason);
        let problem = Problem::new(ProblemCode::BackendUnprobed, because);
        found.push(problem.named(backend.name().as_str()).since(reading.wall(unprobeable.since)));
    }
}

/// What an operator asked of a backend. What the configuration disables is as it should be.
fn intent(backend: &BackendStatus, reading: Reading, found: &mut Vec<Problem>) {
    let intent = backend.intent();
    let wanted = match (&intent.admin, &intent.paused, backend.state()) {
        (Some(Admin::Disabled(who)), _, BackendState::Disabled) => Some((ProblemCode::BackendDisabled, who)),
        (_, Some(who), BackendState::Paused) => Some((ProblemCode::BackendPaused, who)),
        _ => None,
    };
    let Some((code, who)) = wanted else { return };
    let remedy = code.remedy().replace("NAME", backend.name().as_str());
    found.push(
        Problem::new(code, who.to_string())
            .named(backend.name().as_str())
            .since(reading.wall(backend.since()))
            .until(until(who, reading))
            .with_remedy(remedy),
    );
}

fn until(who: &Attribution, reading: Reading) -> Option<std::time::SystemTime> {
    who.until.map(|until| reading.wall(until))
}

fn flapping(backend: &BackendStatus, reading: Reading, found: &mut Vec<Problem>) {
    let downs = backend.transitions().filter(|transition| {
        (transition.from, transition.to) == (BackendState::Up, BackendState::Down)
            && reading.now().since(transition.at) < FLAP_WINDOW
    });
    let times: Vec<_> = downs.map(|transition| transition.at).collect();
    if let Some(first) = times.last()
        && times.len() > FLAPS
    {
        let because = format!("it went down {} times in 15 minutes", times.len());
        found.push(
            Problem::new(ProblemCode::BackendFlapping, because)
                .named(backend.name().as_str())
                .since(reading.wall(*first)),
        );
    }
}

fn blind(engine: &Engine, found: &mut Vec<Problem>) {
    let probed = engine.backends().filter(|backend| backend.last_probe().is_some());
    let (mut all, mut blind) = (0_usize, 0_usize);
    for backend in probed {
        all += 1;
        blind += usize::from(backend.unprobeable().is_some());
    }
    if all > 0 && blind * 100 > all * BLIND {
        let because = format!("the last probes of {blind} of {} could not be made", plural(all, "backend"));
        found.push(Problem::new(ProblemCode::ProbingBlind, because));
    }
}

fn weights(frontend: &FrontendStatus, reading: Reading, found: &mut Vec<Problem>) {
    for (pool, member) in frontend.config().members() {
        let Some(own) = frontend.override_of(&pool.name, &member.backend) else { continue };
        let who = &own.attribution;
        let because =
            format!("instead of {} in pool {} of {}, {who}", member.weight.get(), pool.name, frontend.name());
        found.push(
            Problem::new(ProblemCode::WeightOverridden, because)
                .named(member.backend.as_str())
                .described_as(format!("weight {}", own.weight.get()))
                .since(reading.wall(who.at))
                .until(until(who, reading)),
        );
    }
}
