//! Pure. Help as text.

use crate::names::Continuation;
use crate::render::table::{Column, Table};
use crate::render::{FAINT, GOOD, Page, Span, TITLE, Text};
use crate::tree::Node;
use crate::tree::help::{Usage, usages};

/// Every command with its line of help.
pub(crate) struct Overview<'t>(pub(crate) &'t Node);

impl Text for Overview<'_> {
    fn text(&self, page: &mut Page) {
        /// Longer commands have their help below them.
        const LONGEST: usize = 26;
        let mut table = Table::new([Column::Fixed(""), Column::Prose("")]);
        for usage in usages(self.0) {
            let mut line = Span::plain(usage.line);
            if line.width() > LONGEST {
                table.full_line(std::mem::replace(&mut line, Span::empty()));
            }
            table.row([line, Span::new(FAINT, usage.help)]);
        }
        table.put(page);
    }
}

/// All there is to say of some commands.
pub(crate) struct Manual<'t>(pub(crate) Vec<Usage<'t>>);

impl Text for Manual<'_> {
    fn text(&self, page: &mut Page) {
        for (index, usage) in self.0.iter().enumerate() {
            if index > 0 {
                page.end_line();
            }
            page.line(&[Span::new(TITLE, &usage.line)]);
            for paragraph in [usage.help, usage.command.details].into_iter().filter(|text| !text.is_empty()) {
                page.space(2);
                page.wrap(2, &[Span::plain(paragraph)]);
                page.end_line();
            }
            let mut table = Table::new([Column::Fixed(""), Column::Prose("")]).indented(4);
            for (option, help) in usage.options() {
                table.row([Span::plain(option), Span::new(FAINT, help)]);
            }
            table.put(page);
            if let Some(json) = usage.command.json.describe(str::to_owned) {
                page.line(&[Span::new(FAINT, "  JSON: "), Span::plain(json)]);
            }
        }
    }
}

/// Nothing is wrong.
pub(crate) struct Well;

impl Text for Well {
    fn text(&self, page: &mut Page) {
        page.line(&[Span::new(GOOD, "nothing is wrong")]);
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
