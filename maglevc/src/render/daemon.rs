//! Pure. The daemon as text.

use crate::render::{BAD, Page, Span, TITLE, Text};
use crate::view::daemon::Version;

impl Text for Version {
    fn text(&self, page: &mut Page) {
        page.line(&[Span::new(TITLE, format!("maglevd {}", self.version))]);
        let build: Vec<&str> = [&self.commit, &self.date].into_iter().filter_map(Option::as_deref).collect();
        if !build.is_empty() {
            page.field("built from", &[Span::plain(build.join(" of "))]);
        }
        page.field("server", &[Span::plain(&self.server)]);
        if let Some(started) = self.started_at {
            page.field(
                "running",
                &[Span::plain(format!("for {}, since {}", page.age(Some(started)), page.clock(started)))],
            );
        }
        if let Some(path) = &self.config_path {
            let age = page.age(self.config_loaded_at);
            let age = if age.is_empty() { age } else { format!(", loaded {age} ago") };
            page.field("configuration", &[Span::plain(format!("{path}{age}"))]);
        }
        if !self.last_reload_successful {
            page.field("last reload", &[Span::new(BAD, "refused"), Span::plain("; see `config check`")]);
        }
        page.field("maglevc", &[Span::plain(self.client_version)]);
    }
}
