//! Pure. Nothing but what tests the handbook: every block of Rust in these pages is compiled, and run unless it says otherwise.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
mod embedding {}
