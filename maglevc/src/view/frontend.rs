//! Pure. Frontends and the pools behind them.

use maglev_api::v1;

use crate::view::backend::Weight;
use crate::view::words::{BackendState, FrontendState};
use crate::view::{Time, counted, filled, time, view};

view! {
    /// One VIP and the pools behind it.
    pub(crate) struct Frontend {
        /// Its name.
        pub(crate) name: String,
        /// What people say of it.
        pub(crate) description: Option<String>,
        /// The addresses served, such as 203.0.113.1/32.
        pub(crate) prefix: String,
        /// tcp or udp; null for every protocol.
        pub(crate) protocol: Option<String>,
        /// The port; null for every port.
        pub(crate) port: Option<u32>,
        /// Its state.
        pub(crate) state: FrontendState,
        /// Since when it has this state.
        pub(crate) since: Option<Time>,
        /// The pool that takes the traffic; null when none does.
        pub(crate) active_pool: Option<String>,
        /// Whether all flows of a source address go to one server.
        pub(crate) src_ip_sticky: bool,
        /// Whether a backend that goes down loses its established flows.
        pub(crate) flush_on_down: bool,
        /// gre4 or gre6.
        pub(crate) encap: Option<String>,
        /// The configured length of VPP's new-flow table; null for auto.
        pub(crate) table_length: Option<u32>,
        /// The configured weight-steps; null where there are none.
        pub(crate) weight_steps: Option<u32>,
        /// The length that the table of a VIP added now gets; null from a server that does not say.
        pub(crate) table_length_desired: Option<u32>,
        /// The fingerprint of the table that VPP has: the same on every machine with the same table; null where VPP does not
        /// have the VIP or is not connected.
        pub(crate) fingerprint: Option<String>,
        /// The fingerprint of the table that VPP should have.
        pub(crate) fingerprint_desired: Option<String>,
        /// Its pools in order of preference.
        pub(crate) pools: Vec<Pool>,
    }

    /// Backends that share the traffic of a frontend while their pool is active.
    pub(crate) struct Pool {
        /// Its name.
        pub(crate) name: String,
        /// Whether it takes the traffic.
        pub(crate) active: bool,
        /// Its backends in the order of the configuration.
        pub(crate) backends: Vec<PoolBackend>,
    }

    /// A backend in a pool.
    pub(crate) struct PoolBackend {
        /// Its name.
        pub(crate) name: String,
        /// Its address.
        pub(crate) address: String,
        /// Its state.
        pub(crate) state: BackendState,
        /// Its weight here.
        pub(crate) weight: Weight,
    }

    /// A frontend after an operator's change of a weight.
    pub(crate) struct WeightChange {
        /// False when it already was so.
        pub(crate) changed: bool,
        /// The pool.
        pub(crate) pool: String,
        /// The backend in it.
        pub(crate) backend: String,
        /// The weight that was asked for.
        pub(crate) weight: u32,
        /// The frontend.
        pub(crate) frontend: Frontend,
    }
}

impl From<v1::Frontend> for Frontend {
    fn from(frontend: v1::Frontend) -> Self {
        Self {
            state: frontend.state().into(),
            since: time(frontend.since),
            name: frontend.name,
            description: filled(frontend.description),
            prefix: frontend.prefix,
            protocol: filled(frontend.protocol),
            port: counted(frontend.port),
            active_pool: filled(frontend.active_pool),
            src_ip_sticky: frontend.src_ip_sticky,
            flush_on_down: frontend.flush_on_down,
            encap: filled(frontend.encap),
            table_length: counted(frontend.table_length),
            weight_steps: counted(frontend.weight_steps),
            table_length_desired: counted(frontend.table_length_desired),
            fingerprint: filled(frontend.fingerprint),
            fingerprint_desired: filled(frontend.fingerprint_desired),
            pools: frontend.pools.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<v1::Pool> for Pool {
    fn from(pool: v1::Pool) -> Self {
        Self {
            name: pool.name,
            active: pool.active,
            backends: pool.backends.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<v1::PoolBackend> for PoolBackend {
    fn from(backend: v1::PoolBackend) -> Self {
        Self {
            state: backend.state().into(),
            weight: Weight::new(
                backend.effective_weight,
                backend.configured_weight,
                backend.reason().into(),
                backend.weight_override,
                backend.override_attribution,
            ),
            name: backend.name,
            address: backend.address,
        }
    }
}
