//! Pure. What follows from writes: what is believed then, what is tried again, and when.
//!
//! Whatever was refused is tried again: the dataplane is observed and compared at once, and after each failure in a row later,
//! up to the interval of full comparisons. So is what was acknowledged and not done, which an observation finds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Dataplane, Planned, Round, SyncReport, Written};
use crate::engine::{Effect, Engine};
use crate::names::FrontendName;
use crate::net::Vip;
use crate::observed::Observed;
use crate::plan::{Operation, Step};
use crate::time::Time;

/// How long to wait after the second failure in a row, and twice as long after each further one. The first attempt after a
/// failure is made at once: most refusals are passing, and a drain waits for it.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// What is said of a step that is not sent since it would empty its VIP.
const WITHHELD: &str =
    "withheld: the VIP would have no server, since no other server of it has got its weight";

/// What a step is for: a frontend, or none of them.
type Subject = Option<FrontendName>;

/// What failed in a row, and how often.
#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    /// Rounds in which something was refused.
    refused: u32,
    /// Observations that did not find what had been acknowledged.
    undone: u32,
}

/// Failures in a row, by what they were about.
#[derive(Clone, Debug, Default)]
pub(super) struct Retries(BTreeMap<Subject, Failures>);

impl Retries {
    fn refused(&mut self, subject: Subject) {
        let failures = self.0.entry(subject).or_default();
        failures.refused = failures.refused.saturating_add(1);
    }

    fn undone(&mut self, subject: Subject) {
        let failures = self.0.entry(subject).or_default();
        failures.undone = failures.undone.saturating_add(1);
    }

    /// All of it was acknowledged.
    fn acknowledged(&mut self, subject: &Subject) {
        if let Some(failures) = self.0.get_mut(subject) {
            failures.refused = 0;
        }
    }

    fn succeeded(&mut self, subject: &Subject) {
        self.0.remove(subject);
    }

    fn of(&self, subject: &Subject) -> Failures {
        self.0.get(subject).copied().unwrap_or_default()
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&FrontendName) -> bool) {
        self.0.retain(|subject, _| subject.as_ref().is_none_or(&keep));
    }
}

impl Failures {
    /// How long to wait before the next attempt, or the next look at what was acknowledged; at most `most`.
    fn wait(self, most: Duration) -> Duration {
        match self.refused.max(self.undone) {
            0 | 1 => Duration::ZERO,
            failures => {
                let doubled = 2_u32.checked_pow(failures - 2).and_then(|times| FIRST_WAIT.checked_mul(times));
                doubled.unwrap_or(most).min(most)
            }
        }
    }
}

impl Dataplane {
    /// What is believed after an operation that was acknowledged.
    fn believe(&mut self, operation: &Operation) {
        let Some(believed) = &mut self.believed else { return };
        match *operation {
            Operation::AddServer { vip, address, weight }
            | Operation::SetWeight { vip, address, weight, .. } => {
                let before = believed.vip(&vip).and_then(|vip| vip.server(&address)).map_or(0, |s| s.weight);
                if weight == 0 {
                    self.memory.unconfirmed.remove(&(vip, address));
                } else if before == 0 || self.memory.unconfirmed.contains_key(&(vip, address)) {
                    self.memory.unconfirmed.insert((vip, address), weight);
                }
            }
            Operation::RemoveServer { vip, address, .. } => {
                self.memory.unconfirmed.remove(&(vip, address));
            }
            Operation::RemoveVip { vip } => self.memory.unconfirmed.retain(|(other, _), _| *other != vip),
            Operation::SetConf(_) | Operation::AddVip { .. } => {}
        }
        Arc::make_mut(believed).apply(operation);
    }

    /// Compares everything again after a while, unless that is due before.
    fn compare_again(&mut self, due: Time) {
        self.full_due = Some(self.full_due.map_or(due, |present| present.min(due)));
    }
}

impl Engine {
    /// Takes note of writes that were acknowledged and are not found.
    pub(super) fn find_undone(&mut self, now: Time, observed: &Observed) {
        for ((vip, address), weight) in std::mem::take(&mut self.dataplane.memory.unconfirmed) {
            let found = observed.vip(&vip).and_then(|vip| vip.server(&address)).map_or(0, |s| s.weight);
            let frontend = self.frontends.values().find(|frontend| frontend.config().vip == vip);
            if let Some(frontend) = frontend.filter(|_| found == 0).map(|frontend| frontend.name().clone()) {
                let text = format!("weight {weight} of server {address} was acknowledged and is not set");
                self.dataplane.note(&frontend, now, Some(text));
                self.dataplane.retries.undone(Some(frontend));
            }
        }
    }

