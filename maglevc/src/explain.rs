//! Pure. From what a server says of a backend and its frontends to the causes of its weights.

use crate::impact;
use crate::render::plural;
use crate::render::units::{age, interval, percent};
use crate::render::weight::short;
use crate::view::Time;
use crate::view::backend::{Backend, Membership};
use crate::view::check::HealthCheck;
use crate::view::explanation::{Change, Explanation, Link, Place};
use crate::view::frontend::Frontend;
use crate::view::vpp::LbState;
use crate::view::words::{BackendState, IntentKind, WeightReason};

/// What an explanation is made from.
pub(crate) struct Facts<'a> {
    /// The backend.
    pub(crate) backend: &'a Backend,
    /// Its health check, if it has one and the server tells.
    pub(crate) check: Option<&'a HealthCheck>,
    /// The frontends to explain.
    pub(crate) frontends: &'a [Frontend],
    /// What VPP has, if the server tells.
    pub(crate) lb: Option<&'a LbState>,
    /// When this is.
    pub(crate) now: jiff::Timestamp,
}

/// Explains the weights of a backend.
pub(crate) fn explain(facts: &Facts<'_>) -> Explanation {
    let places = facts.frontends.iter().flat_map(|frontend| {
        let here = facts.backend.memberships.iter().filter(|place| place.frontend == frontend.name);
        here.map(|membership| facts.place(frontend, membership))
    });
    Explanation { backend: facts.backend.name.clone(), state: facts.backend.state, places: places.collect() }
}

