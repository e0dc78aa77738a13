//! Edge. What the end-to-end tests stand on: the real binaries, real servers, and networks of their own.
//!
//! A test reads like an operator's day:
//!
//! - [`lab`] is a network of namespaces: a hub where the daemon lives, and hosts for backends. It needs root, and says
//!   loudly what is missing where it cannot be had; with `MAGLEV_TESTS_REQUIRE=1` that is a failure.
//! - [`nginx`] is a web server on such a host, with its access log to look into; [`server`] are small servers on
//!   loopback, for tests that need no root.
//! - [`vpp`] is a simulated VPP for the daemon to drive.
//! - [`authority`] certifies servers and clients, [`raw`] are calls by their paths, [`http2`] are frames as no library would
//!   send them.
//! - [`daemon`] is a running maglevd, [`config`] its configuration, [`operator`] somebody who calls it, [`cli`] somebody
//!   who types, [`metrics`] what it tells Prometheus.
//! - [`promql`] finds names in queries and [`logs`] log lines in source code, to hold them against the documentation.
//! - [`wait`] waits for what should become true, until a deadline, and then shows what was last seen.
//!
//! Nothing here sleeps and hopes, and no test shares a port, a directory or a network with another.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot get what it needs has failed, and should say so where it stands"
)]

pub mod authority;
pub mod binaries;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod http2;
pub mod lab;
pub mod logs;
pub mod manager;
pub mod metrics;
pub mod nginx;
pub mod operator;
pub mod problems;
pub mod process;
pub mod promql;
pub mod raw;
pub mod requirements;
pub mod server;
pub mod vpp;
pub mod wait;
