//! Edge. Health probes as single async calls.
#![forbid(unsafe_code)]

mod context;
mod fault;
mod http;
mod icmp;
mod netns;
mod probe;
mod prober;
mod sockets;
mod tcp;
mod text;
mod tls;

pub use self::context::Context;
pub use self::probe::{Finding, Probe, Probing};
pub use self::prober::{Builder, Prober, Target};
pub use self::tls::TlsClient;
