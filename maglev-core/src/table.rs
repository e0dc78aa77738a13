//! Pure. Maglev lookup tables: which backend a new flow goes to.
//!
//! A table has many more slots than there are backends. A flow's hash picks a slot and the slot names the backend, so that
//! every machine with the same table sends a flow to the same place without talking to the others. Maglev hashing
//! ([NSDI '16, section 3.4][paper]) fills the table so that shares are as even as they can be and a backend that
//! comes or goes moves few flows between the others.
//!
//! | module | what |
//! |---|---|
//! | [`paper`] | the table of the paper, from two hashes of each backend's name or address |
//! | [`vpp`] | the one VPP's `lb` plugin builds, slot by slot, and what changing it would do |
//! | [`difference`] | what replacing one table by another does to new flows |
//! | [`reference`](mod@reference) | the algorithm as printed, to read and to compare with |
//!
//! ```
//! use maglev_core::table::Difference;
//! use maglev_core::table::paper::{Length, build};
//!
//! let before = build(Length::SMALL, ["nginx0", "nginx1", "nginx2"])?;
//! let after = build(Length::SMALL, ["nginx0", "nginx2"])?;
//! let flow = 0x9e37_79b9_7f4a_7c15;
//! assert!(before.lookup(flow).is_some());
//!
//! let difference = Difference::between(&before, &after)?;
//! assert!(difference.share() < 0.35);
//! assert_eq!(difference.orphaned, difference.unavoidable);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [paper]: https://www.usenix.org/conference/nsdi16/technical-sessions/presentation/eisenbud

pub mod difference;
mod entries;
mod fill;
mod identity;
pub mod paper;
pub mod reference;
pub mod vpp;

pub use difference::Difference;
pub use entries::{Entries, Entry, InvalidTable, Table};
pub use identity::Identity;
