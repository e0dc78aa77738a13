//! Pure. What the engine tells those who watch.

use serde::Serialize;

use crate::desired::{BackendState, FrontendState, Reason};
use crate::intent::{Attribution, Request};
use crate::names::{BackendName, FrontendName, PoolName};
use crate::outcome::Code;
use crate::time::Time;
use crate::weight::Weight;

/// A change of a backend's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transition {
    /// The state before.
    pub from: BackendState,
    /// The state after.
    pub to: BackendState,
    /// When.
    pub at: Time,
    /// What set it off.
    pub cause: Cause,
}

/// What set off a transition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A probe.
    Probe {
        /// Its code.
        code: Code,
        /// Its sentence.
        detail: String,
    },
    /// An operator.
    Operator {
        /// What was asked.
        request: Request,
        /// Who asked, when and why.
        attribution: Attribution,
    },
    /// What an operator wanted for a time ended by itself.
    Expired {
        /// What had been asked.
        request: Request,
        /// Who had asked, when and why.
        attribution: Attribution,
    },
    /// A reload of the configuration.
    Config,
}

/// Something happened. Times are those of the input that made it happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A reload brought a backend.
    BackendAdded {
        /// It.
        backend: BackendName,
        /// The state it begins with.
        state: BackendState,
        /// When.
        at: Time,
    },
    /// A backend changed its state.
    BackendChanged {
        /// It.
        backend: BackendName,
        /// From what to what, and why.
        transition: Transition,
    },
    /// What an operator wants of a backend changed without any change of its state: it has another end now, or it ended
    /// when the configuration said the same.
    IntentChanged {
        /// The backend.
        backend: BackendName,
        /// What is, or was, asked.
        request: Request,
        /// Who asked, when, why and until when.
        attribution: Attribution,
        /// Whether it ended by itself.
        ended: bool,
        /// When.
        at: Time,
    },
    /// A reload took a backend away.
    BackendRemoved {
        /// It.
        backend: BackendName,
        /// From its last state to `removed`.
        transition: Transition,
    },
    /// A reload brought a frontend.
    FrontendAdded {
        /// It.
        frontend: FrontendName,
        /// The state it begins with.
        state: FrontendState,
        /// The pool that takes its traffic.
        pool: Option<PoolName>,
        /// When.
        at: Time,
    },
    /// A frontend changed its state or its active pool.
    FrontendChanged {
        /// It.
        frontend: FrontendName,
        /// The state before.
        from: FrontendState,
        /// The state after.
        to: FrontendState,
        /// The active pool before.
        from_pool: Option<PoolName>,
        /// The active pool after.
        to_pool: Option<PoolName>,
        /// When.
        at: Time,
    },
    /// A reload took a frontend away.
    FrontendRemoved {
        /// It.
        frontend: FrontendName,
        /// Its last state.
        state: FrontendState,
        /// When.
        at: Time,
    },
    /// An operator set the weight that a backend has in a pool when it takes traffic, or another end of it. What follows for the effective
    /// weights, if anything, is told after it.
    WeightSet {
        /// The frontend.
        frontend: FrontendName,
        /// Its pool.
        pool: PoolName,
        /// The backend in it.
        backend: BackendName,
        /// The operator's weight before, or else the configured one.
        from: Weight,
        /// The weight now.
        to: Weight,
        /// Who set it, when and why.
        attribution: Attribution,
        /// When.
        at: Time,
    },
    /// A weight that an operator had set for a time is the configured one again. What follows for the effective weights,
    /// if anything, is told after it.
    WeightEnded {
        /// The frontend.
        frontend: FrontendName,
        /// Its pool.
        pool: PoolName,
        /// The backend in it.
        backend: BackendName,
        /// The operator's weight.
        from: Weight,
        /// The configured weight.
        to: Weight,
        /// Who had set it, when and why.
        attribution: Attribution,
        /// When.
        at: Time,
    },
    /// The effective weight of a backend in a frontend changed. From zero up, these add up to the present weights, but
    /// for a frontend that is removed, which takes its weights with it.
    WeightChanged {
        /// The frontend.
        frontend: FrontendName,
        /// Its pool.
        pool: PoolName,
        /// The backend in it.
        backend: BackendName,
        /// The weight before.
        from: Weight,
        /// The weight after.
        to: Weight,
        /// Why.
        because: Reason,
        /// When.
        at: Time,
    },
}

impl Event {
    /// When it happened.
    pub const fn at(&self) -> Time {
        match self {
            Event::BackendChanged { transition, .. } | Event::BackendRemoved { transition, .. } => {
                transition.at
            }
            Event::BackendAdded { at, .. }
            | Event::FrontendAdded { at, .. }
            | Event::FrontendChanged { at, .. }
            | Event::FrontendRemoved { at, .. }
            | Event::IntentChanged { at, .. }
            | Event::WeightSet { at, .. }
            | Event::WeightEnded { at, .. }
            | Event::WeightChanged { at, .. } => *at,
        }
    }
}
