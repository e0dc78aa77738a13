//! Edge. What keeps the handbook and the man pages true. Tests use it, programs do not.
//!
//! Three kinds of test rest on it. Pages that are made from the program are compared with what is in `docs`
//! ([`golden`]); man pages are put together the same way for every program ([`man`], with its flags
//! from [`flags`]); and what the pages show, such as
//! commands and configurations, is taken out of them to be tried ([`markdown`]).

pub mod flags;
pub mod golden;
pub mod man;
pub mod markdown;

pub use golden::root;
