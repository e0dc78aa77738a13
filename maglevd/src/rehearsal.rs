//! Driver. Finds out whether the probes that the configuration asks for can be made at all, at the start and after each
//! reload, and says what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use maglev_core::check::HealthCheck;
use maglev_core::config::Config;
use maglev_core::names::CheckName;
use maglev_probe::{Capability, Heartbeat, Obstacle, Prober, Target};
use tokio_util::sync::CancellationToken;

use crate::control::Control;
use crate::daemon::prober;
use crate::reload::ConfigStatus;

/// How soon to try again what could not be done: a namespace may come into being, a setting of the kernel be changed.
const RETRY: Duration = Duration::from_secs(30);

/// How long one try may take, for a file on a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Names that are listed in a log line. Who has more knows where to look.
const LISTED: usize = 10;

/// The checks whose probes cannot be made. Cheap to clone; all clones show the same.
#[derive(Clone, Debug, Default)]
pub struct Missing(Arc<Mutex<Vec<Blocked>>>);

/// Checks whose probes cannot be made, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The capability that is missing, where that is the reason.
    pub capability: Option<Capability>,
    /// The reason.
    pub sentence: String,
    /// The checks.
    pub checks: BTreeSet<String>,
    /// Their backends.
    pub backends: BTreeSet<String>,
    /// How to give the capability.
    pub remedy: Option<&'static str>,
    /// The time this was found first.
    pub since: SystemTime,
}

impl Missing {
    /// The capabilities that are missing now.
    pub fn read(&self) -> BTreeSet<Capability> {
        self.blocked().iter().filter_map(|blocked| blocked.capability).collect()
    }

    /// The checks whose probes cannot be made now.
    pub fn blocked(&self) -> Vec<Blocked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, found: &Found, now: SystemTime) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let blocked = found.iter().map(|(obstacle, Unprobed { checks, backends })| Blocked {
            capability: obstacle.capability,
            sentence: obstacle.sentence.clone(),
            checks: checks.clone(),
            backends: backends.clone(),
            remedy: obstacle.capability.map(remedy),
            since: known.iter().find(|one| one.sentence == obstacle.sentence).map_or(now, |one| one.since),
        });
        *known = blocked.collect();
    }
}

/// What cannot be probed, by what stands in the way.
type Found = BTreeMap<Obstacle, Unprobed>;

/// What cannot be probed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Unprobed {
    checks: BTreeSet<String>,
    backends: BTreeSet<String>,
}

/// Tries and tells until `stop`.
pub async fn run(control: Control, status: ConfigStatus, missing: Missing, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = keep_trying(control, status, missing) => {}
    }
}

async fn keep_trying(control: Control, status: ConfigStatus, missing: Missing) {
    // Before the configuration is read, so that a reload in between is seen.
    let mut reloads = status.subscribe();
    let mut before = Found::new();
    while let Ok(config) = control.read(|view| Arc::clone(view.engine.config())).await {
        let prober = prober(config.health.netns.as_deref(), Heartbeat::new());
        // What goes on is said once, and once more after each reload: whoever asked for that looks at the log then.
        let mut again = true;
        loop {
            let found = rehearse(&prober, &config).await;
            missing.set(&found, SystemTime::now());
            report(&found, &before, again);
            let fine = found.is_empty();
            (before, again) = (found, false);
            tokio::select! {
                reloaded = reloads.changed() => match reloaded {
                    Ok(()) => break,
                    Err(_) => return,
                },
                () = tokio::time::sleep(RETRY), if !fine => {}
            }
        }
    }
}

/// Tries each check once with each address family of its backends.
async fn rehearse(prober: &Prober, config: &Config) -> Found {
    let mut found = Found::new();
    for ((name, _), group) in groups(config) {
        let target = Target::new(group.address, group.check);
        let tried = tokio::time::timeout(PATIENCE, prober.rehearse(&target)).await;
        let obstacle = match tried {
            Ok(Ok(())) => continue,
            Ok(Err(obstacle)) => obstacle,
            Err(_) => Obstacle {
                capability: None,
                sentence: format!("it takes longer than {PATIENCE:?} to get ready for a probe"),
            },
        };
        let unprobed = found.entry(obstacle).or_default();
        unprobed.checks.insert(name.to_string());
        unprobed.backends.extend(group.backends);
    }
    found
}

/// Backends whose probes need the same of this host.
struct Group<'a> {
    check: &'a HealthCheck,
    /// One of them, for its family.
    address: IpAddr,
    backends: Vec<String>,
}

fn groups(config: &Config) -> BTreeMap<(&CheckName, bool), Group<'_>> {
    let mut groups = BTreeMap::new();
    for backend in config.backends.values() {
        let Some(check) = &backend.check else { continue };
        groups
            .entry((&check.name, backend.address.is_ipv4()))
            .or_insert_with(|| Group { check, address: backend.address, backends: Vec::new() })
            .backends
            .push(backend.name.to_string());
    }
    groups
}

/// Says what is new, or all of it again.
fn report(found: &Found, before: &Found, again: bool) {
    for (obstacle, unprobed) in found {
        if !again && before.get(obstacle) == Some(unprobed) {
            continue;
        }
        let (checks, backends) = (listed(&unprobed.checks), listed(&unprobed.backends));
        match obstacle.capability {
            Some(capability) => tracing::error!(
                capability = capability.as_str(),
                healthchecks = checks,
                backends,
                reason = obstacle.sentence,
                remedy = remedy(capability),
                "a capability is missing: these backends cannot be probed and keep the state they have"
            ),
            None => tracing::warn!(
                healthchecks = checks,
                backends,
                reason = obstacle.sentence,
                "these backends cannot be probed and keep the state they have"
            ),
        }
    }
    if found.is_empty() && !before.is_empty() {
        tracing::info!("every backend can be probed again");
    }
}

/// How to give it. The names are those of the packages.
const fn remedy(capability: Capability) -> &'static str {
    match capability {
        Capability::NetRaw => {
            "under systemd, AmbientCapabilities=CAP_NET_RAW in the unit, as vpp-maglevd.service has it, and systemctl \
             restart vpp-maglevd; or allow the group by the sysctl net.ipv4.ping_group_range"
        }
        Capability::SysAdmin => {
            "under systemd, copy /usr/share/doc/vpp-maglevd/examples/netns.conf to \
             /etc/systemd/system/vpp-maglevd.service.d/, then systemctl daemon-reload and systemctl restart vpp-maglevd"
        }
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    let mut list: Vec<_> = names.iter().take(LISTED).cloned().collect();
    if names.len() > LISTED {
        list.push(format!("and {} more", names.len() - LISTED));
    }
    list.join(" ")
}

#[cfg(test)]
mod tests;
