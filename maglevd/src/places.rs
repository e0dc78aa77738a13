//! Driver. The connections of a listener: how many there may be, and who makes room when there are as many.
//!
//! A listener has two rooms, one for this host and one for the network, so that a flood from outside keeps no operator on
//! the host away. In a full room the newest takes the place of another: an idle connection if there is one, of those
//! that never showed credentials if there is one, of the source that has the most, the one that is idle longest. So whoever
//! only holds connections open holds them until somebody needs the place.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::peer::Origin;

/// For a connection to make its first call. Whoever opens one wants something.
const FIRST_CALL: Duration = Duration::from_secs(60);

/// For a call that is answered with one message to be over, its answer read. Longer than any takes by itself; a peer that
/// neither reads nor goes away holds what it was answered in our memory.
const CALL: Duration = Duration::from_secs(90);

/// How many connections and calls there may be. Calls are limited for everyone, on this host and with credentials too.
/// An address stands for its /64 where it is IPv6, which is what one customer has, and a user for what comes through a
/// Unix socket.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections in each room.
    pub room: usize,
    /// Connections from one address of the network.
    pub source: usize,
    /// Calls in progress at once: of this host, with credentials, and without.
    pub calls: usize,
    /// Calls in progress at once from one address or local user.
    pub calls_of_source: usize,
}

/// Where a connection counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Local(Option<u32>),
    Network(IpAddr),
}

impl Source {
    fn of(origin: &Origin) -> Self {
        match origin {
            Origin::Unix(uid) => Source::Local(*uid),
            Origin::Tcp(_) if origin.is_local() => Source::Local(None),
            Origin::Tcp(address) => Source::Network(match address.ip() {
                IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
                v4 @ IpAddr::V4(_) => v4,
            }),
        }
    }

    const fn is_local(self) -> bool {
        matches!(self, Source::Local(_))
    }
}

/// Why there is no place for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// Its source has as many as it may have, all of them at work.
    Source,
    /// The room is full, and everybody in it is at work.
    Room,
}

/// Too many calls are under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyCalls;

/// The connections of a listener.
#[derive(Debug)]
pub struct Places {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    taken: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    source: Source,
    /// It has shown credentials that were good.
    proved: bool,
    /// Since when it has no call under way; for one that has, since when it has.
    since: Instant,
    called: bool,
    calls: usize,
    /// Of its calls those that will be over, by when they began.
    bounded: BTreeSet<(Instant, u64)>,
    leave: CancellationToken,
    /// How many calls it has made in all.
    made: Arc<AtomicU64>,
}

impl Entry {
    /// Calls are limited among those of this host, those with credentials and all others apart, so that none of the three
    /// uses up what another needs.
    const fn class(&self) -> (bool, bool) {
        (self.source.is_local(), !self.source.is_local() && self.proved)
    }
}

impl Places {
    /// All free.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Places { limits, state: Mutex::default() })
    }

    /// A place for a connection that has just been accepted, and whether another must leave for it.
    pub fn take(self: &Arc<Self>, origin: &Origin, now: Instant) -> Result<(Place, bool), NoPlace> {
        let source = Source::of(origin);
        let mut state = self.lock();
        let same = state.taken.values().filter(|entry| entry.source == source).count();
        let room = state.taken.values().filter(|entry| entry.source.is_local() == source.is_local()).count();
        let leaves = if !source.is_local() && same >= self.limits.source {
            Some(state.leaver(|entry| entry.source == source, usize::MAX).ok_or(NoPlace::Source)?)
        } else if room >= self.limits.room {
            let in_room = |entry: &Entry| entry.source.is_local() == source.is_local();
            Some(state.leaver(in_room, same).ok_or(NoPlace::Room)?)
        } else {
            None
        };
        let evicts = leaves.is_some();
        if let Some(entry) = leaves.and_then(|id| state.taken.remove(&id)) {
            entry.leave.cancel();
        }
        let id = state.next;
        state.next += 1;
        let (leave, made) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let entry = Entry {
            source,
            proved: false,
            since: now,
            called: false,
            calls: 0,
            bounded: BTreeSet::new(),
            leave: leave.clone(),
            made: Arc::clone(&made),
        };
        state.taken.insert(id, entry);
        Ok((Place { id, places: Arc::clone(self), leave, made }, evicts))
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.lock().taken.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Who leaves, among those that `may`, for one whose source has `own` connections already. One at work leaves only
    /// if it never showed credentials and its source has more than that of the newcomer would have then.
    fn leaver(&self, may: impl Fn(&Entry) -> bool, own: usize) -> Option<u64> {
        let mut counts: BTreeMap<Source, usize> = BTreeMap::new();
        self.taken.values().for_each(|entry| *counts.entry(entry.source).or_default() += 1);
        let count = |entry: &Entry| counts.get(&entry.source).copied().unwrap_or(0);
        let fair = |entry: &Entry| {
            entry.calls == 0 || (!entry.proved && own.checked_add(1).is_some_and(|own| count(entry) > own))
        };
        let candidates = self.taken.iter().filter(|(_, entry)| may(entry) && fair(entry));
        let last = candidates.max_by_key(|(_, entry)| {
            (entry.calls == 0, !entry.proved, count(entry), std::cmp::Reverse(entry.since))
        });
        last.map(|(id, _)| *id)
    }
}

