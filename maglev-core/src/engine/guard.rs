//! Pure. The guard against leaving a frontend without a server.
//!
//! A request that takes a frontend from "some server has effective weight" to "no server has" is refused, unless whoever
//! makes it says that this is meant. It is about requests of operators only: what a probe finds, and the end of what was
//! asked for a time, is never refused. A frontend that has no effective server already cannot be emptied, and neither
//! can one whose next pool takes over.

use std::collections::BTreeSet;
use std::fmt;

use crate::config::Member;
use crate::desired::BackendState;
use crate::engine::{Engine, FrontendStatus};
use crate::intent::{Mode, Request};
use crate::names::{BackendName, FrontendName};
use crate::net::Vip;
use crate::weight::Weight;

/// The frontends that a request may leave without a server.
#[derive(Clone, Copy)]
pub enum MayEmpty<'a> {
    /// None: a request that would is refused with [`CommandError::WouldEmpty`](super::CommandError::WouldEmpty).
    Nothing,
    /// Any: the guard is off.
    Anything,
    /// Those for which this is true.
    These(&'a dyn Fn(&FrontendName) -> bool),
}

impl MayEmpty<'_> {
    fn allows(&self, frontend: &FrontendName) -> bool {
        match self {
            MayEmpty::Nothing => false,
            MayEmpty::Anything => true,
            MayEmpty::These(allowed) => allowed(frontend),
        }
    }
}

impl fmt::Debug for MayEmpty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MayEmpty::Nothing => "Nothing",
            MayEmpty::Anything => "Anything",
            MayEmpty::These(_) => "These",
        })
    }
}

/// The most frontends that a sentence names.
const NAMED: usize = 20;

/// `frontend site`, `frontends blog, mail and site`, and for very many `frontends a, b … and 80 more`.
pub fn frontends_named(frontends: &[FrontendName]) -> String {
    match frontends {
        [one] => format!("frontend {one}"),
        many => {
            let mut names: Vec<String> = many.iter().take(NAMED).map(ToString::to_string).collect();
            let last = match many.len().checked_sub(NAMED) {
                None | Some(0) => names.pop().unwrap_or_default(),
                Some(more) => format!("{more} more"),
            };
            format!("frontends {} and {last}", names.join(", "))
        }
    }
}

impl Engine {
    /// The frontends with an effective server now and none in `after`, an engine that was made from this one by a change
    /// that is only considered, such as a reload. Frontends are compared by VIP, so that one with another name is the same;
    /// those that `after` does not have are not listed. The names are those of `after`.
    pub fn emptied_in(&self, after: &Engine) -> Vec<FrontendName> {
        let serving: BTreeSet<Vip> =
            self.frontends.values().filter(|frontend| frontend.is_served()).map(|f| f.config().vip).collect();
        let emptied = |vip: &Vip, served: bool| !served && serving.contains(vip);
        let frontends = after.frontends.values();
        frontends.filter(|f| emptied(&f.config().vip, f.is_served())).map(|f| f.name().clone()).collect()
    }

    /// The frontends that a request of an operator would leave without a server.
    pub(super) fn emptied_by_request(&self, backend: &BackendName, request: Request) -> Vec<FrontendName> {
        let mode = match request {
            Request::Pause => Mode::Paused,
            Request::Disable => Mode::Disabled,
            // They put a backend in service, or begin to.
            Request::Resume | Request::Enable => return Vec::new(),
        };
        let out = self.backends.get(backend).map(|status| BackendState::derive(mode, status.health()));
        let state = |member: &Member| match out {
            Some(out) if member.backend == *backend => out,
            _ => self.state_of(member),
        };
        let frontends = self.frontends_of(backend.as_str());
        let emptied = frontends
            .filter(|frontend| frontend.is_served())
            .filter(|frontend| !frontend.would_be_served(state, |_, _| None));
        emptied.map(|frontend| frontend.name().clone()).collect()
    }

    /// Whether another weight of a backend in a pool of a frontend would leave it without a server.
    pub(super) fn is_emptied_by_weight(&self, place: (&str, &str, &str), weight: Weight) -> bool {
        let (frontend, pool, backend) = place;
        let Some(frontend) = self.frontends.get(frontend).filter(|frontend| frontend.is_served()) else {
            return false;
        };
        let set = |index: usize, member: &Member| {
            let pool_is = frontend.config().pools.get(index).is_some_and(|p| p.name.as_str() == pool);
            (pool_is && member.backend.as_str() == backend).then_some(weight)
        };
        !frontend.would_be_served(|member| self.state_of(member), set)
    }

    /// Those of `emptied` that may not be left without a server.
    pub(super) fn protected(emptied: Vec<FrontendName>, may_empty: MayEmpty<'_>) -> Vec<FrontendName> {
        emptied.into_iter().filter(|frontend| !may_empty.allows(frontend)).collect()
    }

    /// Whether a member without a verdict could serve a frontend.
    pub(super) fn may_be_served(&self, frontend: &FrontendStatus) -> bool {
        let state = |member: &Member| match self.state_of(member) {
            BackendState::Unknown => BackendState::Up,
            state => state,
        };
        frontend.would_be_served(state, |_, _| None)
    }

    pub(super) fn state_of(&self, member: &Member) -> BackendState {
        self.backends.get(&member.backend).map_or(BackendState::Removed, |status| status.state())
    }
}

#[cfg(test)]
mod tests;
