//! Edge. The gRPC service.

mod access;
mod calls;
mod convert;
mod dataplane;
mod expiry;
mod incoming;
mod refusal;
mod server;
mod service;
mod suppose;
mod watch;

pub use self::calls::Calls;
pub use self::server::{Servers, calls, serve};
pub use self::service::Service;