/// The place of one connection. Free again when dropped.
#[derive(Debug)]
pub struct Place {
    id: u64,
    places: Arc<Places>,
    leave: CancellationToken,
    made: Arc<AtomicU64>,
}

impl Place {
    /// How many calls the connection has made.
    pub fn calls_made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// Is cancelled when the connection must make room for another.
    pub const fn leave(&self) -> &CancellationToken {
        &self.leave
    }

    /// Whether the connection has gone on for too long without doing anything: it never made a call, or one that should
    /// be over is not.
    pub fn is_overdue(&self, now: Instant) -> bool {
        let state = self.places.lock();
        let Some(entry) = state.taken.get(&self.id) else { return true };
        let late = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        (!entry.called && late(entry.since, FIRST_CALL))
            || entry.bounded.first().is_some_and(|(since, _)| late(*since, CALL))
    }

    /// What a call on this connection takes its part with.
    pub fn desk(&self) -> Desk {
        Desk { id: self.id, places: Arc::clone(&self.places) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().taken.remove(&self.id);
    }
}

/// Where the calls of a connection report.
#[derive(Clone, Debug)]
pub struct Desk {
    id: u64,
    places: Arc<Places>,
}

impl Desk {
    /// A call begins. `endless` ones may go on for as long as both sides like.
    ///
    /// # Errors
    /// When too many are under way. What each holds in memory, with what it is answered, has to have an end.
    pub fn call(&self, endless: bool, now: Instant) -> Result<Call, TooManyCalls> {
        let mut state = self.places.lock();
        // Where others have used up the limit, a connection still makes one call at a time, and connections have a limit
        // of their own: a flood from this host does not lock its operators out.
        if let Some(own) = state.taken.get(&self.id)
            && own.calls > 0
        {
            let (mut all, mut same) = (0, 0);
            for entry in state.taken.values().filter(|entry| entry.class() == own.class()) {
                all += entry.calls;
                same += if entry.source == own.source { entry.calls } else { 0 };
            }
            if all >= self.places.limits.calls || same >= self.places.limits.calls_of_source {
                return Err(TooManyCalls);
            }
        }
        let number = state.next;
        state.next += 1;
        if let Some(entry) = state.taken.get_mut(&self.id) {
            entry.called = true;
            entry.made.fetch_add(1, Ordering::Relaxed);
            entry.calls += 1;
            entry.since = now;
            if !endless {
                entry.bounded.insert((now, number));
            }
        }
        Ok(Call { desk: self.clone(), began: (now, number) })
    }

    /// Ends the connection, as if it had to make room for another.
    pub fn disconnect(&self) {
        if let Some(entry) = self.places.lock().taken.get(&self.id) {
            entry.leave.cancel();
        }
    }

    /// The peer has shown credentials that are good.
    pub fn proved(&self) {
        if let Some(entry) = self.places.lock().taken.get_mut(&self.id) {
            entry.proved = true;
        }
    }
}

/// A call under way. Over when dropped.
#[derive(Debug)]
pub struct Call {
    desk: Desk,
    began: (Instant, u64),
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(entry) = self.desk.places.lock().taken.get_mut(&self.desk.id) {
            entry.bounded.remove(&self.began);
            entry.calls = entry.calls.saturating_sub(1);
            if entry.calls == 0 {
                entry.since = Instant::now();
            }
        }
    }
}

#[cfg(test)]
mod tests;
