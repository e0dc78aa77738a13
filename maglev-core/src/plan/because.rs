//! Pure. The reasons for what is written.

use std::fmt;

use serde::Serialize;

use crate::desired::Reason;
use crate::names::BackendName;

/// Why something is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// The parameters of the load balancer differ from the configuration.
    Conf,
    /// The VIP is missing.
    VipMissing,
    /// Properties of the VIP differ that can only be set when it is made.
    VipDiffers(Vec<Difference>),
    /// No frontend has the VIP any more.
    VipDropped,
    /// No frontend has the VIP, and the configuration says that all VIPs are ours.
    VipForeign,
    /// The server is missing.
    ServerMissing {
        /// The backend.
        backend: BackendName,
        /// Why it has its weight.
        because: Reason,
    },
    /// The VIP has no such server any more.
    ServerDropped,
    /// The server's weight differs.
    Weight {
        /// The backend.
        backend: BackendName,
        /// The weight it had.
        from: u8,
        /// Why it has its weight.
        because: Reason,
    },
    /// An operator asked to evict the server's flows. Its weight stays as it is.
    Flush {
        /// The backend.
        backend: BackendName,
    },
    /// The server's weight is right, but it has come to it in a way that left it its flows.
    Evict {
        /// The backend.
        backend: BackendName,
        /// Why its flows are to be evicted.
        because: Reason,
    },
}

/// `nginx0 is down; its weight was 2`.
impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Conf => f.write_str("it differs from the configuration"),
            Because::VipMissing => f.write_str("the VIP is missing"),
            Because::VipDiffers(differences) => {
                f.write_str("its ")?;
                for (index, difference) in differences.iter().enumerate() {
                    let separator = match index {
                        0 => "",
                        _ if index + 1 == differences.len() => " and ",
                        _ => ", ",
                    };
                    write!(f, "{separator}{difference}")?;
                }
                f.write_str(if differences.len() == 1 { " differs" } else { " differ" })?;
                f.write_str(", which takes a new VIP")
            }
            Because::VipDropped => f.write_str("no frontend has it any more"),
            Because::VipForeign => f.write_str("no frontend has it, and ownership is exclusive"),
            Because::ServerMissing { backend, because } => {
                write!(f, "{backend} is missing; it {because}")
            }
            Because::ServerDropped => f.write_str("no backend of the frontend has this address"),
            Because::Weight { backend, from, because } => {
                write!(f, "{backend} {because}; its weight was {from}")
            }
            Because::Flush { backend } => write!(f, "an operator has the flows of {backend} evicted"),
            Because::Evict { backend, because } => write!(f, "{backend} {because}, and may still have flows"),
        }
    }
}

/// A property of a VIP that cannot be changed in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// How packets reach its servers.
    Encap,
    /// Whether flows stick to their source address.
    Stickiness,
    /// The length of the table of new flows.
    TableLength,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Difference::Encap => "encapsulation",
            Difference::Stickiness => "stickiness",
            Difference::TableLength => "table length",
        })
    }
}
