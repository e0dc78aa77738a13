//! Pure. The names an operator gives to things, one type for each kind of thing.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::text::is_unprintable;

/// The longest name accepted, in bytes. Names become metric labels and table columns; DNS allows 253.
pub const MAX_LEN: usize = 253;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The text is empty.
    #[error("a name cannot be empty")]
    Empty,
    /// The text is longer than [`MAX_LEN`] bytes.
    #[error("a name has at most {MAX_LEN} bytes, this one has {0}")]
    TooLong(usize),
    /// The text holds a character that could not be typed as one word on a command line.
    #[error("a name is one word: {0:?} cannot be part of it")]
    Character(char),
}

fn check(text: &str) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.len() > MAX_LEN {
        return Err(InvalidName::TooLong(text.len()));
    }
    match text.chars().find(|c| c.is_whitespace() || is_unprintable(*c)) {
        Some(c) => Err(InvalidName::Character(c)),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// One word of at most [`MAX_LEN`] bytes; cheap to clone.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                check(text)?;
                Ok($name(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name!(
    /// The name of a backend: one server address that is watched.
    BackendName
);
name!(
    /// The name of a frontend: one VIP and the pools behind it.
    FrontendName
);
name!(
    /// What a client calls a server.
    ServerName
);
name!(
    /// The name of a user of the access file.
    UserName
);
name!(
    /// The name of a pool within its frontend.
    PoolName
);
name!(
    /// The name of a health check.
    CheckName
);

#[cfg(test)]
mod tests;
