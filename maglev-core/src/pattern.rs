//! Pure. Patterns for names: `*` for any text, `?` for any one character.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::names::MAX_LEN;
use crate::text::is_unprintable;

/// A pattern, matched against a whole name. At most [`MAX_LEN`] bytes, as names are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Pattern(String);

/// The text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// It is empty, and no name is.
    #[error("a pattern cannot be empty")]
    Empty,
    /// It is longer than any name.
    #[error("a pattern has at most {MAX_LEN} bytes")]
    TooLong,
    /// It has a character that no name has.
    #[error("no name has {0:?} in it")]
    Character(char),
}

impl Pattern {
    /// Whether a whole name fits.
    ///
    /// Takes at most the product of both lengths in steps, whatever the pattern.
    pub fn matches(&self, name: &str) -> bool {
        let (mut pattern, mut text) = (self.0.chars(), name.chars());
        // Where to go on when it does not fit: after the last star, with one more character given to it.
        let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            match (pattern.next(), text.clone().next()) {
                (Some('*'), _) => retry = Some((pattern.clone(), text.clone())),
                (Some('?'), Some(_)) => drop(text.next()),
                (Some(wanted), Some(found)) if wanted == found => drop(text.next()),
                (None, None) => return true,
                (Some(_) | None, Some(_)) | (Some(_), None) => {
                    let Some((after_star, from)) = &mut retry else { return false };
                    if from.next().is_none() {
                        return false;
                    }
                    (pattern, text) = (after_star.clone(), from.clone());
                }
            }
        }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        if text.is_empty() {
            return Err(InvalidPattern::Empty);
        }
        if text.len() > MAX_LEN {
            return Err(InvalidPattern::TooLong);
        }
        match text.chars().find(|c| c.is_whitespace() || is_unprintable(*c)) {
            Some(c) => Err(InvalidPattern::Character(c)),
            None => Ok(Pattern(text.to_owned())),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
