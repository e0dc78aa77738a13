//! Pure. Taking a configuration: at the start, and again at each reload.
//!
//! What did not change is not disturbed: a backend whose address and check are the same goes on with its counter, its
//! history and its schedule, also under another name ([`lineage`]). What changed keeps its last verdict until there is a new
//! one, so that a reload by itself never drains a healthy backend; only another address is another server, which begins as
//! unknown. Operator intent for what leaves is kept for a while ([`kept`]). What a reload does only where it is forced to is
//! in its [`ReloadReport`].

mod backends;
mod frontends;
mod kept;
mod lineage;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::kept::{KEPT_FOR, KeptIntent, KeptIntents, KeptWeight};
use self::lineage::Identity;
pub use self::report::{ReloadDanger, ReloadNote, ReloadRefused, ReloadReport};
use crate::config::{Backend, Config};
use crate::engine::{Engine, Intents, Verdicts};
use crate::names::{BackendName, FrontendName};
use crate::time::Time;

/// What makes a backend the same under another name, as it is written down beside its intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedIdentity(Identity);

impl SavedIdentity {
    /// That of a backend.
    pub fn of(backend: &Backend) -> Self {
        SavedIdentity(Identity::of(backend))
    }
}

impl Engine {
    /// Takes another configuration, whatever comes of it. Operator intent follows what it is about; what is about something
    /// that leaves is kept for [`KEPT_FOR`].
    pub fn reload(&mut self, now: Time, config: Arc<Config>) -> ReloadReport {
        if self.config.frontends != config.frontends {
            // A new member must not keep a pool after its own from traffic that it has.
            self.end_cold_start(now, true);
        }
        let report = self.install(config, Intents::default(), Verdicts::new(), now);
        self.reloaded = report.clone();
        self.drive(now);
        report
    }

    /// Takes another configuration, unless that does something that is to be forced and is not.
    ///
    /// # Errors
    /// [`ReloadRefused`] says what; nothing has changed then.
    pub fn try_reload(
        &mut self,
        now: Time,
        config: Arc<Config>,
        force: bool,
    ) -> Result<ReloadReport, ReloadRefused> {
        let mut next = self.clone();
        let report = next.reload(now, config);
        match report.refusal() {
            Some(refused) if !force => Err(refused),
            Some(_) | None => {
                *self = next;
                Ok(report)
            }
        }
    }

    pub(super) fn install(
        &mut self,
        config: Arc<Config>,
        mut intents: Intents,
        verdicts: Verdicts,
        now: Time,
    ) -> ReloadReport {
        let mut report = ReloadReport::default();
        let seen_anew = self.config.health.netns != config.health.netns;
        let before = self.effective_servers();
        self.serves = Arc::new(serves(&config));
        self.config = config;
        self.kept = std::mem::take(&mut intents.kept).joined_with(std::mem::take(&mut self.kept));
        self.kept.expire(now);
        let renamed = self.install_backends((&mut intents, verdicts), seen_anew, &mut report, now);
        self.install_frontends(&mut intents, &renamed, &mut report, now);
        self.guard(&before, &mut report);
        self.hold_servers(&before, &mut report, now);
        self.look_for_ends();
        let config = Arc::clone(&self.config);
        self.dataplane.reconfigured(&config, now);
        report
    }
}

/// The frontends that each backend is in.
fn serves(config: &Config) -> BTreeMap<BackendName, BTreeSet<FrontendName>> {
    let mut serves: BTreeMap<BackendName, BTreeSet<FrontendName>> = BTreeMap::new();
    for frontend in config.frontends.values() {
        for (_, member) in frontend.members() {
            serves.entry(member.backend.clone()).or_default().insert(frontend.name.clone());
        }
    }
    serves
}

#[cfg(test)]
mod tests;
