//! Pure. Who the server takes the caller for.

use maglev_api::v1;

use crate::view::words::Role;
use crate::view::{filled, view};

view! {
    /// Who the server takes you for, and what you may do.
    pub(crate) struct Access {
        /// Where the daemon was asked.
        pub(crate) server: String,
        /// The user of the access file; null where it names none.
        pub(crate) user: Option<String>,
        /// How you came in.
        pub(crate) from: String,
        /// What you may do.
        pub(crate) role: Role,
        /// The backends you may change, as patterns; null for all. It counts for the role `admin` only.
        pub(crate) backends: Option<Vec<String>>,
        /// The frontends you may change, as patterns; null for all. It counts for the role `admin` only.
        pub(crate) frontends: Option<Vec<String>>,
    }
}

impl Access {
    /// What the daemon at this address says of the caller.
    pub(crate) fn new(server: String, access: v1::GetAccessResponse) -> Self {
        let some = |patterns: Vec<String>| Some(patterns).filter(|patterns| !patterns.is_empty());
        Self {
            server,
            role: access.role().into(),
            user: filled(access.user),
            from: access.from,
            backends: some(access.backends),
            frontends: some(access.frontends),
        }
    }
}
