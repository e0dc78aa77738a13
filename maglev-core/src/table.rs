//! Pure. Maglev lookup tables: which backend a new flow goes to.
//!
//! A table has many more slots than there are backends. A flow's hash picks a slot and the slot names the backend, so that
//! every machine with the same table sends a flow to the same place without talking to the others. Maglev hashing
//! ([NSDI '16, section 3.4][paper]) fills the table so that shares are as even as they can be and a backend that
//! comes or goes moves few flows between the others.
//!
//! | module | table |
//! |---|---|
//! | [`paper`] | the one of the paper, from two hashes of each backend's name or address |
//! | [`vpp`] | the one VPP's `lb` plugin builds, slot by slot |
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
