//! Pure. Failures as text: the sentence in red and, for a wrong line, where it went wrong and what could stand there.

use unicode_width::UnicodeWidthStr;

use crate::failure::Failure;
use crate::render::help::expected;
use crate::render::{BAD, NOTICE, Page, Span, Text};
use crate::tree::problem::Problem;

impl Text for Failure {
    fn text(&self, page: &mut Page) {
        for line in self.to_string().lines() {
            page.line(&[Span::new(BAD, line)]);
        }
        match self {
            Self::Usage(problem) => problem.text(page),
            Self::Unreachable { hint, .. } => page.line(&[Span::plain(hint)]),
            Self::Mistrusted { why, .. } => {
                why.hint.iter().for_each(|hint| page.line(&[Span::plain(hint)]));
            }
            Self::Flags(_) => page.line(&[Span::plain("`maglevc --help` lists the flags")]),
            Self::Silent { .. }
            | Self::Lost { .. }
            | Self::NoSuchCommand(_)
            | Self::Config(_)
            | Self::Refused(_)
            | Self::NeedsForce(_)
            | Self::NotConfirmed
            | Self::Unwell(_)
            | Self::Status(_)
            | Self::NoTerminal
            | Self::Ended
            | Self::Input(_)
            | Self::Output(_) => {}
        }
    }
}

/// What somebody should know before going on.
pub(crate) struct Warning(pub(crate) String);

impl Text for Warning {
    fn text(&self, page: &mut Page) {
        page.wrap(0, &[Span::new(NOTICE, &self.0)]);
        page.end_line();
    }
}

impl Text for Problem {
    fn text(&self, page: &mut Page) {
        if !self.line.is_empty() {
            page.line(&[Span::plain(format!("  {}", self.line))]);
            let before = self.line.get(..self.span.start).unwrap_or_default().width();
            let under = self.line.get(self.span.clone()).unwrap_or_default().width().max(1);
            // What is missing stands after a blank.
            let before = before + usize::from(self.span.is_empty());
            page.line(&[Span::new(BAD, format!("  {:before$}{}", "", "^".repeat(under)))]);
        }
        expected(&self.expected).text(page);
    }
}
