//! Pure. Who the server takes the caller for, as text.

use crate::render::{BAD, FAINT, Page, Span, TITLE, Text};
use crate::view::access::Access;
use crate::view::words::Role;

impl Text for Access {
    fn text(&self, page: &mut Page) {
        let title = match &self.user {
            Some(user) => Span::new(TITLE, user),
            None => Span::new(TITLE, "no user of the access file"),
        };
        page.line(&[title]);
        page.field("server", &[Span::plain(&self.server)]);
        page.field("from", &[Span::plain(&self.from)]);
        let style = if self.role == Role::None { BAD } else { TITLE };
        page.field("role", &[Span::new(style, self.role.word()), Span::new(FAINT, may(self.role))]);
        if self.role == Role::Admin {
            page.field("backends", &[Span::plain(patterns(self.backends.as_deref()))]);
            page.field("frontends", &[Span::plain(patterns(self.frontends.as_deref()))]);
        }
    }
}

/// What a role may do, after its name.
fn may(role: Role) -> &'static str {
    match role {
        Role::None => ": may do nothing",
        Role::Viewer => ": may look at everything but the audit log",
        Role::Admin => ": may look at everything, and change what follows",
        Role::Unspecified => "",
    }
}

fn patterns(patterns: Option<&[String]>) -> String {
    patterns.map_or_else(|| "all".to_owned(), |patterns| patterns.join(", "))
}
