//! Pure. Reading sections of the tree: each key is asked for once, with what decodes its value, and whatever is wrong
//! is reported and stepped over, so that one reading finds everything.

use std::collections::BTreeMap;

use super::keys::{self, Keys};
use super::report::{At, Path, Place, Report};
use super::suggest::{either, quoted};
use super::tree::{Entry, Node, Scalar, Value};

/// A value, the key it has, and the way to it.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'t> {
    node: &'t Node<'t>,
    /// The place of the key, or of the value for the items of a list.
    key: Place,
}

impl<'t> Cursor<'t> {
    pub(super) fn root(node: &'t Node<'t>) -> Cursor<'t> {
        Cursor { node, key: Place { position: node.at, path: Path::default() } }
    }

    /// Where the value is; where the key is if there is no value.
    pub(super) fn place(&self) -> Place {
        let position = if self.node.is_null() { self.key.position } else { self.node.at };
        Place { position, path: self.key.path.clone() }
    }

    /// Where the key is: the place for what is missing below it.
    pub(super) fn key(&self) -> &Place {
        &self.key
    }

    /// The last word of the way here.
    pub(super) fn word(&self) -> &str {
        self.key.path.last()
    }

    pub(super) fn is_null(&self) -> bool {
        self.node.is_null()
    }

    pub(super) fn scalar(&self) -> Option<&'t Scalar<'t>> {
        match self.node.value() {
            Value::Scalar(scalar) => Some(scalar),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// What is written, by its type, and quoted if short.
    pub(super) fn found(&self) -> String {
        match self.node.value() {
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
            Value::Scalar(_) if self.is_null() => "nothing".to_owned(),
            Value::Scalar(scalar) => quoted(&scalar.text),
        }
    }

    /// Reports that the value is of the wrong type.
    pub(super) fn expected(&self, what: &str, example: &str, report: &mut Report) {
        let message = format!("expected {what}, found {}", self.found());
        report.shape(&self.place(), message, format!("write {example}"));
    }

    /// The items of a list; none if nothing is written.
    pub(super) fn items(&self, example: &str, report: &mut Report) -> Option<Vec<Cursor<'t>>> {
        match self.node.value() {
            Value::Sequence(items) => {
                Some(items.iter().enumerate().map(|(i, node)| self.item(i, node)).collect())
            }
            Value::Scalar(_) if self.is_null() => Some(Vec::new()),
            Value::Scalar(_) | Value::Mapping(_) => {
                self.expected("a list", example, report);
                None
            }
        }
    }

    /// The entries of a mapping; none if nothing is written.
    pub(super) fn entries(&self, example: &str, report: &mut Report) -> Option<Vec<(&'t str, Cursor<'t>)>> {
        match self.node.value() {
            Value::Mapping(entries) => Some(entries.iter().map(|entry| self.entry(entry)).collect()),
            Value::Scalar(_) if self.is_null() => Some(Vec::new()),
            Value::Scalar(_) | Value::Sequence(_) => {
                self.expected("a mapping", example, report);
                None
            }
        }
    }

    fn entry(&self, entry: &'t Entry<'t>) -> (&'t str, Cursor<'t>) {
        let key = entry.key.text.as_ref();
        let place = Place { position: entry.key.at, path: self.key.path.key(key) };
        (key, Cursor { node: &entry.value, key: place })
    }

    fn item(&self, index: usize, node: &'t Node<'t>) -> Cursor<'t> {
        Cursor { node, key: Place { position: node.at, path: self.key.path.index(index) } }
    }
}

/// A section being read.
#[derive(Debug)]
pub(super) struct Section<'t, 'r> {
    fields: BTreeMap<&'t str, Cursor<'t>>,
    place: Place,
    /// The section is there, so that a key can be missing from it.
    usable: bool,
    known: &'static Keys,
    report: &'r mut Report,
}

impl<'t, 'r> Section<'t, 'r> {
    /// Reports every unknown key, and keeps the others to be asked for.
    pub(super) fn open(cursor: &Cursor<'t>, known: &'static Keys, report: &'r mut Report) -> Section<'t, 'r> {
        let entries = cursor.entries(known.example, report);
        let usable = entries.is_some();
        let mut fields = BTreeMap::new();
        for (key, field) in entries.unwrap_or_default() {
            if known.keys.contains(&key) {
                fields.insert(key, field);
            } else {
                let message = format!("unknown key in {}", known.title);
                let hint = unknown_key_hint(key, known, report);
                report.shape(&field.key, message, hint);
            }
        }
        Section { fields, place: cursor.key.clone(), usable, known, report }
    }

