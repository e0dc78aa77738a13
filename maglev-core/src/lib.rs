//! Pure. Maglev load balancing without I/O: what a control plane for VPP's `lb` plugin has to know and decide.
//!
//! Nothing in this crate opens a socket, starts a task, reads a clock or writes a log: time and input come in as
//! parameters, decisions go out as values, and the same input gives the same output byte for byte. It depends on neither
//! tokio nor libc.
//!
//! | module | what |
//! |---|---|
//! | [`engine`] | the whole in one: probes' outcomes, operators' requests and reloads in, things to do out |
//! | [`health`] | HAProxy's health counter, and when to probe next |
//! | [`desired`] | pools with failover: the weight of each backend in each frontend, with its reason |
//! | [`plan`] | what has to be written to a dataplane, in an order that never empties a VIP, and what that does to flows |
//! | [`table`] | Maglev's lookup table, as the paper has it and as VPP builds it; the fastest exact one we know of |
//! | [`weight`] | weights in VPP that keep their ratios and move few flows |
//! | [`config`] | the configuration file, all its errors at once |
//! | [`access`] | who may do what: the access file, roles and patterns |
//!
//! # Features
//! `engine` (on by default) is everything. Without it there are [`table`], [`weight`] and [`names`], which need three small
//! crates: for a dataplane that only wants lookup tables.
//!
//! # A table
//! ```
//! use std::net::IpAddr;
//!
//! use maglev_core::table::vpp;
//!
//! let servers: [(IpAddr, u8); 2] = [("192.0.2.11".parse()?, 2), ("192.0.2.12".parse()?, 1)];
//! let table = vpp::build(vpp::Length::new(1024)?, &servers);
//! let server = table.lookup(0xcafe).expect("somebody has a weight");
//! assert!(servers.iter().any(|(address, _)| address == server));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # An engine by hand
//! A driver feeds the engine and carries out its effects. This one answers every probe with a pass:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use maglev_core::config;
//! use maglev_core::desired::BackendState;
//! use maglev_core::engine::{Effect, Engine, Intents};
//! use maglev_core::outcome::{Code, Outcome, Timings};
//! use maglev_core::time::Time;
//!
//! let text = "
//! maglev:
//!   healthchecks: {web: {type: http, port: 80}}
//!   backends: {nginx0: {address: 192.0.2.11, healthcheck: web}}
//!   frontends:
//!     site:
//!       address: 203.0.113.1
//!       protocol: tcp
//!       port: 80
//!       pools: [{name: primary, backends: {nginx0: {}}}]
//! ";
//! let config = config::parse(text, &config::Options::default())?.config;
//! let mut engine = Engine::new(Arc::new(config), Intents::default(), 1, Time::ZERO);
//! assert_eq!(engine.backend("nginx0").map(|backend| backend.state()), Some(BackendState::Unknown));
//!
//! let due = engine.poll_timeout().expect("a first probe");
//! engine.handle_timeout(due);
//! while let Some(effect) = engine.poll_effect() {
//!     match effect {
//!         Effect::StartProbe(order) => {
//!             let timings = Timings { total: Duration::from_millis(1), ..Timings::default() };
//!             let outcome = Outcome { code: Code::L7Ok, detail: "got status 200".into(), timings };
//!             engine.handle_outcome(due + timings.total, &order.backend, order.id, outcome);
//!         }
//!         Effect::Event(event) => println!("{event:?}"),
//!         _ => {}
//!     }
//! }
//! assert_eq!(engine.backend("nginx0").map(|backend| backend.state()), Some(BackendState::Up));
//! # Ok::<(), config::Errors>(())
//! ```

#[cfg(feature = "engine")]
pub mod access;
#[cfg(feature = "engine")]
pub mod check;
#[cfg(feature = "engine")]
pub mod config;
#[cfg(feature = "engine")]
pub mod desired;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod health;
#[cfg(feature = "engine")]
pub mod intent;
pub mod names;
#[cfg(feature = "engine")]
pub mod net;
#[cfg(feature = "engine")]
pub mod observed;
#[cfg(feature = "engine")]
pub mod outcome;
#[cfg(feature = "engine")]
pub mod pattern;
#[cfg(feature = "engine")]
pub mod plan;
pub mod table;
pub mod text;
#[cfg(feature = "engine")]
pub mod time;
pub mod weight;
