//! Pure. Explanations as text.

use crate::render::backend::state;
use crate::render::table::{Column, Table};
use crate::render::weight::weight;
use crate::render::{BAD, FAINT, GOOD, NOTICE, Page, Span, TITLE, Text};
use crate::view::explanation::{Explanation, Place};

impl Text for Explanation {
    fn text(&self, page: &mut Page) {
        page.line(&[
            Span::new(TITLE, format!("backend {}", self.backend)),
            Span::plain(" is "),
            state(self.state),
        ]);
        if self.places.is_empty() {
            page.line(&[Span::new(NOTICE, "  no frontend uses it")]);
        }
        for place in &self.places {
            page.end_line();
            place.text(page);
        }
    }
}

impl Text for Place {
    fn text(&self, page: &mut Page) {
        page.line(&[
            Span::new(TITLE, format!("frontend {}, pool {}", self.frontend, self.pool)),
            Span::plain(": weight "),
            weight(&self.weight),
        ]);
        let mut causes = Table::new([Column::Fixed(""), Column::Fixed(""), Column::Prose("")]).indented(2);
        for link in &self.causes {
            let passes = if link.passes { Span::new(GOOD, "yes") } else { Span::new(BAD, "no") };
            causes.row([Span::new(FAINT, link.cause), passes, Span::plain(&link.finding)]);
        }
        causes.put(page);
        if !self.changes.is_empty() {
            page.line(&[Span::plain("  What would change it:")]);
        }
        for change in &self.changes {
            page.space(4);
            page.wrap(4, &[Span::plain(format!("{}: ", change.what)), Span::new(FAINT, &change.effect)]);
            page.end_line();
        }
    }
}
