//! Pure. Maglev load balancing without I/O.
//!
//! Nothing in this crate opens a socket, starts a task, reads a clock or writes a log: time and input come in as
//! parameters, decisions go out as values, and the same input gives the same output byte for byte.

pub mod check;
pub mod config;
pub mod desired;
pub mod engine;
pub mod health;
pub mod intent;
pub mod names;
pub mod net;
pub mod observed;
pub mod outcome;
pub mod plan;
pub mod table;
pub mod time;
pub mod weight;
