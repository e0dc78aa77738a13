//! Pure. The message table: which number each message has in one VPP process.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::field::{DecodeError, Field};

/// Bytes of a name in the table, with its NUL.
const NAME_LEN: usize = 64;

/// Names and numbers of all messages a VPP process has, as it sent them when the client registered.
///
/// A name is `lb_conf_get_51077d14`: what the `.api` file calls it, and the CRC of its layout. Numbers differ from one
/// process to the next; a name that is there means that this VPP speaks that very layout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageTable {
    ids: HashMap<Box<str>, u16>,
}

/// What was sent as a message table is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// It ends inside an entry.
    #[error("the message table does not have the {announced} entries it announces")]
    Truncated {
        /// Entries announced.
        announced: u16,
        /// Where it ends.
        #[source]
        source: DecodeError,
    },
    /// An entry's name is empty, or not printable ASCII.
    #[error("entry {index} of the message table has no readable name")]
    Name {
        /// Counted from 0.
        index: u16,
    },
    /// Two entries have the same name.
    #[error("the message table has {name} twice")]
    Duplicate {
        /// The name.
        name: String,
    },
}

impl MessageTable {
    /// Reads a table: a `u16` count, then for each message its number and its name in 64 bytes.
    ///
    /// # Errors
    /// [`TableError`] if it is cut short or its names make no sense.
    pub fn take(input: &mut &[u8]) -> Result<MessageTable, TableError> {
        let announced = u16::take(input).map_err(|source| TableError::Truncated { announced: 0, source })?;
        let mut ids = HashMap::new();
        for index in 0..announced {
            let (id, name) = entry(input).map_err(|source| TableError::Truncated { announced, source })?;
            let length = name.iter().position(|&byte| byte == 0).unwrap_or(NAME_LEN);
            let name = &name[..length];
            if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
                return Err(TableError::Name { index });
            }
            let name = String::from_utf8_lossy(name).into_owned();
            match ids.entry(name.into_boxed_str()) {
                Entry::Occupied(entry) => {
                    return Err(TableError::Duplicate { name: entry.key().to_string() });
                }
                Entry::Vacant(entry) => entry.insert(id),
            };
        }
        Ok(MessageTable { ids })
    }

    /// The number of a message, by its name with CRC; `None` if this VPP does not have it in that layout.
    pub fn id(&self, name_crc: &str) -> Option<u16> {
        self.ids.get(name_crc).copied()
    }

    /// Whether a message of this name is there, whatever its layout.
    pub fn has_name(&self, name: &str) -> bool {
        self.ids
            .keys()
            .any(|key| key.strip_prefix(name).is_some_and(|crc| crc.len() == 9 && crc.starts_with('_')))
    }

    /// Whether any name begins so: `lb_` finds out whether the plugin is loaded.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.ids.keys().any(|key| key.starts_with(prefix))
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

impl<S: Into<String>> FromIterator<(S, u16)> for MessageTable {
    fn from_iter<I: IntoIterator<Item = (S, u16)>>(entries: I) -> MessageTable {
        MessageTable {
            ids: entries.into_iter().map(|(name, id)| (name.into().into_boxed_str(), id)).collect(),
        }
    }
}

fn entry(input: &mut &[u8]) -> Result<(u16, [u8; NAME_LEN]), DecodeError> {
    Ok((u16::take(input)?, <[u8; NAME_LEN]>::take(input)?))
}

#[cfg(test)]
mod tests;
