//! Pure. Everything at one time, for programs that follow it.

use crate::view::backend::Backend;
use crate::view::frontend::Frontend;
use crate::view::{Time, view};

view! {
    /// Every frontend at one time.
    pub(crate) struct FrontendsLook {
        /// When.
        pub(crate) at: Time,
        /// Every frontend.
        pub(crate) frontends: Vec<Frontend>,
    }

    /// Every backend at one time.
    pub(crate) struct BackendsLook {
        /// When.
        pub(crate) at: Time,
        /// Every backend.
        pub(crate) backends: Vec<Backend>,
    }
}
