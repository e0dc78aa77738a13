//! Pure. A new token.

use crate::view::view;

view! {
    /// A new token. It is nowhere but here.
    pub(crate) struct Token {
        /// The token, for a file of the client: 256 random bits as 43 characters of base64url.
        pub(crate) token: String,
        /// `sha256:` and the hash of the token in hexadecimal, for the access file of maglevd.
        pub(crate) hash: String,
    }
}
