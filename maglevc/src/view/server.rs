//! Pure. Servers that have a name.

use crate::view::view;

view! {
    /// A server that has a name, from the client's configuration.
    pub(crate) struct NamedServer {
        /// Its name.
        pub(crate) name: String,
        /// Its address.
        pub(crate) address: String,
        /// Whether it is spoken to over TLS.
        pub(crate) tls: bool,
        /// Whether it is meant where none is named.
        #[serde(rename = "default")]
        pub(crate) is_default: bool,
        /// The file that names it.
        pub(crate) file: String,
    }
}