    /// Opens the section under `key`. One that is not written is empty, and everything in it has its default.
    pub(super) fn nested(&mut self, key: &str, known: &'static Keys) -> Section<'t, '_> {
        match self.child(key) {
            Some(cursor) => Section::open(&cursor, known, self.report),
            None => Section {
                fields: BTreeMap::new(),
                place: self.place.clone(),
                usable: self.usable,
                known,
                report: self.report,
            },
        }
    }

    /// Where the section begins: the place for what is missing in it.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn report(&mut self) -> &mut Report {
        self.report
    }

    /// Whether anything is written for `key`, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.get(key).is_some_and(|cursor| !is_absent(key, cursor))
    }

    /// Where `key` stands without a value.
    pub(super) fn blank(&self, key: &str) -> Option<Place> {
        let cursor = self.fields.get(key)?;
        let is_blank = cursor.is_null() || cursor.scalar().is_some_and(|scalar| scalar.text.is_empty());
        is_blank.then(|| cursor.place())
    }

    /// The value under `key`, to be read as a section of its own.
    pub(super) fn child(&mut self, key: &str) -> Option<Cursor<'t>> {
        debug_assert!(self.known.keys.contains(&key), "{key} is not listed in keys.rs");
        self.fields.remove(key)
    }

    /// The value of `key`. `None` when it is not written, or wrong and reported.
    pub(super) fn optional<T>(
        &mut self,
        key: &str,
        decode: impl FnOnce(&Cursor<'t>, &mut Report) -> Option<T>,
    ) -> Option<At<T>> {
        let cursor = self.child(key).filter(|cursor| !is_absent(key, cursor))?;
        let value = decode(&cursor, self.report)?;
        Some(At { value, place: cursor.place() })
    }

    /// Reports if nothing is written for `key`.
    pub(super) fn require(&mut self, key: &str, example: &str) {
        if self.usable && !self.has(key) {
            let message = format!("`{key}` is missing");
            self.report.meaning(&self.place, message, format!("write `{key}: {example}`"));
        }
    }

    /// The value of `key`. `None` when it is missing or wrong; both are reported.
    pub(super) fn required<T>(
        &mut self,
        key: &str,
        example: &str,
        decode: impl FnOnce(&Cursor<'t>, &mut Report) -> Option<T>,
    ) -> Option<At<T>> {
        self.require(key, example);
        self.optional(key, decode)
    }

    /// The value of `key`, or its default when it is not written. A wrong value is reported and the default taken, which
    /// nobody sees, as the file is refused.
    pub(super) fn or<T>(
        &mut self,
        key: &str,
        default: T,
        decode: impl FnOnce(&Cursor<'t>, &mut Report) -> Option<T>,
    ) -> At<T> {
        let default = At { value: default, place: self.place.clone() };
        self.optional(key, decode).unwrap_or(default)
    }

    /// The value of `key`, or its default when it is not written, or `None` when it is wrong: for values that are
    /// compared with others.
    pub(super) fn right_or<T>(
        &mut self,
        key: &str,
        default: T,
        decode: impl FnOnce(&Cursor<'t>, &mut Report) -> Option<T>,
    ) -> Option<At<T>> {
        if self.has(key) { self.optional(key, decode) } else { Some(self.or(key, default, decode)) }
    }
}

/// Whether a value is as good as not written: nothing, or an empty text for a key that takes a text.
fn is_absent(key: &str, cursor: &Cursor<'_>) -> bool {
    let is_empty = cursor.scalar().is_some_and(|scalar| scalar.text.is_empty());
    cursor.is_null() || (is_empty && keys::EMPTY_IS_ABSENT.contains(&key))
}

/// What may have been meant by a key that is not known here.
fn unknown_key_hint(key: &str, known: &'static Keys, report: &mut Report) -> String {
    if let Some(near) = report.nearest(key, known.keys.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let elsewhere: Vec<&str> =
        keys::beside(known).iter().filter(|k| k.keys.contains(&key)).map(|k| k.title).collect();
    if !elsewhere.is_empty() {
        return format!("it belongs in {}", either(&elsewhere));
    }
    if known.keys.is_empty() {
        return "remove it".to_owned();
    }
    format!("remove it; the keys here are {}", known.keys.join(", "))
}
