//! Pure. Old servers that stay until their successors have a verdict.
//!
//! A reload may replace every effective server of a frontend at once: by another address, by another backend, by another
//! pool. The new ones are unknown, and until their first verdict the frontend would have no server. So their first probes
//! are sent at once, and the old servers keep their weight in the dataplane until one of the new ones is up, until none of
//! them can become so, or until the longest timeout of their checks is over.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::config::Member;
use crate::desired::{BackendState, DesiredServer, DesiredVip};
use crate::engine::{Engine, FrontendStatus, ReloadNote, ReloadReport};
use crate::names::{BackendName, FrontendName};
use crate::net::{Encap, Vip};
use crate::time::Time;

/// The old servers of a frontend.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    servers: BTreeMap<IpAddr, DesiredServer>,
    until: Time,
    /// Their successors, by name and address.
    waits: BTreeSet<(BackendName, IpAddr)>,
}

/// The effective servers of each VIP before a reload.
pub(super) type Before = BTreeMap<Vip, (Encap, BTreeMap<IpAddr, DesiredServer>, Option<Hold>)>;

impl Hold {
    /// Keeps the old servers in what is desired.
    pub(super) fn apply(&self, vip: &mut DesiredVip) {
        for (address, server) in &self.servers {
            let present = vip.servers.entry(*address).or_insert_with(|| server.clone());
            if present.weight.is_zero() {
                *present = server.clone();
            }
        }
    }
}

impl Engine {
    /// The servers of each VIP that has effective ones.
    pub(super) fn effective_servers(&self) -> Before {
        let mut before = Before::new();
        for frontend in self.frontends.values() {
            let hold = self.holds.get(frontend.name());
            let mut servers = hold.map(|hold| hold.servers.clone()).unwrap_or_default();
            let decisions = frontend.decision().pools.iter().flatten();
            for ((_, member), decision) in frontend.config().members().zip(decisions) {
                if let (false, Some(status)) = (decision.weight.is_zero(), self.backends.get(&member.backend))
                {
                    let server = DesiredServer {
                        backend: member.backend.clone(),
                        weight: decision.weight,
                        because: decision.because.clone(),
                        flush: false,
                    };
                    servers.insert(status.config().address, server);
                }
            }
            if !servers.is_empty() {
                let config = frontend.config();
                before.insert(config.vip, (config.encap(), servers, hold.cloned()));
            }
        }
        before
    }

    /// Holds the old servers of the frontends whose effective ones were all replaced by others without a verdict.
    pub(super) fn hold_servers(&mut self, before: &Before, report: &mut ReloadReport, now: Time) {
        self.holds.clear();
        let mut held = Vec::new();
        for frontend in self.frontends.values().filter(|frontend| !frontend.is_served()) {
            let Some((encap, servers, hold)) = before.get(&frontend.config().vip) else { continue };
            let waits = self.without_verdict(frontend);
            if *encap != frontend.config().encap() || waits.is_empty() || !self.may_be_served(frontend) {
                continue;
            }
            let backends = waits.iter().filter_map(|name| self.backends.get(name)).map(|b| b.config());
            let waits: BTreeSet<_> = backends.clone().map(|b| (b.name.clone(), b.address)).collect();
            let timeout = backends.filter_map(|b| b.check.as_ref()).map(|check| check.pace.timeout).max();
            // Further reloads that do not replace them again change nothing.
            let known = hold.as_ref().map(|hold| hold.waits.clone()).unwrap_or_default();
            let new: BTreeSet<_> = waits.difference(&known).map(|(name, _)| name.clone()).collect();
            let until = match hold {
                Some(hold) if new.is_empty() => hold.until,
                Some(_) | None => now + timeout.unwrap_or_default(),
            };
            held.push((frontend.name().clone(), new, Hold { servers: servers.clone(), until, waits }));
        }
        for (frontend, new, hold) in held {
            for backend in new {
                if let Some(status) = self.backends.get_mut(&backend).map(Arc::make_mut) {
                    status.probe_now(now);
                }
                self.reschedule(&backend);
            }
            report.notes.push(ReloadNote::ServersHeld {
                frontend: frontend.clone(),
                servers: hold.servers.keys().copied().collect(),
                at_most: hold.until.since(now),
            });
            self.holds.insert(frontend, hold);
        }
    }

    /// The members without a verdict that could serve a frontend.
    fn without_verdict(&self, frontend: &FrontendStatus) -> BTreeSet<BackendName> {
        let unknown = |member: &&Member| self.state_of(member) == BackendState::Unknown;
        let members = frontend.config().members().map(|(_, member)| member);
        members.filter(unknown).map(|member| member.backend.clone()).collect()
    }

    /// Lets the old servers of a frontend go once a new one serves it or none can any more.
    pub(super) fn release(&mut self, frontend: &FrontendName) {
        if !self.holds.contains_key(frontend) {
            return;
        }
        let waits = self.frontends.get(frontend).is_some_and(|frontend| {
            !frontend.is_served()
                && !self.without_verdict(frontend).is_empty()
                && self.may_be_served(frontend)
        });
        if !waits {
            self.holds.remove(frontend);
        }
    }

    /// Lets the old servers go whose time is over.
    pub(super) fn release_due(&mut self, now: Time) {
        for (frontend, _) in self.holds.extract_if(.., |_, hold| hold.until <= now) {
            self.dataplane.touch(&frontend);
        }
    }

    /// When the first of the old servers go.
    pub(super) fn next_release(&self) -> Option<Time> {
        self.holds.values().map(|hold| hold.until).min()
    }
}
