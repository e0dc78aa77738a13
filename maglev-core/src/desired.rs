//! Pure. From health and intent to the weight of every backend in every frontend, each with its reason.

mod vip;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::vip::{DesiredServer, DesiredVip};
use crate::config::{Frontend, Member, Pool};
use crate::health::HealthState;
use crate::intent::Mode;
use crate::names::PoolName;
use crate::weight::Weight;

/// What is known of a backend: its health, unless an operator or the configuration has taken it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendState {
    /// No verdict yet.
    Unknown,
    /// Healthy.
    Up,
    /// Not healthy.
    Down,
    /// Paused by an operator.
    Paused,
    /// Disabled by an operator or the configuration.
    Disabled,
    /// Gone from the configuration.
    Removed,
}

impl BackendState {
    /// Every state, in the order of the enum.
    pub const ALL: [BackendState; 6] = [
        BackendState::Unknown,
        BackendState::Up,
        BackendState::Down,
        BackendState::Paused,
        BackendState::Disabled,
        BackendState::Removed,
    ];

    /// The state of a backend that is in the configuration.
    pub const fn derive(mode: Mode, health: HealthState) -> Self {
        match (mode, health) {
            (Mode::Disabled, _) => BackendState::Disabled,
            (Mode::Paused, _) => BackendState::Paused,
            (Mode::Active, HealthState::Unknown) => BackendState::Unknown,
            (Mode::Active, HealthState::Up) => BackendState::Up,
            (Mode::Active, HealthState::Down) => BackendState::Down,
        }
    }

    /// The state as the API and the metrics write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            BackendState::Unknown => "unknown",
            BackendState::Up => "up",
            BackendState::Down => "down",
            BackendState::Paused => "paused",
            BackendState::Disabled => "disabled",
            BackendState::Removed => "removed",
        }
    }
}

impl fmt::Display for BackendState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is known of a frontend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrontendState {
    /// No backend takes traffic, and one that could has no verdict yet.
    Unknown,
    /// Some backend takes traffic.
    Up,
    /// No backend takes traffic, and none is waited for.
    Down,
}

impl FrontendState {
    /// Every state, in the order of the enum.
    pub const ALL: [FrontendState; 3] = [FrontendState::Unknown, FrontendState::Up, FrontendState::Down];

    /// The state as the API and the metrics write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            FrontendState::Unknown => "unknown",
            FrontendState::Up => "up",
            FrontendState::Down => "down",
        }
    }
}

impl fmt::Display for FrontendState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a backend has its weight in a frontend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is up and its pool is the active one.
    Active,
    /// It is up, and another pool is active.
    Standby {
        /// That pool.
        active: PoolName,
    },
    /// It is up, and a pool before its own is waited for, which has members without a verdict since the start.
    Awaiting {
        /// That pool.
        pool: PoolName,
    },
    /// It is up, and its weight is set to zero.
    Zero,
    /// It has no verdict yet.
    Unknown,
    /// It is down.
    Down,
    /// It is paused.
    Paused,
    /// It is disabled.
    Disabled,
    /// It is gone from the pool, or from the configuration altogether.
    Removed,
}

/// What is said of the backend: `is down`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Active => "takes traffic",
            Reason::Standby { active } => return write!(f, "stands by, pool {active} is active"),
            Reason::Awaiting { pool } => return write!(f, "is up, pool {pool} has no verdict yet"),
            Reason::Zero => "is up, with weight 0",
            Reason::Unknown => "has no verdict yet",
            Reason::Down => "is down",
            Reason::Paused => "is paused",
            Reason::Disabled => "is disabled",
            Reason::Removed => "has left",
        })
    }
}

/// The weight of a backend in a frontend, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The weight in effect, in the unit of the configuration.
    pub weight: Weight,
    /// Why.
    pub because: Reason,
    /// Whether established flows are to be evicted when the backend comes to this.
    pub flush: bool,
}

