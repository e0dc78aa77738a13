//! Pure. Operator intent for what is not in the configuration at present.
//!
//! A backend that leaves the file and returns must not be in service because its disable was forgotten meanwhile. So the
//! intent of what leaves is kept for a while, under its name and its address, and applies again when both return.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::Frontend;
use crate::intent::{Intent, WeightOverride};
use crate::names::{BackendName, FrontendName, PoolName};
use crate::net::Vip;
use crate::time::Time;

/// How long intent is kept for what is not in the configuration: long enough for a file that was rolled back over a
/// weekend, short enough that a name that is used again months later is not taken out of service by what nobody remembers.
pub const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// The most entries of a kind, so that files with ever other names fill no memory. The oldest go first.
const LIMIT: usize = 1000;

/// Intent for what is not in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptIntents {
    /// For backends, the oldest first.
    pub backends: Vec<KeptIntent>,
    /// Weights, the oldest first.
    pub weights: Vec<KeptWeight>,
}

/// Intent for a backend that is not in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptIntent {
    /// Its name.
    pub backend: BackendName,
    /// Its address; absent where that is not known.
    pub address: Option<IpAddr>,
    /// The intent.
    pub intent: Intent,
    /// When it left the configuration.
    pub left_at: Time,
}

/// A weight for a backend that is not in the pool any more, or whose frontend is not in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWeight {
    /// The name of the frontend.
    pub frontend: FrontendName,
    /// Its VIP; absent where that is not known.
    pub vip: Option<Vip>,
    /// Its pool.
    pub pool: PoolName,
    /// The backend.
    pub backend: BackendName,
    /// The backend's address; absent where that is not known.
    pub address: Option<IpAddr>,
    /// The weight.
    pub weight: WeightOverride,
    /// When it left the configuration.
    pub left_at: Time,
}

impl KeptIntent {
    /// When it is dropped, unless the backend returns before.
    pub fn kept_until(&self) -> Time {
        self.left_at + KEPT_FOR
    }
}

impl KeptIntent {
    fn is_for(&self, backend: &BackendName, address: IpAddr) -> bool {
        self.backend == *backend && self.address.is_none_or(|known| known == address)
    }
}

impl KeptWeight {
    /// When it is dropped, unless the member returns before.
    pub fn kept_until(&self) -> Time {
        self.left_at + KEPT_FOR
    }

    /// Whether `frontend` has the member again.
    fn is_back(&self, frontend: &Frontend, address: impl Fn(&BackendName) -> Option<IpAddr>) -> bool {
        let same = self.vip.map_or(self.frontend == frontend.name, |vip| vip == frontend.vip);
        let members = frontend.members();
        same && self.address.is_none_or(|known| address(&self.backend) == Some(known))
            && members.into_iter().any(|(pool, m)| pool.name == self.pool && m.backend == self.backend)
    }
}

impl KeptIntents {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.backends.is_empty() && self.weights.is_empty()
    }

    pub(crate) fn map_times(&mut self, map: impl Fn(Time) -> Time) {
        for kept in &mut self.backends {
            kept.left_at = map(kept.left_at);
            for who in kept.intent.attributions_mut() {
                who.map_times(&map);
            }
        }
        for kept in &mut self.weights {
            kept.left_at = map(kept.left_at);
            kept.weight.attribution.map_times(&map);
        }
    }

    /// Both. One of them is empty but at the start of an engine.
    pub(super) fn joined_with(mut self, other: Self) -> Self {
        self.backends.extend(other.backends);
        self.weights.extend(other.weights);
        self
    }

    pub(super) fn keep(&mut self, kept: KeptIntent) {
        self.backends.retain(|other| (&other.backend, other.address) != (&kept.backend, kept.address));
        self.backends.push(kept);
        self.backends.drain(..self.backends.len().saturating_sub(LIMIT));
    }

    pub(super) fn keep_weight(&mut self, kept: KeptWeight) {
        let key = |w: &KeptWeight| (w.vip, w.pool.clone(), w.backend.clone(), w.address);
        self.weights.retain(|other| key(other) != key(&kept));
        self.weights.push(kept);
        self.weights.drain(..self.weights.len().saturating_sub(LIMIT));
    }

    /// Whether there is intent for a backend of this name and address.
    pub(super) fn has(&self, backend: &BackendName, address: IpAddr) -> bool {
        self.backends.iter().any(|kept| kept.is_for(backend, address))
    }

    /// The intent of a backend that is back.
    pub(super) fn take(&mut self, backend: &BackendName, address: IpAddr) -> Option<Intent> {
        let index = self.backends.iter().rposition(|kept| kept.is_for(backend, address))?;
        Some(self.backends.remove(index).intent)
    }

    /// The weights of members that are back in a frontend.
    pub(super) fn take_weights(
        &mut self,
        frontend: &Frontend,
        address: impl Fn(&BackendName) -> Option<IpAddr>,
    ) -> Vec<KeptWeight> {
        self.weights.extract_if(.., |kept| kept.is_back(frontend, &address)).collect()
    }

    /// Drops what has ended by itself, and what was kept for long enough, and returns it.
    pub(in crate::engine) fn expire(&mut self, now: Time) -> (Vec<KeptIntent>, Vec<KeptWeight>) {
        let over = |kept: &mut KeptIntent| {
            let mut left = kept.intent.clone();
            while left.expire(now).is_some() {}
            if left.is_none() || kept.kept_until() <= now {
                return true;
            }
            kept.intent = left;
            false
        };
        let weight_over =
            |kept: &mut KeptWeight| kept.weight.attribution.has_ended(now) || kept.kept_until() <= now;
        let weights = self.weights.extract_if(.., weight_over).collect();
        (self.backends.extract_if(.., over).collect(), weights)
    }

    /// When the first of it is dropped.
    pub(in crate::engine) fn next_end(&self) -> Option<Time> {
        let backends = self.backends.iter().flat_map(|kept| [Some(kept.kept_until()), kept.intent.until()]);
        let weights =
            self.weights.iter().flat_map(|kept| [Some(kept.kept_until()), kept.weight.attribution.until]);
        backends.chain(weights).flatten().min()
    }
}
