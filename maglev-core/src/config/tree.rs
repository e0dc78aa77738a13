//! Pure. A YAML text as a tree in which every node knows its place.
//!
//! It is built from the parser's events rather than by serde, because serde stops at the first error. Anchors, aliases
//! and merge keys are resolved here, so what reads the tree sees plain scalars, lists and mappings. An alias shares what
//! it refers to; what it would be when written out is counted, so a few lines of aliases to aliases cannot grow into
//! gigabytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::diagnostic::Position;
use super::report::{Path, Place, Report};
use super::suggest::quoted;
use super::syntax;

/// The most nodes a file may have once its aliases are written out. Ten thousand backends in a frontend take a tenth.
const MAX_NODES: usize = 1_000_000;

/// The deepest nesting. A configuration needs nine levels.
const MAX_DEPTH: usize = 64;

/// How many bytes of a scalar count as one node more, so that long texts cannot be multiplied by aliases either.
const BYTES_PER_NODE: usize = 64;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) at: Position,
    body: Rc<Body<'a>>,
}

#[derive(Debug)]
struct Body<'a> {
    value: Value<'a>,
    /// How many nodes this is when its aliases are written out.
    size: usize,
    /// How many levels there are below this one.
    height: usize,
}

#[derive(Debug)]
pub(super) enum Value<'a> {
    Scalar(Scalar<'a>),
    Sequence(Vec<Node<'a>>),
    Mapping(Vec<Entry<'a>>),
}

#[derive(Clone, Debug)]
pub(super) struct Scalar<'a> {
    pub(super) text: Cow<'a, str>,
    /// Written without quotes, so that it may be a number, a truth value or null.
    pub(super) plain: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: Key<'a>,
    pub(super) value: Node<'a>,
}

#[derive(Clone, Debug)]
pub(super) struct Key<'a> {
    pub(super) at: Position,
    pub(super) text: Cow<'a, str>,
}

impl<'a> Node<'a> {
    pub(super) fn value(&self) -> &Value<'a> {
        &self.body.value
    }

    /// Nothing written at all, or `null`.
    pub(super) fn is_null(&self) -> bool {
        match self.value() {
            Value::Scalar(Scalar { text, plain }) => {
                *plain && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL")
            }
            Value::Sequence(_) | Value::Mapping(_) => false,
        }
    }

    fn new(at: Position, value: Value<'a>) -> Node<'a> {
        let (below, height) = match &value {
            Value::Scalar(scalar) => (scalar.text.len() / BYTES_PER_NODE, 0),
            Value::Sequence(items) => measure(items.iter()),
            Value::Mapping(entries) => {
                let keys: usize = entries.iter().map(|e| 1 + e.key.text.len() / BYTES_PER_NODE).sum();
                let (size, height) = measure(entries.iter().map(|e| &e.value));
                (size.saturating_add(keys), height)
            }
        };
        Node { at, body: Rc::new(Body { value, size: below.saturating_add(1), height }) }
    }
}

fn measure<'t, 'a: 't>(children: impl Iterator<Item = &'t Node<'a>>) -> (usize, usize) {
    children.fold((0, 1), |(size, height), child| {
        (size.saturating_add(child.body.size), height.max(child.body.height + 1))
    })
}

/// Reads the only document of `text`. `None` when there is no usable tree, for reasons that are in the report.
pub(super) fn build<'a>(text: &'a str, report: &mut Report) -> Option<Node<'a>> {
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder =
        Builder { report, open: Vec::new(), root: None, anchors: BTreeMap::new(), nodes: 0, documents: 0 };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => builder.handle_event(event, span)?,
            Err(error) => {
                let (message, hint) = syntax::explain(&error);
                builder.report.shape(&place(position(error.marker())), message, hint);
                return None;
            }
        }
    }
    if builder.root.is_none() {
        let place = place(Position::START);
        builder.report.shape(&place, "the file is empty", "begin it with `maglev:`");
    }
    builder.root
}

/// The marker's column counts from 0.
fn position(mark: &Marker) -> Position {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: number(mark.line()).max(1), column: number(mark.col()).saturating_add(1) }
}

fn place(position: Position) -> Place {
    Place { position, path: Path::default() }
}

