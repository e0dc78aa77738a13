//! Pure. Problems as text, on one screen.

use crate::render::table::{Column, Table};
use crate::render::{BAD, GOOD, NOTICE, OPEN, Page, Span, TITLE, Text, plural};
use crate::view::problem::{Problem, ProblemSeverity, worst};

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
                ProblemSeverity::Warning | ProblemSeverity::Notice => NOTICE,
                ProblemSeverity::Unspecified => OPEN,
            };
            let left =
                problem.until.map_or_else(String::new, |until| format!("; {} left", page.until(until)));
            // What is bad or about to be comes with what to do. What an operator asked for needs no advice.
            let remedy = match (&problem.remedy, problem.severity) {
                (Some(remedy), ProblemSeverity::Bad | ProblemSeverity::Warning) => format!(" → {remedy}"),
                _ => String::new(),
            };
            table.row([
                Span::plain(problem.kind.word()),
                Span::new(TITLE, problem.name.clone().unwrap_or_default()),
                Span::new(style, &problem.what),
                Span::plain(page.age(problem.since)),
                Span::plain(format!("{}{left}{remedy}", problem.because)),
            ]);
        }
        table.put(page);
    }
}

/// The line that monitoring plugins begin with: the status in the words of Nagios, and the number of problems.
pub(crate) struct Summary<'a>(pub(crate) &'a [Problem]);

impl Text for Summary<'_> {
    fn text(&self, page: &mut Page) {
        let (style, status) = match worst(self.0) {
            None => (GOOD, "OK"),
            Some(ProblemSeverity::Notice | ProblemSeverity::Warning) => (NOTICE, "WARNING"),
            Some(ProblemSeverity::Bad) => (BAD, "CRITICAL"),
            Some(ProblemSeverity::Unspecified) => (OPEN, "UNKNOWN"),
        };
        let count = |severity| self.0.iter().filter(|problem| problem.severity == severity).count();
        let parts = [
            (count(ProblemSeverity::Bad), "bad".to_owned()),
            (count(ProblemSeverity::Warning), "warning".to_owned()),
            (count(ProblemSeverity::Notice), "notice".to_owned()),
        ];
        let listed: Vec<_> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| if word == "bad" { format!("{count} {word}") } else { plural(count, &word) })
            .collect();
        let words = if listed.is_empty() { "no problems".to_owned() } else { listed.join(", ") };
        page.line(&[Span::new(style, status), Span::plain(format!(": {words}"))]);
    }
}

/// The line of a monitoring plugin where the server could not be asked.
pub(crate) struct Unknown<'a>(pub(crate) &'a str);

impl Text for Unknown<'_> {
    fn text(&self, page: &mut Page) {
        let first = self.0.lines().next().unwrap_or_default();
        page.line(&[Span::new(OPEN, "UNKNOWN"), Span::plain(format!(": {first}"))]);
    }
}
