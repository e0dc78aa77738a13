//! Pure. A plan for VPP: its writes, and what they would do to new flows.

use maglev_api::v1;

use crate::view::vpp::Operation;
use crate::view::{counted, filled, view};

view! {
    /// What would be written to VPP, and what that would do to new flows.
    pub(crate) struct Plan {
        /// The writes, in order.
        pub(crate) operations: Vec<Operation>,
        /// What they would do, for each VIP written to.
        pub(crate) impacts: Vec<Impact>,
        /// For another configuration: why a reload would be refused unless it is forced.
        pub(crate) needs_force: Vec<String>,
        /// For another configuration: what a reload would do beside what the file says.
        pub(crate) notes: Vec<String>,
    }

    /// What writing would do to the new flows of a VIP.
    pub(crate) struct Impact {
        /// The addresses served.
        pub(crate) prefix: String,
        /// tcp or udp; null for every protocol.
        pub(crate) protocol: Option<String>,
        /// The port; null for every port.
        pub(crate) port: Option<u32>,
        /// The frontend it belongs to; null for a VIP that no frontend has.
        pub(crate) frontend: Option<String>,
        /// Whether the VIP is made anew, which loses all established flows.
        pub(crate) recreated: bool,
        /// The share of new flows that changes server, from 0 to 1.
        pub(crate) moved: f64,
        /// The part of it that belonged to servers that have less now, which could not be avoided.
        pub(crate) unavoidable: f64,
        /// Each server with its share before and after.
        pub(crate) servers: Vec<ShareChange>,
        /// From whom to whom the shares go.
        pub(crate) moves: Vec<ShareMove>,
        /// The worst state on the way; null where none is worse than the end.
        pub(crate) worst: Option<WorstMoment>,
    }

    /// The share of a server before and after.
    pub(crate) struct ShareChange {
        /// Its address.
        pub(crate) address: String,
        /// The backend it belongs to; null where none has the address.
        pub(crate) backend: Option<String>,
        /// The share before, from 0 to 1.
        pub(crate) before: f64,
        /// The share after.
        pub(crate) after: f64,
    }

    /// A share of new flows that goes from one server to another.
    pub(crate) struct ShareMove {
        /// The address it leaves; null for nobody.
        pub(crate) from: Option<String>,
        /// The address it goes to; null for nobody, whose flows are dropped.
        pub(crate) to: Option<String>,
        /// The share, from 0 to 1.
        pub(crate) share: f64,
    }

    /// A state between two writes.
    pub(crate) struct WorstMoment {
        /// After how many of the writes to the VIP.
        pub(crate) after_operations: u32,
        /// The share of new flows that is dropped then, though it is served before or after.
        pub(crate) dropped: f64,
        /// The share that a server has then which has it neither before nor after.
        pub(crate) astray: f64,
    }
}

impl From<v1::PlanVpplbStateResponse> for Plan {
    fn from(plan: v1::PlanVpplbStateResponse) -> Self {
        Self {
            operations: plan.operations.into_iter().map(Operation::from).collect(),
            impacts: plan.impacts.into_iter().map(Impact::from).collect(),
            needs_force: plan.needs_force,
            notes: plan.notes,
        }
    }
}

impl From<v1::FlowImpact> for Impact {
    fn from(impact: v1::FlowImpact) -> Self {
        let server = |server: v1::ShareChange| ShareChange {
            address: server.address,
            backend: filled(server.backend),
            before: server.before,
            after: server.after,
        };
        let moved = |moved: v1::ShareMove| ShareMove {
            from: filled(moved.from),
            to: filled(moved.to),
            share: moved.share,
        };
        let worst = |worst: v1::WorstMoment| WorstMoment {
            after_operations: worst.after_operations,
            dropped: worst.dropped,
            astray: worst.astray,
        };
        Self {
            prefix: impact.prefix,
            protocol: filled(impact.protocol),
            port: counted(impact.port),
            frontend: filled(impact.frontend),
            recreated: impact.recreated,
            moved: impact.moved,
            unavoidable: impact.unavoidable,
            servers: impact.servers.into_iter().map(server).collect(),
            moves: impact.moves.into_iter().map(moved).collect(),
            worst: impact.worst.map(worst),
        }
    }
}