    /// Ends a round: `steps` are those that were sent.
    pub(super) fn finish(&mut self, now: Time, steps: Vec<Written>, round: Round) {
        let Round { waiting, planned, flush, full } = round;
        // By subject the first reason; and all servers to which something was not done.
        let mut refused: BTreeMap<&Subject, &String> = BTreeMap::new();
        let mut undone: BTreeSet<(Vip, IpAddr)> = waiting.iter().filter_map(target).collect();
        for (step, result) in &steps {
            match result {
                Ok(()) => self.dataplane.believe(&step.operation),
                Err(reason) => {
                    refused.entry(&step.frontend).or_insert(reason);
                    undone.extend(target(step));
                }
            }
        }
        refused.keys().for_each(|subject| self.dataplane.retries.refused((*subject).clone()));
        if full && !refused.contains_key(&None) {
            self.dataplane.retries.succeeded(&None);
        }
        // What is to be looked at again soon.
        let mut again: BTreeSet<Subject> = refused.keys().map(|subject| (*subject).clone()).collect();
        again.extend(waiting.iter().map(|step| step.frontend.clone()));
        for Planned { frontend, vip, mut evicts } in planned {
            if self.frontends.get(&frontend).is_none_or(|present| present.config().vip != vip) {
                continue; // It has left since.
            }
            evicts.retain(|address| !undone.contains(&(vip, *address)));
            let dataplane = &mut self.dataplane;
            dataplane.memory.evicted.insert(vip, evicts);
            let subject = Some(frontend.clone());
            let unconfirmed = dataplane.memory.unconfirmed.keys().any(|(other, _)| *other == vip);
            if let Some(reason) = refused.get(&subject) {
                dataplane.note(&frontend, now, Some((*reason).clone()));
                continue;
            }
            dataplane.retries.acknowledged(&subject);
            if dataplane.retries.of(&subject).undone > 0 && unconfirmed {
                // It was acknowledged before, and not done.
                again.insert(subject);
            } else if !again.contains(&subject) {
                dataplane.retries.succeeded(&subject);
                dataplane.note(&frontend, now, None);
            }
        }
        let most = self.config.vpp.sync_interval;
        if let Some(wait) = again.iter().map(|subject| self.dataplane.retries.of(subject).wait(most)).min() {
            self.dataplane.compare_again(now + wait);
        }
        let unsent = flush.into_iter().filter(|target| undone.contains(target));
        self.dataplane.memory.flush.extend(unsent);
        self.report(now, full, steps, waiting);
    }

    /// Reports a round, or keeps it to be reported with the next one that follows at once.
    fn report(&mut self, now: Time, full: bool, steps: Vec<Written>, waiting: Vec<Step>) {
        let most = self.config.vpp.sync_interval;
        let dataplane = &mut self.dataplane;
        // What follows at once is no failure.
        let withheld: Vec<Step> = waiting
            .iter()
            .filter(|step| {
                let failures = dataplane.retries.of(&step.frontend);
                failures.refused > 0 || !failures.wait(most).is_zero()
            })
            .cloned()
            .collect();
        let follows = !waiting.is_empty() && withheld.is_empty();
        if follows && dataplane.unreported.is_empty() {
            dataplane.unreported = steps;
            return;
        }
        let mut all = std::mem::take(&mut dataplane.unreported);
        all.extend(steps);
        all.extend(withheld.into_iter().map(|step| (step, Err(WITHHELD.to_owned()))));
        if all.is_empty() && !full {
            return;
        }
        if full && !follows && all.iter().all(|(_, result)| result.is_ok()) {
            dataplane.last_full = Some(now);
        }
        let answers = dataplane.answered;
        self.effects.push_back(Effect::Synced(SyncReport { full, steps: all, answers }));
    }
}

fn target(step: &Step) -> Option<(Vip, IpAddr)> {
    step.operation.vip().zip(step.operation.server())
}

#[cfg(test)]
mod tests;