impl Facts<'_> {
    fn place(&self, frontend: &Frontend, membership: &Membership) -> Place {
        let mut causes = self.weight(membership);
        causes.push(self.intent());
        causes.push(self.health());
        causes.push(pool(frontend, membership));
        causes.extend(self.vpp(frontend, membership));
        Place {
            frontend: frontend.name.clone(),
            pool: membership.pool.clone(),
            weight: membership.weight.clone(),
            causes,
            changes: self.changes(frontend, membership),
        }
    }

    fn weight(&self, membership: &Membership) -> Vec<Link> {
        let weight = &membership.weight;
        let configured = weight.configured;
        let mut links = vec![Link {
            cause: "configured",
            passes: configured > 0 || weight.overridden.is_some(),
            finding: format!("the configuration gives it weight {configured}"),
        }];
        if let Some(set) = &weight.overridden {
            let who = self.said(set.by.as_deref(), set.at, set.until, set.reason.as_deref());
            let finding = format!("weight {} instead, set {who}", set.weight);
            links.push(Link { cause: "override", passes: set.weight > 0, finding });
        }
        links
    }

    fn intent(&self) -> Link {
        let (passes, finding) = match &self.backend.intent {
            Some(intent) => {
                let who = self.said(intent.by.as_deref(), intent.at, intent.until, intent.reason.as_deref());
                (intent.kind == IntentKind::Enabled, format!("{} {who}", intent.kind))
            }
            None if !self.backend.enabled => (false, "disabled by the configuration".to_owned()),
            None => (true, "no operator wants anything else".to_owned()),
        };
        Link { cause: "intent", passes, finding }
    }

    fn health(&self) -> Link {
        let backend = self.backend;
        let probe = backend.last_probe.as_ref().map(|probe| {
            let ago = self.ago(probe.at);
            format!(": {} {}{ago}", probe.code, probe.detail)
        });
        let finding = match backend.state {
            _ if backend.health_check.is_none() => "it has no check and is always up".to_owned(),
            BackendState::Paused | BackendState::Disabled => "it is not probed".to_owned(),
            state => format!(
                "{state}, counter {} of {}{}",
                backend.health.counter,
                backend.health.full,
                probe.unwrap_or_default()
            ),
        };
        Link { cause: "health", passes: backend.state == BackendState::Up, finding }
    }

    fn vpp(&self, frontend: &Frontend, membership: &Membership) -> Option<Link> {
        let vip = self.lb?.vips.iter().find(|vip| vip.frontend.as_ref() == Some(&frontend.name))?;
        let server = vip.servers.iter().find(|server| server.backend.as_ref() == Some(&self.backend.name));
        let finding = match (&vip.sync_error, server) {
            (Some(error), _) => format!("VPP refused the last sync: {error}"),
            (None, None) => "VPP does not have it; `plan vpp lb state` says what is to come".to_owned(),
            (None, Some(server)) => {
                let behind = (server.weight > 0) != (membership.weight.effective > 0);
                let behind = if behind { "; that is to change: `plan vpp lb state`" } else { "" };
                let (weight, buckets, length) = (server.weight, server.buckets, vip.table_length);
                let share = percent(server.share);
                format!(
                    "VPP has it with weight {weight} and {buckets} of {length} buckets, {share} of new flows{behind}"
                )
            }
        };
        Some(Link { cause: "vpp", passes: server.is_some_and(|server| server.buckets > 0), finding })
    }

    fn changes(&self, frontend: &Frontend, membership: &Membership) -> Vec<Change> {
        let name = &self.backend.name;
        let rise = self.backend.health.rise;
        let once_up = self.once_up(frontend, membership);
        let change = |what: String, effect: &str| Change { what, effect: effect.to_owned() };
        match membership.weight.because {
            WeightReason::Active => {
                let lost = impact::active(frontend, |_, other| impact::serves(other) && other.name != *name);
                let effect = match lost {
                    None => "weight 0, and the frontend has nowhere to send traffic to".to_owned(),
                    Some(pool) if pool.name == membership.pool => {
                        "weight 0; its share goes to the others of its pool".to_owned()
                    }
                    Some(pool) => format!("weight 0, and pool {} takes over", pool.name),
                };
                let down = self.backend.health.counter.saturating_sub(rise.saturating_sub(1));
                let down = format!("{} in a row", plural(down as usize, "failed probe"));
                let mut all = Vec::new();
                if self.backend.health_check.is_some() {
                    all.push(change(down, &effect));
                }
                all.push(change(format!("`set backend {name} pause`"), &effect));
                all
            }
            WeightReason::Standby => {
                let before = frontend.pools.iter().take_while(|pool| pool.name != membership.pool);
                let holding: Vec<&str> = before
                    .flat_map(|pool| &pool.backends)
                    .filter(|backend| impact::serves(backend))
                    .map(|backend| backend.name.as_str())
                    .collect();
                let what =
                    format!("the pools before it having nobody up any more (now {})", holding.join(", "));
                vec![change(what, &format!("weight {}", membership.weight.wanted()))]
            }
            WeightReason::Awaiting => vec![change(
                "verdicts on the pools before it, or `startup-max-delay` after the start".to_owned(),
                &format!("weight {} if none of them is up", membership.weight.wanted()),
            )],
            WeightReason::Zero => vec![change(
                format!(
                    "`set frontend {} pool {} backend {name} weight N`",
                    membership.frontend, membership.pool
                ),
                "weight N",
            )],
            WeightReason::Unknown => {
                vec![
                    change(format!("one passed probe{}", self.next()), &once_up),
                    change("one failed probe".to_owned(), "down, weight 0"),
                ]
            }
            WeightReason::Down => {
                let passes = rise.saturating_sub(self.backend.health.counter).max(1);
                let passes = match passes {
                    1 => "one passed probe".to_owned(),
                    passes => format!("{passes} passed probes in a row"),
                };
                vec![change(format!("{passes}{}", self.next()), &once_up)]
            }
            WeightReason::Paused => vec![change(self.undone("resume"), &once_up)],
            WeightReason::Disabled => vec![change(self.undone("enable"), &once_up)],
            WeightReason::Unspecified => Vec::new(),
        }
    }

    /// What puts a backend back that an operator took out.
    fn undone(&self, command: &str) -> String {
        let intent = self.backend.intent.as_ref().filter(|intent| intent.kind != IntentKind::Enabled);
        let ends = intent.and_then(|intent| intent.until);
        let by_itself = ends.map_or_else(String::new, |until| format!(" or {} of time", self.left(until)));
        format!("`set backend {} {command}`{by_itself}, and one passed probe", self.backend.name)
    }

    /// What the weight will be when the backend is up.
    fn once_up(&self, frontend: &Frontend, membership: &Membership) -> String {
        let wanted = membership.weight.wanted();
        if wanted == 0 {
            return "up, and still weight 0: that is what is set".to_owned();
        }
        let active = impact::active(frontend, |pool, other| {
            impact::serves(other) || (pool.name == membership.pool && other.name == self.backend.name)
        });
        match active {
            Some(pool) if pool.name != membership.pool => {
                format!("up, and standby while pool {} is active", pool.name)
            }
            _ => format!("weight {wanted}"),
        }
    }

    /// When the next probe is, and how often there is one: `, the next in 26s, then every 30s`.
    fn next(&self) -> String {
        let next = self
            .backend
            .next_probe_at
            .map(|Time(at)| format!(", the next in {}", age(at.duration_since(self.now).as_secs())));
        let every = self.check.and_then(|check| match self.backend.state {
            BackendState::Down if self.backend.health.counter == 0 => check.down_interval_seconds,
            _ => check.fast_interval_seconds,
        });
        let every = every.map(|seconds| format!(", one every {}", interval(seconds)));
        format!("{}{}", next.unwrap_or_default(), every.unwrap_or_default())
    }

    fn said(&self, by: Option<&str>, at: Option<Time>, until: Option<Time>, reason: Option<&str>) -> String {
        let by = by.map_or_else(|| "by an operator".to_owned(), |by| format!("by {}", short(by)));
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let left = until.map_or_else(String::new, |until| format!(", {} left", self.left(until)));
        format!("{by}{}{left}{reason}", self.ago(at))
    }

    fn left(&self, Time(until): Time) -> String {
        age(until.duration_since(self.now).as_secs())
    }

    fn ago(&self, at: Option<Time>) -> String {
        at.map_or_else(String::new, |Time(at)| {
            format!(", {} ago", age(self.now.duration_since(at).as_secs()))
        })
    }
}

fn pool(frontend: &Frontend, membership: &Membership) -> Link {
    let (passes, finding) = match &frontend.active_pool {
        Some(active) if *active == membership.pool => (true, format!("pool {active} is active")),
        Some(active) => {
            let order = |name: &str| frontend.pools.iter().position(|pool| pool.name == name);
            let before = order(active) < order(&membership.pool);
            let why = if before {
                "it comes first and has a backend that is up"
            } else {
                "this pool has nobody up"
            };
            (false, format!("pool {active} is active: {why}"))
        }
        None => (true, "no pool is active: the first with a backend that is up will be".to_owned()),
    };
    Link { cause: "pool", passes, finding }
}

#[cfg(test)]
mod tests;
