//! Pure. Backends: their health, what operators want of them, and where they serve.

use maglev_api::v1;

use crate::view::words::{BackendState, Cause, IntentKind, WeightReason};
use crate::view::{Time, filled, seconds, time, view};

view! {
    /// One server address that is watched.
    pub(crate) struct Backend {
        /// Its name.
        pub(crate) name: String,
        /// Its address.
        pub(crate) address: String,
        /// Its state.
        pub(crate) state: BackendState,
        /// Since when it has this state.
        pub(crate) since: Option<Time>,
        /// The health check; null for a backend that is always up.
        pub(crate) health_check: Option<String>,
        /// Whether it may take traffic, from the configuration and the operator together.
        pub(crate) enabled: bool,
        /// The health counter.
        pub(crate) health: Health,
        /// The last probe; null before the first.
        pub(crate) last_probe: Option<Probe>,
        /// When the next probe is due; null while none is.
        pub(crate) next_probe_at: Option<Time>,
        /// Why its probes cannot be made; null while they can.
        pub(crate) unprobeable: Option<Unprobeable>,
        /// What an operator wants of it; null for nothing.
        pub(crate) intent: Option<Intent>,
        /// Where it serves.
        pub(crate) memberships: Vec<Membership>,
        /// The last transitions, newest first.
        pub(crate) transitions: Vec<Transition>,
    }

    /// A health counter: a pass adds one, a failure takes one, and from `rise` up the backend is up.
    pub(crate) struct Health {
        /// The counter, from 0 to `full`.
        pub(crate) counter: u32,
        /// Its value at full health: rise + fall - 1.
        pub(crate) full: u32,
        /// Values from this one up are up; this many passes bring a backend that is fully down up.
        pub(crate) rise: u32,
        /// This many failures take a backend at full health down.
        pub(crate) fall: u32,
    }

    /// Probes of a backend that cannot be made, for a reason on the side of maglevd.
    pub(crate) struct Unprobeable {
        /// When the first of them could not be made.
        pub(crate) since: Option<Time>,
        /// What stood in the way of the last.
        pub(crate) reason: String,
    }

    /// What one probe found.
    pub(crate) struct Probe {
        /// HAProxy's code, such as L7OK.
        pub(crate) code: String,
        /// Whether the backend answered as it should; null when the probe could not be made.
        pub(crate) success: Option<bool>,
        /// What happened, in a sentence.
        pub(crate) detail: String,
        /// When the probe ended.
        pub(crate) at: Option<Time>,
        /// From the start to the connection, or to the echo.
        pub(crate) connect_seconds: Option<f64>,
        /// From the connection to the TLS session.
        pub(crate) tls_seconds: Option<f64>,
        /// From there to the end of the answer.
        pub(crate) response_seconds: Option<f64>,
        /// The whole probe.
        pub(crate) total_seconds: Option<f64>,
    }

    /// What an operator wants of a backend, in place of what the configuration says.
    pub(crate) struct Intent {
        /// What.
        pub(crate) kind: IntentKind,
        /// Who.
        pub(crate) by: Option<String>,
        /// When.
        pub(crate) at: Option<Time>,
        /// Why.
        pub(crate) reason: Option<String>,
        /// When it ends by itself; null for never.
        pub(crate) until: Option<Time>,
    }

    /// Who set a weight in place of the configured one, when and why.
    pub(crate) struct Override {
        /// The weight.
        pub(crate) weight: u32,
        /// Who.
        pub(crate) by: Option<String>,
        /// When.
        pub(crate) at: Option<Time>,
        /// Why.
        pub(crate) reason: Option<String>,
        /// When it ends by itself; null for never.
        pub(crate) until: Option<Time>,
    }

    /// The weight of a backend in a pool.
    pub(crate) struct Weight {
        /// The weight in effect.
        pub(crate) effective: u32,
        /// The configured weight.
        pub(crate) configured: u32,
        /// The operator's weight in its place; null for none.
        #[serde(rename = "override")]
        pub(crate) overridden: Option<Override>,
        /// Why the weight in effect is what it is.
        pub(crate) because: WeightReason,
    }

    /// A backend's place in a frontend.
    pub(crate) struct Membership {
        /// The frontend.
        pub(crate) frontend: String,
        /// The pool.
        pub(crate) pool: String,
        /// The pool of this frontend that takes the traffic; null when none does.
        pub(crate) active_pool: Option<String>,
        /// Its weight there.
        pub(crate) weight: Weight,
    }

    /// A change of state.
    pub(crate) struct Transition {
        /// The state before.
        pub(crate) from: BackendState,
        /// The state after.
        pub(crate) to: BackendState,
        /// When.
        pub(crate) at: Option<Time>,
        /// What set it off.
        pub(crate) cause: Cause,
        /// For a probe its code.
        pub(crate) code: Option<String>,
        /// What the probe saw, or who asked and why, in a sentence.
        pub(crate) detail: Option<String>,
    }

    /// A backend after an operator's change.
    pub(crate) struct BackendChange {
        /// False when it already was so.
        pub(crate) changed: bool,
        /// The backend.
        pub(crate) backend: Backend,
    }
}

