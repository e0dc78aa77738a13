//! Pure. The backends of another configuration: which of them are new, renamed, changed or gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::kept::KeptIntent;
use super::lineage::{self, Identity};
use super::{ReloadDanger, ReloadNote, ReloadReport, SavedIdentity};
use crate::check::Fingerprint;
use crate::config::Backend;
use crate::engine::{BackendStatus, Cause, Engine, Event, Intents, Verdict, Verdicts};
use crate::intent::Intent;
use crate::names::BackendName;
use crate::time::Time;

/// First probes are spread over their interval, but over no more than this: after a restart everything has to be known
/// well before what is unknown counts as down in the dataplane (`startup-max-delay`, 30 s by default).
const LONGEST_FIRST_SPREAD: Duration = Duration::from_secs(5);

/// The new name of each backend of before that is still there.
pub(super) type Renamed = BTreeMap<BackendName, BackendName>;

/// Intent for a backend that is not in the new configuration.
struct Left {
    backend: BackendName,
    identity: Option<Identity>,
    intent: Intent,
}

impl Engine {
    /// Takes the backends of the configuration.
    pub(super) fn install_backends(
        &mut self,
        (intents, verdicts): (&mut Intents, Verdicts),
        seen_anew: bool,
        report: &mut ReloadReport,
        now: Time,
    ) -> Renamed {
        let config = Arc::clone(&self.config);
        let old = self.old_identities(intents);
        let new: BTreeMap<_, _> =
            config.backends.iter().map(|(name, backend)| (name.clone(), Identity::of(backend))).collect();
        let mut origins = lineage::backends(&old, &new);
        // A backend that returns under its name and address is that one, also where another has its address meanwhile.
        origins.retain(|name, origin| {
            let address = new.get(name).map(|identity| identity.address);
            let stays = name == origin && old.get(origin).map(|identity| identity.address) == address;
            stays || !address.is_some_and(|address| self.kept.has(name, address))
        });
        let renamed: Renamed = origins.iter().map(|(new, old)| (old.clone(), new.clone())).collect();

        let mut left = self.remove_backends(intents, &renamed, &old, now);
        self.rename_backends(&renamed, report, now);
        let mut verdicts = SavedVerdicts::new(verdicts, &config.backends);
        for (name, backend) in &config.backends {
            let origin = origins.get(name);
            let saved = origin.and_then(|origin| {
                intents.identities.remove(origin);
                intents.backends.remove(origin)
            });
            if let (Some(origin), Some(_)) = (origin.filter(|origin| *origin != name), &saved) {
                report.notes.push(ReloadNote::BackendRenamed { from: origin.clone(), to: name.clone() });
            }
            let back = || {
                let intent = self.kept.take(name, backend.address)?;
                let (backend, intent) = (name.clone(), intent);
                report.notes.push(ReloadNote::IntentRestored { backend, intent: intent.clone() });
                Some(intent)
            };
            let intent = saved.or_else(|| origin.is_none().then(back).flatten()).unwrap_or_default();
            let verdict = verdicts.take(backend, config.health.netns.as_deref());
            self.install_backend(backend, (intent, verdict), seen_anew, now);
            if let Some(status) = self.backends.get_mut(name).map(Arc::make_mut) {
                status.limit_history(config.health.transition_history);
            }
            self.reschedule(name);
        }
        left.extend(std::mem::take(&mut intents.backends).into_iter().map(|(backend, intent)| Left {
            identity: intents.identities.get(&backend).map(|&SavedIdentity(identity)| identity),
            backend,
            intent,
        }));
        self.keep_intents(left, &old, &new, &origins, report, now);
        renamed
    }

    /// What the backends of before were: those of the engine, or at the start those with intent.
    fn old_identities(&self, intents: &Intents) -> BTreeMap<BackendName, Identity> {
        let saved = intents.backends.keys().filter_map(|name| {
            let saved = intents.identities.get(name).map(|&SavedIdentity(identity)| identity);
            // A file of an earlier version has no identities: the name has to do.
            let identity = saved.or_else(|| self.config.backends.get(name).map(Identity::of))?;
            Some((name.clone(), identity))
        });
        let present = self.backends.values().map(|b| (b.name().clone(), Identity::of(b.config())));
        present.chain(saved).collect()
    }

    /// Removes the backends that are not in the configuration, and returns the intent for them.
    fn remove_backends(
        &mut self,
        intents: &Intents,
        renamed: &Renamed,
        old: &BTreeMap<BackendName, Identity>,
        now: Time,
    ) -> Vec<Left> {
        let mut left = Vec::new();
        let gone =
            |name: &&BackendName| !renamed.contains_key(*name) && !intents.backends.contains_key(*name);
        for name in self.backends.keys().filter(gone).cloned().collect::<Vec<_>>() {
            let Some(status) = self.backends.remove(&name) else { continue };
            let intent = status.intent().clone();
            if !intent.is_none() {
                left.push(Left { backend: name.clone(), identity: old.get(&name).copied(), intent });
            }
            self.remove_backend(status, now);
        }
        left
    }

    /// Gives the backends their new names, all at once: two may have swapped theirs.
    fn rename_backends(&mut self, renamed: &Renamed, report: &mut ReloadReport, now: Time) {
        let mut moving = Vec::new();
        for (from, to) in renamed.iter().filter(|(from, to)| from != to) {
            let Some(status) = self.backends.remove(from) else { continue };
            let mut status = Arc::unwrap_or_clone(status);
            if let (Some(due), _) = status.reschedule() {
                self.due.remove(&(due, from.clone()));
            }
            let (transition, _) = status.clone().remove(now);
            self.emit(Event::BackendRemoved { backend: from.clone(), transition });
            report.notes.push(ReloadNote::BackendRenamed { from: from.clone(), to: to.clone() });
            status.rename(to.clone());
            moving.push(status);
        }
        for mut status in moving {
            let name = status.name().clone();
            status.unschedule();
            if let Some(probe) = status.in_flight() {
                self.renamed.insert(probe, name.clone());
            }
            self.emit(Event::BackendAdded { backend: name.clone(), state: status.state(), at: now });
            self.backends.insert(name, Arc::new(status));
        }
    }

