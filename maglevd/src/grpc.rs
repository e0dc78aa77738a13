//! Edge. The gRPC service.

mod access;
mod answer;
mod calls;
mod convert;
mod dataplane;
mod expiry;
mod force;
mod judge;
mod kept;
mod reads;
mod refusal;
mod required;
mod rules;
mod server;
mod service;
mod suppose;
mod watch;

pub use self::calls::Calls;
pub(crate) use self::calls::code_name;
pub(crate) use self::refusal::not_taken;
pub use self::server::{LIMITS, Servers, calls, serve};
pub use self::service::{Parts, Service};
