//! Pure. Who may do what: roles, users, and what they show to be known.
//!
//! [`config::parse_access`](crate::config::parse_access) makes an [`Access`] of a file. Whoever serves calls finds out what
//! a peer shows, and asks here whom that makes it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::names::UserName;
use crate::pattern::Pattern;

/// What a caller may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Nothing.
    None,
    /// Look at everything but the audit log.
    Viewer,
    /// Look at everything and change it, within the patterns.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::None => "none",
            Role::Viewer => "viewer",
            Role::Admin => "admin",
        })
    }
}

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The role of those who come over the network without credentials: viewer or none. Default viewer.
    pub anonymous: Role,
    /// The role of those who come over loopback without credentials. Default admin.
    pub loopback: Role,
    /// The role of those who come over a Unix socket as a user that is not named. Default admin.
    pub unix: Role,
    /// The users by name.
    pub users: BTreeMap<UserName, User>,
}

/// What is so without a file: everybody may look, and whoever is on the same host may change things.
impl Default for Access {
    fn default() -> Self {
        Access { anonymous: Role::Viewer, loopback: Role::Admin, unix: Role::Admin, users: BTreeMap::new() }
    }
}

impl Access {
    /// The user with one of these names in its certificate.
    pub fn by_certificate(&self, names: &[String]) -> Option<(&UserName, &User)> {
        self.users.iter().find(|(_, user)| user.certificates.iter().any(|own| names.contains(own)))
    }

    /// The user with this user id on a Unix socket.
    pub fn by_uid(&self, uid: u32) -> Option<(&UserName, &User)> {
        self.users.iter().find(|(_, user)| user.uids.contains(&uid))
    }

    /// The user with a token of this digest. `same` compares two digests in constant time; every entry is looked at, so
    /// that the time tells nothing either.
    pub fn by_token(
        &self,
        digest: &[u8; 32],
        same: impl Fn(&[u8; 32], &[u8; 32]) -> bool,
    ) -> Option<(&UserName, &User)> {
        let mut found = None;
        for (name, user) in &self.users {
            for token in &user.tokens {
                if same(&token.0, digest) {
                    found = Some((name, user));
                }
            }
        }
        found
    }
}

/// Somebody who is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// Viewer or admin.
    pub role: Role,
    /// Names in its client certificates.
    pub certificates: Vec<String>,
    /// Digests of its tokens.
    pub tokens: Vec<TokenDigest>,
    /// Its user ids on a Unix socket.
    pub uids: Vec<u32>,
    /// The backends it may change; empty for all.
    pub backends: Vec<Pattern>,
    /// The frontends it may change; empty for all.
    pub frontends: Vec<Pattern>,
}

/// What a token is stored as: the SHA-256 of its text, written as `sha256:` and 64 hexadecimal digits. Tokens are 256
/// random bits, so a plain hash is enough: there is nothing to guess.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenDigest(pub [u8; 32]);

/// The text is no digest of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is stored as `sha256:` and 64 hexadecimal digits")]
pub struct InvalidDigest;

impl FromStr for TokenDigest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let digits = text.strip_prefix("sha256:").map(str::as_bytes).ok_or(InvalidDigest)?;
        let mut digest = [0; 32];
        if digits.len() != 2 * digest.len() {
            return Err(InvalidDigest);
        }
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16).ok_or(InvalidDigest)?;
                *byte = *byte << 4 | u8::try_from(value).map_err(|_| InvalidDigest)?;
            }
        }
        Ok(TokenDigest(digest))
    }
}

impl fmt::Display for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Kept out of logs, though no token can be found from it.
impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest")
    }
}

impl Serialize for TokenDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
