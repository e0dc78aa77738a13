//! Pure. Why a backend has the weight it has, and what would change that.

use crate::view::backend::Weight;
use crate::view::view;
use crate::view::words::BackendState;

view! {
    /// Why a backend has the weight it has.
    pub(crate) struct Explanation {
        /// The backend.
        pub(crate) backend: String,
        /// Its state.
        pub(crate) state: BackendState,
        /// Each place where it serves.
        pub(crate) places: Vec<Place>,
    }

    /// Why it has its weight in one place.
    pub(crate) struct Place {
        /// The frontend.
        pub(crate) frontend: String,
        /// The pool.
        pub(crate) pool: String,
        /// The weight.
        pub(crate) weight: Weight,
        /// What leads to it, in the order in which it is worked out.
        pub(crate) causes: Vec<Link>,
        /// What would change it.
        pub(crate) changes: Vec<Change>,
    }

    /// One cause of a weight.
    pub(crate) struct Link {
        /// What is looked at: configured, override, intent, health, pool or vpp.
        pub(crate) cause: &'static str,
        /// Whether it lets the backend take new flows.
        pub(crate) passes: bool,
        /// What is found, in a sentence.
        pub(crate) finding: String,
    }

    /// What would change a weight.
    pub(crate) struct Change {
        /// What would have to happen: something to wait for, or a command.
        pub(crate) what: String,
        /// What the weight would be then, in a sentence.
        pub(crate) effect: String,
    }
}
