//! Pure. How many messages of each kind went to and came from VPP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use maglev_vpp::{Monitor, Outcome};

/// Which way a message went and how it turned out.
type Kind = (&'static str, &'static str, &'static str);

/// Counts messages. Cheap to clone; all clones count together.
#[derive(Clone, Debug, Default)]
pub struct Messages(Arc<Mutex<BTreeMap<Kind, u64>>>);

impl Messages {
    /// Every (message, direction, result) with how many there were.
    pub fn counts(&self) -> Vec<(Kind, u64)> {
        self.lock().iter().map(|(&kind, &count)| (kind, count)).collect()
    }

    fn count(&self, kind: Kind) {
        *self.lock().entry(kind).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Kind, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Monitor for Messages {
    fn sent(&self, message: &'static str) {
        self.count((message, "sent", "ok"));
    }

    fn received(&self, message: &'static str, outcome: Outcome) {
        self.count((message, "received", outcome.as_str()));
    }
}
