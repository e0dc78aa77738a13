//! Pure. The audit log as text: when, what and with which result on a line, and below it who, what exactly, and what it
//! changed.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use crate::render::{BAD, FAINT, GOOD, NOTICE, PLAIN, Page, Span, TITLE, Text};
use crate::view::audit::{Audit, AuditRecord};

/// Where what belongs to a record begins: below its call, behind its time.
const INDENT: usize = 21;

impl Text for Audit {
    fn text(&self, page: &mut Page) {
        if self.more {
            page.line(&[Span::new(FAINT, "older records are left out; `num` shows more")]);
        }
        if self.records.is_empty() {
            page.line(&[Span::plain("no change is on record")]);
        }
        self.records.iter().for_each(|record| record.text(page));
    }
}

impl Text for AuditRecord {
    fn text(&self, page: &mut Page) {
        let at = self.at.map_or_else(String::new, |at| page.clock(at));
        let style = match self.result.as_str() {
            "ok" => GOOD,
            "unchanged" => PLAIN,
            _ => BAD,
        };
        page.line(&[
            Span::new(FAINT, format!("{at:19}  ")),
            Span::new(TITLE, &self.call),
            Span::plain("  "),
            Span::new(style, &self.result),
        ]);
        // Who asked often comes with an address, and the port is news to nobody.
        let address =
            self.from.parse::<SocketAddr>().map_or_else(|_| self.from.clone(), |at| at.ip().to_string());
        let from = if self.by.contains(&address) { String::new() } else { format!(" from {}", self.from) };
        more(page, &Span::plain(format!("by {}{from}", self.by)));
        more(page, &Span::plain(fields(&self.request)));
        more(page, &Span::new(NOTICE, changes(&self.before, &self.after)));
        if let Some(message) = &self.message {
            more(page, &Span::new(BAD, message));
        }
    }
}

/// A line below the first, unless it says nothing.
fn more(page: &mut Page, span: &Span) {
    if !span.text.is_empty() {
        page.space(INDENT);
        page.wrap(INDENT, std::slice::from_ref(span));
        page.end_line();
    }
}

/// The fields of a request that are set: `name=nginx0 reason="new kernel"`.
fn fields(value: &Value) -> String {
    let fields = flat(value);
    let fields = fields.iter().filter(|(_, value)| **value != &Value::Bool(false) && **value != "");
    let pair = |(name, value): (&String, &&Value)| match name.as_str() {
        "" => word(value),
        name => format!("{name}={}", word(value)),
    };
    fields.map(pair).collect::<Vec<_>>().join(" ")
}

/// The fields that differ: `state up → disabled`. Where only one side was written down, that side.
fn changes(before: &Value, after: &Value) -> String {
    let side = |when: &str, value: &Value| match flat(value) {
        fields if fields.is_empty() => String::new(),
        fields => format!("{when} {}", join(fields.iter().map(|(name, value)| named(name, &word(value))))),
    };
    match (before, after) {
        (before, Value::Null) => return side("was", before),
        (Value::Null, after) => return side("is now", after),
        _ => {}
    }
    let (before, after) = (flat(before), flat(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let side = |value: Option<&&Value>| value.map_or_else(|| "nothing".to_owned(), |value| word(value));
    let differing = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    join(
        differing.map(|name| named(name, &format!("{} → {}", side(before.get(name)), side(after.get(name))))),
    )
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// A value after the way to it, where there is one.
fn named(name: &str, value: &str) -> String {
    if name.is_empty() { value.to_owned() } else { format!("{name} {value}") }
}

/// Every value in a tree by the way to it; one that stands alone by no way at all.
fn flat(value: &Value) -> BTreeMap<String, &Value> {
    fn collect<'v>(way: String, value: &'v Value, found: &mut BTreeMap<String, &'v Value>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let way = if way.is_empty() { name.clone() } else { format!("{way}.{name}") };
                    collect(way, value, found);
                }
            }
            // Nothing there.
            Value::Null => {}
            value => drop(found.insert(way, value)),
        }
    }
    let mut found = BTreeMap::new();
    collect(String::new(), value, &mut found);
    found
}

/// A value, in quotes only where it would not be one word without.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains([' ', '"', '=']) => text.clone(),
        value => value.to_string(),
    }
}
