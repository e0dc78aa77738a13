//! Pure. The first line of a state file: what it is, its version, and the checksum of the rest.
//!
//! ```text
//! {"maglevd":"intent","version":2,"xxh64":"9f2c0a51b3e47d68"}
//! {"backends":{…},"weights":{…}}
//! ```
//!
//! The checksum is XXH64 with seed 0 over every byte after the first line break. It is there to notice damage, by a disk
//! or an editor, and not to keep anybody from changing the file: 64 bits make it certain enough, and this workspace has
//! it already, for a hash that is the same on every machine and for ever.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use twox_hash::XxHash64;

#[derive(Serialize, Deserialize)]
struct Header {
    maglevd: String,
    version: u32,
    xxh64: String,
}

/// What is wrong with a state file.
#[derive(Debug, Error)]
pub enum Damage {
    /// It does not begin as a state file of this kind does.
    #[error("it does not begin as a file of maglevd does: it is empty, cut off, or somebody else's")]
    Foreign,
    /// It is a state file of another kind.
    #[error("it is maglevd's file of {0:?}")]
    OtherKind(String),
    /// It is of another version.
    #[error("it has version {found}, and this maglevd knows version {known}")]
    OtherVersion {
        /// Its version.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// It was changed or cut off after it was written.
    #[error("its checksum is {found} and should be {expected}: it was changed, or cut off")]
    Checksum {
        /// That of what is there.
        found: String,
        /// The one it was written with.
        expected: String,
    },
    /// It is whole, and makes no sense.
    #[error("it makes no sense")]
    Content(#[source] serde_json::Error),
}

/// The bytes of a file.
///
/// # Errors
/// When the content is of a type that JSON cannot hold.
pub fn encode<T: Serialize>(kind: &str, version: u32, content: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = serde_json::to_vec_pretty(content)?;
    body.push(b'\n');
    let header = Header { maglevd: kind.to_owned(), version, xxh64: checksum(&body) };
    let mut bytes = serde_json::to_vec(&header)?;
    bytes.push(b'\n');
    bytes.append(&mut body);
    Ok(bytes)
}

/// What a file says.
///
/// # Errors
/// When it is not a file of this kind and version, or not as it was written.
pub fn decode<T: DeserializeOwned>(kind: &str, version: u32, bytes: &[u8]) -> Result<T, Damage> {
    let end = bytes.iter().position(|&byte| byte == b'\n').ok_or(Damage::Foreign)?;
    let (first, body) = bytes.split_at(end);
    let body = body.get(1..).unwrap_or_default();
    let header: Header = serde_json::from_slice(first).map_err(|_| Damage::Foreign)?;
    if header.maglevd != kind {
        return Err(Damage::OtherKind(header.maglevd));
    }
    if header.version != version {
        return Err(Damage::OtherVersion { found: header.version, known: version });
    }
    let found = checksum(body);
    if found != header.xxh64 {
        return Err(Damage::Checksum { found, expected: header.xxh64 });
    }
    serde_json::from_slice(body).map_err(Damage::Content)
}

fn checksum(body: &[u8]) -> String {
    format!("{:016x}", XxHash64::oneshot(0, body))
}
