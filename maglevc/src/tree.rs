//! Pure. What a command tree is made of: words, slots for values, help, and what runs where a line may end.
//!
//! The tree itself is [`crate::commands::tree`]. Parsing ([`parse`]), help ([`help`]) and the reference in `docs/` are
//! all worked out from it, so that adding a command is adding one entry.

use std::future::Future;
use std::pin::Pin;

use crate::failure::Failure;
use crate::session::Session;

pub(crate) mod arguments;
pub(crate) mod help;
pub(crate) mod parse;
pub(crate) mod problem;
pub(crate) mod token;

#[cfg(test)]
mod handbook;
#[cfg(test)]
mod man;
#[cfg(test)]
mod proptests;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub(crate) use arguments::Arguments;

/// What a command does once its words are understood.
pub(crate) type Run = for<'a> fn(&'a mut Session, &'a Arguments) -> Running<'a>;

/// A command at work.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<Flow, Failure>> + 'a>>;

/// Whether to go on reading commands after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Go on.
    Next,
    /// The operator wants to leave.
    Leave,
}

/// One place in the tree: what stands there and what may follow.
pub(crate) struct Node {
    /// What stands here.
    pub(crate) token: Token,
    /// One line of help.
    pub(crate) help: &'static str,
    /// What may follow.
    pub(crate) next: Vec<Node>,
    /// Whether a line, or an option, may end here.
    pub(crate) end: End,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// This word, or an unambiguous beginning of it.
    Word(&'static str),
    /// A value.
    Slot(Slot),
}

/// A place for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// How usage lines show it, such as `NAME`.
    pub(crate) label: &'static str,
    /// What the command asks its [`Arguments`] for.
    pub(crate) key: &'static str,
    /// What it takes.
    pub(crate) kind: Kind,
}

/// What a slot takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name the server knows, or an unambiguous beginning of it.
    Name(Object),
    /// A name the server may know, taken as it is written.
    Mention(Object),
    /// A number from the first to the second, both included.
    Number(u64, u64),
    /// A span of time such as `30m`, `2h` or `1d12h`: more than nothing and at most 366 days.
    Duration,
    /// One of these words, or an unambiguous beginning of it.
    Choice(&'static [&'static str]),
    /// Everything up to the end of the line.
    Text,
}

/// What names the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    /// A frontend.
    Frontend,
    /// A backend.
    Backend,
    /// A health check.
    HealthCheck,
    /// A pool of the frontend named before.
    Pool,
    /// A backend in the pool named before.
    PoolBackend,
}

/// Whether a line may end at a place.
pub(crate) enum End {
    /// No: something has to follow.
    No,
    /// An option may end here; the command it belongs to is further up.
    Option,
    /// A command is complete here.
    Command(Command),
}

/// A complete command.
pub(crate) struct Command {
    /// What runs.
    pub(crate) run: Run,
    /// What may follow in any order, each at most once.
    pub(crate) options: Vec<Node>,
    /// What there is to say beyond the line of help.
    pub(crate) details: &'static str,
    /// What `--output json` writes.
    pub(crate) json: Json,
}

/// What a command writes with `--output json`. The names are those of the types in [`crate::view`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// Nothing, or text.
    Nothing,
    /// One object.
    Object(&'static str),
    /// An array of objects.
    Array(&'static str),
    /// One object a line, as they come.
    Lines(&'static str),
}

impl Json {
    /// The sentence about it, with each name of a type as `name` writes it; `None` where nothing is written.
    pub(crate) fn describe(self, name: impl FnOnce(&str) -> String) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Object(object) => Some(name(object)),
            Self::Array(object) => Some(format!("an array of {}", name(object))),
            Self::Lines(object) => Some(format!("{} a line", name(object))),
        }
    }
}

/// A word of the tree.
pub(crate) fn word(word: &'static str, help: &'static str) -> Node {
    Node { token: Token::Word(word), help, next: Vec::new(), end: End::No }
}

/// A place for a value. Commands ask for it by `key`; usage lines show `label`.
pub(crate) fn slot(label: &'static str, key: &'static str, kind: Kind, help: &'static str) -> Node {
    Node { token: Token::Slot(Slot { label, key, kind }), help, next: Vec::new(), end: End::No }
}

impl Node {
    /// What may follow this.
    pub(crate) fn then(mut self, next: impl IntoIterator<Item = Node>) -> Self {
        self.next.extend(next);
        self
    }

    /// A command is complete here, and this is what it does and what it writes as JSON.
    pub(crate) fn runs(mut self, run: Run, json: Json) -> Self {
        self.end = End::Command(Command { run, options: Vec::new(), details: "", json });
        self
    }

    /// An option is complete here.
    pub(crate) fn ends(mut self) -> Self {
        self.end = End::Option;
        self
    }

    /// What may follow the complete command in any order, each at most once.
    pub(crate) fn options(mut self, options: impl IntoIterator<Item = Node>) -> Self {
        if let End::Command(command) = &mut self.end {
            command.options.extend(options);
        }
        self
    }

    /// What there is to say of the complete command beyond its line of help.
    pub(crate) fn details(mut self, details: &'static str) -> Self {
        if let End::Command(command) = &mut self.end {
            command.details = details;
        }
        self
    }

    /// The command that is complete here, if one is.
    pub(crate) fn command(&self) -> Option<&Command> {
        match &self.end {
            End::Command(command) => Some(command),
            End::No | End::Option => None,
        }
    }
}

impl Token {
    /// How usage lines show it.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Word(word) => word,
            Self::Slot(slot) => slot.label,
        }
    }
}
