//! Pure. Usage lines and the overview of all commands.

use crate::tree::{Command, End, Node};

/// One command of the overview.
pub(crate) struct Usage<'t> {
    /// How it is written, such as `show backends NAME`.
    pub(crate) line: String,
    /// Its line of help.
    pub(crate) help: &'static str,
    /// The command.
    #[cfg_attr(not(test), allow(dead_code, reason = "only the reference in docs/ asks for it"))]
    pub(crate) command: &'t Command,
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
