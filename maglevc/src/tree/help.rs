//! Pure. Usage lines and the overview of all commands.

use crate::tree::{Command, End, Node};

/// One command of the overview.
pub(crate) struct Usage<'t> {
    /// How it is written, such as `show backends NAME`.
    pub(crate) line: String,
    /// Its line of help.
    pub(crate) help: &'static str,
    /// The command.
    pub(crate) command: &'t Command,
}

impl Usage<'_> {
    /// Whether its words begin with these, each of which may be a beginning itself.
    pub(crate) fn begins_with(&self, words: &str) -> bool {
        let mut own = self.line.split(' ');
        words.split_whitespace().all(|word| own.next().is_some_and(|own| own.starts_with(word)))
    }

    /// What may follow it in any order, each with its help: `("num N", "end after some lines: how many lines")`.
    pub(crate) fn options(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        self.command.options.iter().for_each(|option| option_rows(option, "", &mut rows));
        rows
    }
}

fn option_rows(option: &Node, before: &str, rows: &mut Vec<(String, String)>) {
    let usage = format!("{before}{}", option.token.label());
    if let ([only], End::No) = (option.next.as_slice(), &option.end) {
        rows.push((format!("{usage} {}", only.token.label()), format!("{}: {}", option.help, only.help)));
        return;
    }
    rows.push((usage.clone(), option.help.to_owned()));
    option.next.iter().for_each(|next| option_rows(next, &format!("{usage} "), rows));
}

/// Every command of a tree in its order.
pub(crate) fn usages(tree: &Node) -> Vec<Usage<'_>> {
    let mut all = Vec::new();
    for node in &tree.next {
        collect(node, "", &mut all);
    }
    all
}

fn collect<'t>(node: &'t Node, before: &str, all: &mut Vec<Usage<'t>>) {
    let mut line = format!("{before}{}", node.token.label());
    if let Some(command) = node.command() {
        let options: String =
            command.options.iter().map(|option| format!(" [{}]", optional(option))).collect();
        all.push(Usage { line: format!("{line}{options}"), help: node.help, command });
    }
    line.push(' ');
    for next in &node.next {
        collect(next, &line, all);
    }
}

/// An option in a usage line: what may end is followed by brackets.
fn optional(node: &Node) -> String {
    let mut usage = node.token.label().to_owned();
    for next in &node.next {
        let rest = optional(next);
        match node.end {
            End::No => usage.push_str(&format!(" {rest}")),
            End::Option | End::Command(_) => usage.push_str(&format!(" [{rest}]")),
        }
    }
    usage
}
