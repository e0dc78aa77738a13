//! Pure. Help as text.

use crate::names::Continuation;
use crate::render::table::{Column, Table};
use crate::render::{FAINT, Page, Span, Text};
use crate::tree::Node;
use crate::tree::help::usages;

/// Every command whose words begin with these.
pub(crate) struct Overview<'t> {
    /// The tree.
    pub(crate) tree: &'t Node,
    /// The beginning; empty for all.
    pub(crate) prefix: &'t str,
}

impl Text for Overview<'_> {
    fn text(&self, page: &mut Page) {
        /// Longer commands have their help below them.
        const LONGEST: usize = 26;
        let mut table = Table::new([Column::Fixed(""), Column::Prose("")]);
        for usage in usages(self.tree).into_iter().filter(|usage| usage.line.starts_with(self.prefix)) {
            let mut usage_cell = Span::plain(usage.line);
            if usage_cell.width() > LONGEST {
                table.full_line(std::mem::replace(&mut usage_cell, Span::empty()));
            }
            table.row([usage_cell, Span::new(FAINT, usage.help)]);
        }
        table.put(page);
    }
}

/// More names than this are no help: whoever asks goes on by a letter.
const SHOWN: usize = 60;

/// What can stand at a place, with its help.
pub(crate) struct Expected<'a> {
    rows: Vec<(&'a str, &'a str, &'a [String])>,
}

/// The answer to a question mark.
pub(crate) fn continuations(answers: &[Continuation]) -> Expected<'_> {
    Expected {
        rows: answers
            .iter()
            .map(|answer| (answer.label.as_str(), answer.help, answer.values.as_slice()))
            .collect(),
    }
}

/// What could stand in the place of a wrong word.
pub(crate) fn expected(expected: &[(String, String)]) -> Expected<'_> {
    Expected { rows: expected.iter().map(|(label, help)| (label.as_str(), help.as_str(), &[][..])).collect() }
}

impl Text for Expected<'_> {
    fn text(&self, page: &mut Page) {
        let mut table = Table::new([Column::Fixed(""), Column::Prose("")]).indented(2);
        for (label, help, values) in &self.rows {
            table.row([Span::plain(*label), Span::new(FAINT, *help)]);
            if !values.is_empty() {
                let more = match values.len().saturating_sub(SHOWN) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let shown = &values[..values.len().min(SHOWN)];
                table.full_line(Span::plain(format!("  {}{more}", shown.join(" "))));
            }
        }
        table.put(page);
    }
}
