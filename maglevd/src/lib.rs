//! Driver. The control plane daemon for VPP's Maglev load balancer, as a library that its `main` and its tests run.
//!
//! [`daemon::Daemon`] joins the parts: [`control`] owns the engine of `maglev-core` and carries out what it says;
//! [`grpc`], [`metrics`] and [`reload`] are the edges it is reached by. [`accept`] and [`tls`] let connections in,
//! [`access`] says what their callers may do, and [`audit`] keeps what they asked for.

pub mod accept;
pub mod access;
pub mod answers;
pub mod audit;
pub mod clock;
pub mod control;
pub mod daemon;
pub mod failing;
pub mod grpc;
pub mod hangup;
pub mod http;
pub mod limits;
pub mod listen;
pub mod lock;
pub mod logging;
pub mod metrics;
pub mod narrate;
pub mod notify;
pub mod ownership;
pub mod peer;
pub mod places;
pub mod preflight;
pub mod problems;
pub mod rehearsal;
pub mod reload;
pub mod settings;
pub mod state;
pub mod supervision;
pub mod tally;
pub mod threads;
pub mod throttle;
pub mod tls;
pub mod version;
pub mod vpp;
pub mod worker;

#[cfg(test)]
mod fixture;
mod flags;
