//! Pure. Events as they happen.

use std::collections::BTreeMap;

use maglev_api::v1;
use maglev_api::v1::event::Event as Happened;

use crate::view::backend::Transition;
use crate::view::words::{BackendState, EventKind, FrontendState, LogLevel};
use crate::view::{Time, filled, time, view};

view! {
    /// Something that happened, or is so. Which other fields there are depends on `type`.
    pub(crate) struct Event {
        /// When.
        pub(crate) at: Option<Time>,
        /// What.
        #[serde(flatten)]
        pub(crate) what: What,
    }
}

/// What an event is about.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum What {
    /// A log line of the daemon.
    Log {
        /// Its level.
        level: LogLevel,
        /// Its text.
        message: String,
        /// Its fields.
        fields: BTreeMap<String, String>,
    },
    /// A backend, or a change of it.
    Backend {
        /// Which of these.
        kind: EventKind,
        /// Its name.
        backend: String,
        /// Its state now.
        state: BackendState,
        /// The change; for a present state the last one, null when there was none.
        transition: Option<Transition>,
    },
    /// A frontend, or a change of it.
    Frontend {
        /// Which of these.
        kind: EventKind,
        /// Its name.
        frontend: String,
        /// Its state now.
        state: FrontendState,
        /// Its state before; for a present state the same.
        from: FrontendState,
        /// The active pool now; null for none.
        active_pool: Option<String>,
        /// The active pool before; for a present state the same.
        from_pool: Option<String>,
    },
    /// The present state is complete; what follows are changes.
    Synchronized,
    /// The watch was too slow; the present state follows.
    Lagged {
        /// How many events it missed.
        missed: u64,
    },
    /// Something that this client is too old to know.
    Other,
}

impl From<v1::Event> for Event {
    fn from(event: v1::Event) -> Self {
        let what = match event.event {
            Some(Happened::Log(log)) => What::Log {
                level: log.level().into(),
                message: log.message,
                fields: log.fields.into_iter().collect(),
            },
            Some(Happened::Backend(event)) => What::Backend {
                kind: event.kind().into(),
                state: event.state().into(),
                backend: event.backend,
                transition: event.transition.map(Into::into),
            },
            Some(Happened::Frontend(event)) => What::Frontend {
                kind: event.kind().into(),
                state: event.state().into(),
                from: event.from().into(),
                frontend: event.frontend,
                active_pool: filled(event.active_pool),
                from_pool: filled(event.from_pool),
            },
            Some(Happened::Synchronized(v1::SynchronizedEvent {})) => What::Synchronized,
            Some(Happened::Lagged(lagged)) => What::Lagged { missed: lagged.missed },
            None => What::Other,
        };
        Self { at: time(event.at), what }
    }
}
