//! Edge. An async client for VPP's binary API and stats segment, made for the `lb` (Maglev load balancer) plugin.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use maglev_core::net::{Encap, Protocol, Service, Vip};
//! use maglev_vpp::{Client, LoadBalancer, Operation, Options};
//!
//! let client = Client::connect("/run/vpp/api.sock", Options::default()).await?;
//! println!("VPP {}", client.info().version);
//! // Refuses a VPP whose lb plugin cannot be trusted, in a sentence for its operator.
//! let lb = LoadBalancer::new(client)?;
//!
//! let vip = Vip { prefix: "203.0.113.1/32".parse()?, service: Service::Port(Protocol::Tcp, 80) };
//! let operations = [
//!     Operation::AddVip { vip, encap: Encap::Gre4, table_length: 1024, src_ip_sticky: false },
//!     Operation::AddServer { vip, address: "10.0.0.1".parse()?, weight: 1 },
//! ];
//! // Pipelined, each with its own result.
//! for result in lb.execute(&operations).await {
//!     result?;
//! }
//! for state in lb.observe().await?.vips {
//!     println!("{} has {} servers", state.vip, state.servers.len());
//! }
//! # Ok(()) }
//! ```
//!
//! | module | |
//! |---|---|
//! | [`client`] | one connection, shared by any number of tasks; requests pipelined, answers matched by context |
//! | [`lb`] | what the plugin has ([`LoadBalancer::observe`]) and changes to it ([`LoadBalancer::execute`]) |
//! | [`capability`] | what a VPP can be used for, read off its message table |
//! | [`stats`] | counters, read lock-free out of VPP's shared memory |
//! | [`message`], [`wire`] | typed messages, fields and frames, for those who need others than `lb` does |
//! | `sim` (feature `sim`) | a simulated VPP on real sockets, with faults on request; also as the program `maglev-vpp-sim` |
//!
//! # What it does about a peer that misbehaves
//!
//! Every read is bounds-checked; a frame above 32 MiB and a message table that makes no sense end the connection. Every
//! wait has a deadline. Nothing grows without bound: requests queue up to a limit and their callers wait, a dump is given
//! up at 64 MiB. A message counts as understood only if name and layout (the CRC VPP puts in its table) are those this
//! crate was written for. Whatever is read of the stats segment is thrown away unless the segment stood still meanwhile.
//!
//! # Why another crate
//!
//! There are others for VPP's API. As of this writing:
//!
//! | crate | what it is | why not |
//! |---|---|---|
//! | `vpp-api-transport` 0.1 (2021) | blocking transport over socket or shared memory | builds only where `libvppapiclient` is installed; one connection a process; panics on I/O errors; does not answer keepalives, so VPP drops it; no pipelining |
//! | `vpp-api-message` 0.0.1, `vpp-api` 0.0.0 | a trait and a placeholder | nothing to use |
//! | `vpp-api-gen` and its macros (unpublished) | a generator from `.api.json` | types for every message but no connection to send them on; generated code panics on what it does not expect |
//! | `vpp-stat-client` (unpublished) | bindings to the C stats client | needs VPP's headers; panics on the counter types today's VPP has |
//! | `vpp-plugin` 0.3 | a framework for plugins inside VPP | not a client |
//!
//! None is asynchronous, maintained and safe to leave running for a year. The protocol is small; messages here are
//! declared by hand, some twenty of them, in the words of the `.api` files, so that no code generator and nothing of VPP
//! is needed to build. Whoever needs most of VPP's messages is better served by a generator.

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
