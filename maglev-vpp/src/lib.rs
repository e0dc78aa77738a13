//! Edge. An async client for VPP's binary API and stats segment, made for the `lb` plugin.

pub mod capability;
pub mod client;
pub mod error;
pub mod lb;
pub mod message;
pub mod monitor;
pub mod retval;
#[cfg(feature = "sim")]
pub mod sim;
pub mod stats;
pub mod wire;

pub use capability::{Capabilities, Unsupported, UnsupportedReason};
pub use client::{Client, InFlight, Options, VppInfo};
pub use error::{CallError, CloseReason, ConnectError, ErrorClass};
pub use lb::{LoadBalancer, ObserveError, OpError};
pub use maglev_core::observed::{Conf, Encapsulation, ForeignKey, Observed, ServerState, VipState};
pub use maglev_core::plan::Operation;
pub use monitor::{Monitor, Outcome};
pub use retval::Retval;
