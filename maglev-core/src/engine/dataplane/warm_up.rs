//! Pure. The time after the start in which verdicts come in, before everything may be written.

use std::collections::BTreeSet;

use crate::config::VppSettings;
use crate::desired::BackendState;
use crate::engine::{Engine, FrontendStatus};
use crate::names::FrontendName;
use crate::observed::Encapsulation;
use crate::time::Time;

/// When which frontend may be written.
#[derive(Clone, Debug)]
pub(super) struct WarmUp {
    /// Nothing is written before.
    not_before: Time,
    /// Everything may be written from then on.
    over_at: Time,
    /// Whether `not_before` has come.
    begun: bool,
    /// Frontends that may be written already.
    released: BTreeSet<FrontendName>,
}

impl WarmUp {
    pub(super) fn new(settings: &VppSettings, now: Time) -> Self {
        WarmUp {
            not_before: now + settings.startup_min_delay,
            over_at: now + settings.startup_max_delay,
            begun: false,
            released: BTreeSet::new(),
        }
    }

    /// When to look again.
    pub(super) const fn next(&self) -> Time {
        if self.begun { self.over_at } else { self.not_before }
    }

    pub(super) fn has_released(&self, frontend: &FrontendName) -> bool {
        self.released.contains(frontend)
    }

    pub(super) fn has_released_nothing(&self) -> bool {
        self.released.is_empty()
    }

    pub(super) fn rename(&mut self, name: impl Fn(FrontendName) -> FrontendName) {
        self.released = std::mem::take(&mut self.released).into_iter().map(name).collect();
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&FrontendName) -> bool) {
        self.released.retain(keep);
    }
}

impl Engine {
    /// Lets frontends be written whose time has come. Unless it looks at `all` of them, only at those that changed.
    pub(super) fn warm_up(&mut self, now: Time, all: bool) {
        let dataplane = &mut self.dataplane;
        let Some(warm_up) = dataplane.warm_up.as_mut().filter(|warm_up| warm_up.not_before <= now) else {
            return;
        };
        if warm_up.over_at <= now {
            dataplane.warm_up = None;
            dataplane.full_due = Some(now);
            return;
        }
        let all = all || !std::mem::replace(&mut warm_up.begun, true);
        let released: Vec<FrontendName> = if all {
            self.frontends.values().flat_map(|frontend| self.ready(frontend)).collect()
        } else {
            let dirty = self.dataplane.dirty.iter().filter_map(|name| self.frontends.get(name));
            dirty.flat_map(|frontend| self.ready(frontend)).collect()
        };
        let dataplane = &mut self.dataplane;
        let Some(warm_up) = dataplane.warm_up.as_mut() else { return };
        for name in released {
            if warm_up.released.is_empty() {
                // With the first frontend goes what is not about one: parameters, and what nobody wants any more.
                dataplane.full_due = Some(now);
            }
            if warm_up.released.insert(name.clone()) {
                dataplane.dirty.insert(name);
            }
        }
    }

    /// The frontends that may be written because all backends of `frontend` have a verdict: itself.
    ///
    /// But VPP lets no two VIPs on one prefix have different encapsulations. So where that changes, all frontends on the
    /// prefix have to go together; the first to go alone would be taken down and could not be put up again.
    fn ready(&self, frontend: &FrontendStatus) -> Vec<FrontendName> {
        let Some(believed) = &self.dataplane.believed else { return Vec::new() };
        let waits = self.dataplane.warm_up.as_ref().is_some_and(|w| !w.has_released(frontend.name()));
        if !waits || !self.has_verdicts(frontend) {
            return Vec::new();
        }
        let (prefix, encap) = (frontend.config().vip.prefix, Encapsulation::Gre(frontend.config().encap()));
        if believed.on_prefix(prefix).all(|vip| vip.encap == encap) {
            return vec![frontend.name().clone()];
        }
        let neighbours = || self.frontends.values().filter(|other| other.config().vip.prefix == prefix);
        if neighbours().all(|neighbour| self.has_verdicts(neighbour)) {
            neighbours().map(|neighbour| neighbour.name().clone()).collect()
        } else {
            Vec::new()
        }
    }

    fn has_verdicts(&self, frontend: &FrontendStatus) -> bool {
        let state = |backend| self.backends.get(backend).map(|backend| backend.state());
        frontend.config().members().all(|(_, member)| state(&member.backend) != Some(BackendState::Unknown))
    }
}
