//! Driver. The memory that large answers may take, over all connections.
//!
//! An answer counts from when it is made until the last connection has sent it or given it up. Where callers do not read
//! what they asked for, those who leave theirs unread longest lose their connections, so that others get theirs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::places::Desk;

/// The memory for answers. One is made also where it is larger than this, as long as there is no other.
const LIMIT: usize = 16 << 20;

/// How long an answer may stay unread while others need its memory.
const GRACE: Duration = Duration::from_secs(2);

/// How long an answer may stay unread at all, where anybody else asks for anything.
const UNREAD: Duration = Duration::from_secs(30);

/// How long a caller waits for memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers that are not read take up all the memory that answers may take.
#[derive(Clone, Copy, Debug, Error)]
#[error(
    "answers that their callers have not read yet take up the {} MiB that answers may take: try again later",
    LIMIT >> 20
)]
pub struct NoRoom;

/// The memory that answers take.
#[derive(Debug, Default)]
pub(super) struct Budget {
    used: AtomicUsize,
    freed: Notify,
    unread: Mutex<Registry>,
}

#[derive(Debug, Default)]
struct Registry {
    next: u64,
    /// In the order in which they were given out.
    given: BTreeMap<u64, (Instant, Desk)>,
}

impl Budget {
    /// Waits until another answer may be made.
    pub(super) async fn room(&self) -> Result<(), NoRoom> {
        self.cut_off(UNREAD);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let freed = self.freed.notified();
            if self.used.load(Ordering::Acquire) < LIMIT {
                return Ok(());
            }
            self.cut_off(GRACE);
            // Looked at again meanwhile: what is young now is old soon.
            let next = deadline.min(Instant::now() + GRACE / 4);
            if timeout_at(next, freed).await.is_err() && next == deadline {
                return Err(NoRoom);
            }
        }
    }

    /// Counts an answer that was made.
    pub(super) fn keep(self: &Arc<Self>, bytes: Vec<u8>) -> Answer {
        let size = bytes.capacity();
        self.used.fetch_add(size, Ordering::AcqRel);
        let counted = Counted { bytes, size, budget: Arc::clone(self) };
        Answer { bytes: Bytes::from_owner(counted), budget: Arc::clone(self) }
    }

    /// Ends the connections that have left an answer unread for so long.
    fn cut_off(&self, age: Duration) {
        let now = Instant::now();
        let old = |since: Instant| now.saturating_duration_since(since) >= age;
        let registry = self.registry();
        let overdue = registry.given.values().take_while(|(since, _)| old(*since));
        let desks: Vec<Desk> = overdue.map(|(_, desk)| desk.clone()).collect();
        drop(registry);
        for desk in desks {
            desk.disconnect();
        }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // Whoever panicked with it wrote whole values only.
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of an answer, shared by all who get it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Answer {
    bytes: Bytes,
    budget: Arc<Budget>,
}

/// The memory of one answer.
#[derive(Debug)]
struct Counted {
    bytes: Vec<u8>,
    size: usize,
    budget: Arc<Budget>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.size, Ordering::AcqRel);
        self.budget.freed.notify_waiters();
    }
}

impl Answer {
    /// What it says.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Begins to give it to a caller of the connection at `desk`, who has it unread until this is dropped.
    pub fn give(&self, desk: Desk) -> Unread {
        self.budget.cut_off(UNREAD);
        let mut registry = self.budget.registry();
        let number = registry.next;
        registry.next += 1;
        registry.given.insert(number, (Instant::now(), desk));
        Unread { number, budget: Arc::clone(&self.budget) }
    }
}

/// An answer that a caller has not read yet.
#[derive(Debug)]
pub struct Unread {
    number: u64,
    budget: Arc<Budget>,
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.budget.registry().given.remove(&self.number);
    }
}

/// Bytes that keep something until they have been sent.
struct Holding<T> {
    bytes: Bytes,
    _held: T,
}

impl<T> AsRef<[u8]> for Holding<T> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The same bytes, which keep `held` until the connection has sent or dropped them: a body has ended long before that
/// where the peer does not read.
pub(crate) fn holding<T: Send + 'static>(bytes: Bytes, held: T) -> Bytes {
    Bytes::from_owner(Holding { bytes, _held: held })
}
