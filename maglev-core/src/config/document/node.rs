//! Pure. A piece of YAML, and how it is written.

use std::fmt::{Display, Write};

use crate::text::is_unprintable;

/// A value of a YAML document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Node {
    /// A scalar, as it is written.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order in which it is written.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// A mapping without the keys that have no value.
    pub(super) fn map(entries: impl IntoIterator<Item = (&'static str, Option<Node>)>) -> Node {
        let entries = entries.into_iter();
        Node::Map(entries.filter_map(|(key, node)| Some((key.to_owned(), node?))).collect())
    }

    /// A number or a truth value.
    pub(super) fn plain(value: impl Display) -> Node {
        Node::Scalar(value.to_string())
    }

    /// A text, in quotes where YAML could take it for something else.
    pub(super) fn text(text: impl Display) -> Node {
        Node::Scalar(quoted(&text.to_string()))
    }

    /// A whole document, in block style.
    pub(super) fn to_yaml(&self) -> String {
        let mut out = String::new();
        self.block(0, &mut out);
        out
    }

    fn block(&self, indent: usize, out: &mut String) {
        match self {
            Node::Map(entries) => {
                for (key, node) in entries {
                    out.extend(std::iter::repeat_n(' ', indent));
                    out.push_str(&quoted(key));
                    out.push(':');
                    node.after_key(indent + 2, out);
                }
            }
            Node::List(items) => {
                for item in items {
                    let mut text = String::new();
                    item.block(indent + 2, &mut text);
                    out.extend(std::iter::repeat_n(' ', indent));
                    out.push_str("- ");
                    out.push_str(text.trim_start());
                }
            }
            Node::Scalar(text) => {
                out.push_str(text);
                out.push('\n');
            }
        }
    }

    /// The value of a key: on its line if it is short, else indented below it.
    fn after_key(&self, indent: usize, out: &mut String) {
        if self.is_short() {
            out.push(' ');
            out.push_str(&self.to_line());
            out.push('\n');
        } else {
            out.push('\n');
            self.block(indent, out);
        }
    }

    fn is_short(&self) -> bool {
        match self {
            Node::Scalar(_) => true,
            Node::List(items) => items.is_empty(),
            Node::Map(entries) => match entries.as_slice() {
                [] => true,
                [(_, node)] => matches!(node, Node::Scalar(_)),
                _ => false,
            },
        }
    }

    /// The value in flow style, on one line.
    pub(in crate::config) fn to_line(&self) -> String {
        match self {
            Node::Scalar(text) => text.clone(),
            Node::List(items) => {
                let items: Vec<String> = items.iter().map(Node::to_line).collect();
                format!("[{}]", items.join(", "))
            }
            Node::Map(entries) => {
                let entry = |(key, node): &(String, Node)| format!("{}: {}", quoted(key), node.to_line());
                let entries: Vec<String> = entries.iter().map(entry).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    /// Every scalar with the way to it from `path`, as diagnostics write it.
    pub(in crate::config) fn scalars(&self, path: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.collect(path.to_owned(), &mut found);
        found
    }

    fn collect(&self, path: String, found: &mut Vec<(String, String)>) {
        match self {
            Node::Scalar(text) => found.push((path, text.clone())),
            Node::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.collect(format!("{path}[{index}]"), found);
                }
            }
            Node::Map(entries) => {
                for (key, node) in entries {
                    node.collect(format!("{path}.{key}"), found);
                }
            }
        }
    }
}

/// A text as a YAML scalar. It stays without quotes only where it is made of letters, digits and a few marks and neither
/// YAML 1.1 nor 1.2 reads it as a number, a truth value or null.
fn quoted(text: &str) -> String {
    let starts_as_word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let plain = starts_as_word && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    const WORDS: [&str; 12] =
        ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf", "infinity"];
    if plain && !WORDS.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    // An address, a prefix or a duration: no reader takes these for numbers, and they are what a file is full of.
    let dotted = text.parse::<std::net::Ipv4Addr>().is_ok() || text.parse::<ipnet::Ipv4Net>().is_ok();
    let duration = text.ends_with(['h', 'm', 's']) && super::super::parse_duration(text).is_ok();
    if dotted || duration {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_unprintable(c) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