    /// Takes a backend; a new one with what was wanted and known of it before.
    fn install_backend(
        &mut self,
        backend: &Backend,
        before: (Intent, Option<Verdict>),
        seen_anew: bool,
        now: Time,
    ) {
        let (name, config) = (&backend.name, Arc::clone(&self.config));
        let netns = config.health.netns.as_deref();
        let Some(status) = self.backends.get_mut(name).map(Arc::make_mut) else {
            let seed = self.random.u64(..);
            let spread = backend.check.as_ref().map_or(Duration::ZERO, |check| check.pace.interval);
            let spread = spread.min(LONGEST_FIRST_SPREAD);
            let status = BackendStatus::new(backend.clone(), before, netns, seed, now, spread);
            self.emit(Event::BackendAdded { backend: name.clone(), state: status.state(), at: now });
            self.backends.insert(name.clone(), Arc::new(status));
            return;
        };
        if status.config() == backend && !seen_anew {
            return;
        }
        let seed = self.random.u64(..);
        let abandoned = status.reconfigure(backend.clone(), (netns, seen_anew), seed, now);
        let transition = status.settle(now, Cause::Config);
        self.cancel(abandoned);
        if let Some(transition) = transition {
            self.emit(Event::BackendChanged { backend: name.clone(), transition });
        }
    }

    fn remove_backend(&mut self, status: Arc<BackendStatus>, now: Time) {
        let mut status = Arc::unwrap_or_clone(status);
        let name = status.name().clone();
        if let (Some(due), _) = status.reschedule() {
            self.due.remove(&(due, name.clone()));
        }
        let (transition, abandoned) = status.remove(now);
        self.cancel(abandoned);
        self.emit(Event::BackendRemoved { backend: name, transition });
    }

    /// Keeps the intent for what is not in the configuration. Where its server is in the configuration all the same, as a
    /// backend of another name that could not be told for the same one, or its name is that of another server now, it would
    /// be in service against that intent.
    fn keep_intents(
        &mut self,
        left: Vec<Left>,
        old: &BTreeMap<BackendName, Identity>,
        new: &BTreeMap<BackendName, Identity>,
        origins: &BTreeMap<BackendName, BackendName>,
        report: &mut ReloadReport,
        now: Time,
    ) {
        // Whether a backend of this name was at this address already.
        let is_new = |name: &BackendName, identity: &Identity| {
            let origin = origins.get(name).and_then(|origin| old.get(origin));
            origin.is_none_or(|origin| origin.address != identity.address)
        };
        let others = |backend: &BackendName, address: Option<std::net::IpAddr>| -> Vec<BackendName> {
            let concerned = |name: &BackendName, identity: &Identity| {
                is_new(name, identity) && (Some(identity.address) == address || name == backend)
            };
            let concerned = new.iter().filter(|(name, identity)| concerned(name, identity));
            concerned.map(|(name, _)| name.clone()).collect()
        };
        // What was kept before, where its name is used for another server now.
        for kept in &self.kept.backends {
            let now_at = new.get(&kept.backend).filter(|identity| is_new(&kept.backend, identity));
            if now_at.is_some() {
                report.dangers.push(ReloadDanger::LosesIntent {
                    backend: kept.backend.clone(),
                    address: kept.address,
                    intent: kept.intent.clone(),
                    now: vec![kept.backend.clone()],
                });
            }
        }
        for Left { backend, identity, intent } in left {
            let address = identity.map(|identity| identity.address);
            let others = others(&backend, address);
            if others.is_empty() {
                report
                    .notes
                    .push(ReloadNote::IntentKept { backend: backend.clone(), intent: intent.clone() });
            } else {
                report.dangers.push(ReloadDanger::LosesIntent {
                    backend: backend.clone(),
                    address,
                    intent: intent.clone(),
                    now: others,
                });
            }
            self.kept.keep(KeptIntent { backend, address, intent, left_at: now });
        }
    }
}

/// The verdicts of before a start.
struct SavedVerdicts {
    by_name: Verdicts,
    /// Of names that are not in the configuration: the name, where the question has only one.
    by_question: BTreeMap<Fingerprint, Option<BackendName>>,
}

impl SavedVerdicts {
    fn new(by_name: Verdicts, backends: &BTreeMap<BackendName, Backend>) -> Self {
        let mut by_question = BTreeMap::new();
        for (name, verdict) in by_name.iter().filter(|(name, _)| !backends.contains_key(*name)) {
            by_question
                .entry(verdict.question)
                .and_modify(|one| *one = None)
                .or_insert_with(|| Some(name.clone()));
        }
        SavedVerdicts { by_name, by_question }
    }

    /// The verdict of a backend, or of the one that asked the same under a name that is gone.
    fn take(&mut self, backend: &Backend, netns: Option<&str>) -> Option<Verdict> {
        if let Some(verdict) = self.by_name.remove(&backend.name) {
            return Some(verdict);
        }
        let check = backend.check.as_ref().filter(|_| !self.by_question.is_empty())?;
        let question = Fingerprint::of(backend.address, netns, check);
        let name = self.by_question.remove(&question).flatten()?;
        self.by_name.remove(&name)
    }
}