impl From<v1::Backend> for Backend {
    fn from(backend: v1::Backend) -> Self {
        Self {
            state: backend.state().into(),
            since: time(backend.since),
            health: Health {
                counter: backend.health,
                full: backend.rise.saturating_add(backend.fall).saturating_sub(1),
                rise: backend.rise,
                fall: backend.fall,
            },
            name: backend.name,
            address: backend.address,
            health_check: filled(backend.health_check),
            enabled: backend.enabled,
            last_probe: backend.last_probe.map(Into::into),
            next_probe_at: time(backend.next_probe_at),
            intent: backend.intent.and_then(intent),
            unprobeable: backend.unprobeable.map(|unprobeable| Unprobeable {
                since: time(unprobeable.since),
                reason: unprobeable.reason,
            }),
            memberships: backend.memberships.into_iter().map(Into::into).collect(),
            transitions: backend.transitions.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<v1::ProbeResult> for Probe {
    fn from(probe: v1::ProbeResult) -> Self {
        Self {
            code: probe.code,
            success: probe.success,
            detail: probe.detail,
            at: time(probe.at),
            connect_seconds: seconds(probe.connect),
            tls_seconds: seconds(probe.tls),
            response_seconds: seconds(probe.response),
            total_seconds: seconds(probe.total),
        }
    }
}

/// An intent that wants something.
fn intent(intent: v1::Intent) -> Option<Intent> {
    let kind = IntentKind::from(intent.kind());
    let who = intent.attribution.unwrap_or_default();
    (kind != IntentKind::Unspecified).then(|| Intent {
        kind,
        by: filled(who.by),
        at: time(who.at),
        reason: filled(who.reason),
        until: time(who.expires_at),
    })
}

impl Weight {
    /// The weight of a backend somewhere, from the parts that the contract has of it in two places.
    pub(crate) fn new(
        effective: u32,
        configured: u32,
        because: WeightReason,
        overridden: Option<u32>,
        attribution: Option<v1::Attribution>,
    ) -> Self {
        let overridden = overridden.map(|weight| {
            let who = attribution.unwrap_or_default();
            Override {
                weight,
                by: filled(who.by),
                at: time(who.at),
                reason: filled(who.reason),
                until: time(who.expires_at),
            }
        });
        Self { effective, configured, overridden, because }
    }

    /// The weight it has when it is up and its pool is active.
    pub(crate) fn wanted(&self) -> u32 {
        self.overridden.as_ref().map_or(self.configured, |overridden| overridden.weight)
    }
}

impl From<v1::Membership> for Membership {
    fn from(membership: v1::Membership) -> Self {
        Self {
            weight: Weight::new(
                membership.effective_weight,
                membership.configured_weight,
                membership.reason().into(),
                membership.weight_override,
                membership.override_attribution,
            ),
            frontend: membership.frontend,
            pool: membership.pool,
            active_pool: filled(membership.active_pool),
        }
    }
}

impl From<v1::Transition> for Transition {
    fn from(transition: v1::Transition) -> Self {
        Self {
            from: transition.from().into(),
            to: transition.to().into(),
            at: time(transition.at),
            cause: transition.cause().into(),
            code: filled(transition.code),
            detail: filled(transition.detail),
        }
    }
}

impl From<v1::BackendIntentResponse> for BackendChange {
    fn from(response: v1::BackendIntentResponse) -> Self {
        Self { changed: response.changed, backend: response.backend.unwrap_or_default().into() }
    }
}
