//! Pure. What a command was given.

use std::ops::Range;
use std::time::Duration;

use crate::tree::Slot;
use crate::tree::parse::duration;

/// The values and options of one command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments {
    /// The line as it was typed.
    pub(crate) line: String,
    /// The words of the tree that were meant, in full.
    pub(crate) words: Vec<&'static str>,
    /// The values.
    pub(crate) values: Vec<Value>,
}

/// A value in a slot.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// Its slot.
    pub(crate) slot: Slot,
    /// The value: in full for choices, as typed for names until the server was asked.
    pub(crate) text: String,
    /// Where it stands in the line.
    pub(crate) span: Range<usize>,
}

impl Arguments {
    /// The value with this key.
    pub(crate) fn find(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|value| value.slot.key == key).map(|value| value.text.as_str())
    }

    /// The value with this key, or nothing.
    pub(crate) fn text(&self, key: &str) -> String {
        self.find(key).unwrap_or_default().to_owned()
    }

    /// The number with this key. The parser has checked its range.
    pub(crate) fn number<N: TryFrom<u64>>(&self, key: &str) -> Option<N> {
        N::try_from(self.find(key)?.parse::<u64>().ok()?).ok()
    }

    /// The span of time with this key. The parser has checked it.
    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        duration(self.find(key)?)
    }

    /// Whether this word is among those given.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}
