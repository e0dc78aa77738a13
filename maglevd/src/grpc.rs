//! Edge. The gRPC service.

mod access;
mod convert;
mod dataplane;
mod incoming;
mod refusal;
mod server;
mod service;
mod suppose;
mod watch;

pub use self::server::{Servers, serve};
pub use self::service::Service;