/// What is decided for a frontend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrontendDecision {
    /// Its state.
    pub state: FrontendState,
    /// The index of the pool that takes the traffic.
    pub active: Option<usize>,
    /// For each pool, for each of its members, in the order of the configuration.
    pub pools: Vec<Vec<Decision>>,
}

impl FrontendDecision {
    /// The pool that takes the traffic. `frontend` is the one this was decided for.
    pub fn active_pool<'a>(&self, frontend: &'a Frontend) -> Option<&'a PoolName> {
        self.active.and_then(|i| frontend.pools.get(i)).map(|pool| &pool.name)
    }
}

/// Decides for one frontend.
///
/// The first pool with a backend that is up and has weight is active. Its backends that are up get their weight;
/// everything else gets zero, which in VPP means installed and ready but without new flows.
///
/// `state` and `weight` tell, for a pool's index and a member of it, the backend's state and the weight it is to have
/// when active: the operator's, else the configured one.
pub fn decide(
    frontend: &Frontend,
    state: impl Fn(&Member) -> BackendState,
    weight: impl Fn(usize, &Member) -> Weight,
) -> FrontendDecision {
    decide_awaiting(frontend, state, weight, |_| false)
}

/// The same soon after a start: no pool takes over from one that could serve once the first verdict of a member is in which
/// is `awaited`. So traffic does not go to a spare pool and back for the order in which verdicts come in.
pub fn decide_awaiting(
    frontend: &Frontend,
    state: impl Fn(&Member) -> BackendState,
    weight: impl Fn(usize, &Member) -> Weight,
    awaited: impl Fn(&Member) -> bool,
) -> FrontendDecision {
    let serves =
        |pool: usize, member: &Member| state(member) == BackendState::Up && !weight(pool, member).is_zero();
    let active = frontend
        .pools
        .iter()
        .enumerate()
        .position(|(index, pool)| pool.members.iter().any(|member| serves(index, member)));
    let may_come = |pool: usize, member: &Member| {
        state(member) == BackendState::Unknown && !weight(pool, member).is_zero()
    };
    let mut before = frontend.pools.iter().enumerate().take(active.unwrap_or_default());
    let comes =
        |(index, pool): &(usize, &Pool)| pool.members.iter().any(|m| awaited(m) && may_come(*index, m));
    let awaited_pool = before.find(comes).map(|(_, pool)| &pool.name);
    let active = active.filter(|_| awaited_pool.is_none());

    let decision = |pool: usize, member: &Member| {
        let zero = |because, flush| Decision { weight: Weight::ZERO, because, flush };
        match state(member) {
            BackendState::Up => {
                let weight = weight(pool, member);
                match active.filter(|&active| active != pool).and_then(|active| frontend.pools.get(active)) {
                    _ if weight.is_zero() => zero(Reason::Zero, false),
                    Some(other) => zero(Reason::Standby { active: other.name.clone() }, false),
                    None => match awaited_pool {
                        Some(pool) => zero(Reason::Awaiting { pool: pool.clone() }, false),
                        None => Decision { weight, because: Reason::Active, flush: false },
                    },
                }
            }
            BackendState::Unknown => zero(Reason::Unknown, false),
            BackendState::Down => zero(Reason::Down, frontend.flush_on_down),
            BackendState::Paused => zero(Reason::Paused, false),
            BackendState::Disabled => zero(Reason::Disabled, true),
            BackendState::Removed => zero(Reason::Removed, true),
        }
    };
    let pools = frontend
        .pools
        .iter()
        .enumerate()
        .map(|(index, pool)| pool.members.iter().map(|member| decision(index, member)).collect())
        .collect();

    let mut pools_of = frontend.pools.iter().enumerate();
    let frontend_state = if active.is_some() {
        FrontendState::Up
    } else if pools_of.any(|(index, pool)| pool.members.iter().any(|member| may_come(index, member))) {
        FrontendState::Unknown
    } else {
        // Every verdict is in, or none will come of those that could serve.
        FrontendState::Down
    };
    FrontendDecision { state: frontend_state, active, pools }
}

#[cfg(test)]
mod tests;
