//! Pure. Problems as text, on one screen.

use crate::render::table::{Column, Table};
use crate::render::{BAD, NOTICE, Page, Span, TITLE, Text};
use crate::view::problem::{Problem, ProblemSeverity};

impl Text for Vec<Problem> {
    fn text(&self, page: &mut Page) {
        // Nothing at all where nothing is wrong, not even titles.
        if self.is_empty() {
            return;
        }
        let mut table = Table::new([
            Column::Fixed("KIND"),
            Column::Name("NAME"),
            Column::Fixed("WHAT"),
            Column::Number("SINCE"),
            Column::Prose("BECAUSE"),
        ]);
        for problem in self {
            let style = match problem.severity {
                ProblemSeverity::Bad => BAD,
                ProblemSeverity::Notice => NOTICE,
            };
            let left =
                problem.until.map_or_else(String::new, |until| format!("; {} left", page.until(until)));
            table.row([
                Span::plain(problem.kind.word()),
                Span::new(TITLE, problem.name.clone().unwrap_or_default()),
                Span::new(style, &problem.what),
                Span::plain(page.age(problem.since)),
                Span::plain(format!("{}{left}", problem.because)),
            ]);
        }
        table.put(page);
    }
}
