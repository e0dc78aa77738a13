//! Pure. What the simulated VPP was asked.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// Mutations remembered; older ones are only counted.
const REMEMBERED: usize = 100_000;

/// A request to change something, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// The request, without CRC.
    pub message: &'static str,
    /// What it asked for, in words.
    pub what: String,
    /// What was answered: 0 is done.
    pub retval: i32,
}

/// `add server 10.0.0.1 weight 100 to 203.0.113.1/32 protocol 6 port 80: done`.
impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.retval {
            0 => write!(f, "{}: done", self.what),
            retval => write!(f, "{}: refused with {}", self.what, crate::Retval(retval)),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    pub(super) requests: BTreeMap<&'static str, u64>,
    pub(super) mutations: VecDeque<Mutation>,
    pub(super) writes: u64,
    pub(super) keepalive_replies: u64,
}

impl Journal {
    pub(super) fn request(&mut self, message: &'static str) {
        *self.requests.entry(message).or_default() += 1;
    }

    pub(super) fn mutation(&mut self, mutation: Mutation) {
        self.writes += 1;
        if self.mutations.len() == REMEMBERED {
            self.mutations.pop_front();
        }
        self.mutations.push_back(mutation);
    }
}