/// A collection whose end has not come yet.
enum Open<'a> {
    Sequence { at: Position, anchor: usize, items: Vec<Node<'a>> },
    Mapping { at: Position, anchor: usize, mapping: MappingBuilder<'a> },
}

struct Builder<'a, 'r> {
    report: &'r mut Report,
    open: Vec<Open<'a>>,
    root: Option<Node<'a>>,
    anchors: BTreeMap<usize, Node<'a>>,
    /// Nodes so far, aliases written out.
    nodes: usize,
    documents: usize,
}

impl<'a> Builder<'a, '_> {
    /// `None` when reading on makes no sense.
    fn handle_event(&mut self, event: Event<'a>, span: Span) -> Option<()> {
        let at = position(&span.start);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let hint = "keep one document, and remove the `---` before this one";
                    self.report.shape(&place(at), "a second document begins here", hint);
                    return None;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !is_str(tag.as_deref());
                self.refuse_tag(tag.as_deref(), at);
                let node = Node::new(at, Value::Scalar(Scalar { text, plain }));
                self.count(&node, at)?;
                self.complete(node, anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at);
                self.open.push(Open::Sequence { at, anchor, items: Vec::new() });
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at);
                self.open.push(Open::Mapping { at, anchor, mapping: MappingBuilder::default() });
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::Sequence { at, anchor, items }) => {
                    self.complete(Node::new(at, Value::Sequence(items)), anchor)?;
                }
                Some(Open::Mapping { at, anchor, mapping }) => {
                    let entries = mapping.finish(self.report);
                    self.complete(Node::new(at, Value::Mapping(entries)), anchor)?;
                }
                None => {}
            },
            Event::Alias(anchor) => {
                let node = self.resolve(anchor, at);
                self.count(&node, at)?;
                self.complete(node, 0)?;
            }
            Event::UnresolvedAlias(name) => {
                let message = format!("nothing before this is marked `&{}`", name.escape_debug());
                self.report.shape(
                    &place(at),
                    message,
                    "mark a value with that anchor, or write the value here",
                );
                self.complete(null(at), 0)?;
            }
            // Starts and ends of the stream and the document, and comments if some other crate turned them on.
            _ => {}
        }
        Some(())
    }

    /// What an alias stands for, at the place of the alias.
    fn resolve(&mut self, anchor: usize, at: Position) -> Node<'a> {
        match self.anchors.get(&anchor) {
            Some(node) => Node { at, body: Rc::clone(&node.body) },
            None => {
                let hint = "write out what belongs here";
                self.report.shape(&place(at), "this alias is inside the value it stands for", hint);
                null(at)
            }
        }
    }

    /// Counts what a leaf or an alias adds, and refuses more than a file may have.
    fn count(&mut self, node: &Node<'a>, at: Position) -> Option<()> {
        self.nodes = self.nodes.saturating_add(node.body.size);
        if self.nodes > MAX_NODES {
            let message =
                format!("up to here the file has more than {MAX_NODES} values, its aliases written out");
            self.report.shape(
                &place(at),
                message,
                "use fewer aliases, or share the load between several daemons",
            );
            return None;
        }
        Some(())
    }

    /// Puts a complete node where it belongs.
    fn complete(&mut self, node: Node<'a>, anchor: usize) -> Option<()> {
        if self.open.len() + node.body.height > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels of nesting");
            self.report.shape(&place(node.at), message, "a configuration needs fewer than ten");
            return None;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping { mapping, .. }) => mapping.push(node, self.report),
        }
        Some(())
    }

    /// The core schema's own tags say nothing new; any other would be silently ignored.
    fn refuse_tag(&mut self, tag: Option<&Tag>, at: Position) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema() && tag.original() != "!") {
            let message = format!("the tag {} has no meaning here", quoted(&tag.original()));
            self.report.shape(&place(at), message, "remove it");
        }
    }
}

fn is_str(tag: Option<&Tag>) -> bool {
    tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"))
}

fn null<'a>(at: Position) -> Node<'a> {
    Node::new(at, Value::Scalar(Scalar { text: Cow::Borrowed(""), plain: true }))
}

/// A mapping whose end has not come yet.
#[derive(Default)]
struct MappingBuilder<'a> {
    entries: Vec<Entry<'a>>,
    /// Where each key was first written.
    seen: BTreeMap<Cow<'a, str>, Position>,
    /// The values of `<<`.
    merges: Vec<Node<'a>>,
    /// The key whose value comes next.
    pending: Option<Pending<'a>>,
}

enum Pending<'a> {
    Key(Key<'a>),
    Merge,
    /// Not a usable key, as reported; its value is dropped.
    Unusable,
}

impl<'a> MappingBuilder<'a> {
    /// Takes a key or the value of the last key.
    fn push(&mut self, node: Node<'a>, report: &mut Report) {
        match self.pending.take() {
            None => self.pending = Some(self.key(&node, report)),
            Some(Pending::Key(key)) => self.entries.push(Entry { key, value: node }),
            Some(Pending::Merge) => self.merges.push(node),
            Some(Pending::Unusable) => {}
        }
    }

    fn key(&mut self, node: &Node<'a>, report: &mut Report) -> Pending<'a> {
        let Value::Scalar(Scalar { text, plain }) = node.value() else {
            let hint = "write a word before the colon";
            report.shape(&place(node.at), "a list or a mapping cannot be a key", hint);
            return Pending::Unusable;
        };
        if *plain && text == "<<" {
            return Pending::Merge;
        }
        if let Some(first) = self.seen.get(text) {
            let message = format!("duplicate key {}, already on line {}", quoted(text), first.line);
            report.shape(&place(node.at), message, "keep one of the two");
            return Pending::Unusable;
        }
        self.seen.insert(text.clone(), node.at);
        Pending::Key(Key { at: node.at, text: text.clone() })
    }

    /// The entries, with those of the merge keys that the mapping does not have itself. Of several mappings merged, the
    /// first to have a key wins.
    fn finish(mut self, report: &mut Report) -> Vec<Entry<'a>> {
        for merge in std::mem::take(&mut self.merges) {
            match merge.value() {
                Value::Sequence(nodes) => nodes.iter().for_each(|node| self.merge(node, report)),
                Value::Mapping(_) | Value::Scalar(_) => self.merge(&merge, report),
            }
        }
        self.entries
    }

    fn merge(&mut self, node: &Node<'a>, report: &mut Report) {
        let Value::Mapping(entries) = node.value() else {
            if !node.is_null() {
                let hint = "write `<<: *name`, with a mapping marked `&name` further up";
                report.shape(&place(node.at), "only a mapping can be merged", hint);
            }
            return;
        };
        for entry in entries {
            if !self.seen.contains_key(&entry.key.text) {
                self.seen.insert(entry.key.text.clone(), entry.key.at);
                self.entries.push(entry.clone());
            }
        }
    }
}
