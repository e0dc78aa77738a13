//! Pure. Events as text, one aligned line each.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::render::backend::state as backend_state;
use crate::render::frontend::state as frontend_state;
use crate::render::table::shorten;
use crate::render::{BAD, FAINT, NOTICE, OPEN, PLAIN, Page, Span, TITLE, Text};
use crate::view::Time;
use crate::view::backend::Transition;
use crate::view::event::{Event, What};
use crate::view::words::{EventKind, LogLevel};

/// Names of events are at least this wide, so that the first lines are aligned with most that follow.
const NARROWEST: usize = 12;
/// And at most this, so that one long name does not push all else off the screen.
const WIDEST: usize = 28;

/// Events in the order in which they happen. It knows the widest name so far: what was written cannot be aligned anew.
pub(crate) struct Lines {
    names: usize,
}

/// One event on its line.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Line {
    event: Event,
    #[serde(skip)]
    names: usize,
}

impl Lines {
    /// No event yet.
    pub(crate) fn new() -> Self {
        Self { names: NARROWEST }
    }

    /// The next event.
    pub(crate) fn next(&mut self, event: Event) -> Line {
        if let What::Backend { backend: name, .. } | What::Frontend { frontend: name, .. } = &event.what {
            self.names = self.names.max(name.width()).min(WIDEST);
        }
        Line { event, names: self.names }
    }
}

impl Text for Line {
    fn text(&self, page: &mut Page) {
        let names = self.names;
        let at = |at: Option<Time>| at.map_or_else(String::new, |at| page.moment(at));
        let start = Span::new(FAINT, format!("{:18}  ", at(self.event.at)));
        page.put(&start);
        match &self.event.what {
            What::Backend { kind, backend, state, transition } => {
                subject(page, "backend", backend, names);
                match (kind, transition) {
                    (EventKind::Changed, Some(transition)) => {
                        change(page, &backend_state(transition.from), &backend_state(transition.to));
                        page.put(&Span::plain(cause(transition)));
                    }
                    (EventKind::Present, Some(transition)) => {
                        page.put(&backend_state(*state));
                        let age = page.age(transition.at);
                        let age = if age.is_empty() { age } else { format!(" for {age}") };
                        page.put(&Span::new(FAINT, format!("{age}{}", cause(transition))));
                    }
                    (kind, _) => stands(page, *kind, &backend_state(*state)),
                }
            }
            What::Frontend { kind, frontend, state, from, active_pool, from_pool } => {
                subject(page, "frontend", frontend, names);
                match kind {
                    EventKind::Changed if state != from => {
                        change(page, &frontend_state(*from), &frontend_state(*state));
                    }
                    kind => stands(page, *kind, &frontend_state(*state)),
                }
                let pool = |pool: &Option<String>| pool.clone().unwrap_or_else(|| "none".to_owned());
                if active_pool != from_pool {
                    page.put(&Span::plain(format!("  pool {} → {}", pool(from_pool), pool(active_pool))));
                } else if active_pool.is_some() {
                    page.put(&Span::new(FAINT, format!("  pool {}", pool(active_pool))));
                }
            }
            What::Log { level, message, fields } => {
                let style = match level {
                    LogLevel::Error => BAD,
                    LogLevel::Warn => NOTICE,
                    LogLevel::Info => PLAIN,
                    LogLevel::Debug | LogLevel::Unspecified => FAINT,
                };
                page.put(&Span::new(style, format!("{:8}  ", level.word())));
                page.put(&Span::plain(message));
                for (name, value) in fields {
                    page.put(&Span::new(FAINT, format!("  {name}=")));
                    page.put(&Span::plain(value));
                }
            }
            What::Synchronized => page.put(&Span::new(FAINT, "that is the present state; changes follow")),
            What::Lagged { missed } => {
                let said = format!("too slow: {missed} events missed; the present state follows");
                page.put(&Span::new(NOTICE, said));
            }
            What::Other => page.put(&Span::new(OPEN, "an event that this maglevc is too old to know")),
        }
        page.end_line();
    }
}

/// What an event is about.
fn subject(page: &mut Page, kind: &str, name: &str, width: usize) {
    page.put(&Span::plain(format!("{kind:8}  ")));
    let name = Span::new(TITLE, shorten(name, width));
    let blanks = width.saturating_sub(name.width());
    page.put(&name);
    page.space(blanks + 2);
}

/// One state after the other.
fn change(page: &mut Page, from: &Span, to: &Span) {
    page.put(from);
    page.put(&Span::plain(" → "));
    page.put(to);
}

/// A state, and what of it is news.
fn stands(page: &mut Page, kind: EventKind, state: &Span) {
    page.put(state);
    let news = matches!(kind, EventKind::Added | EventKind::Removed);
    if news && kind.word() != state.text {
        page.put(&Span::plain(format!(" ({kind})")));
    }
}

/// What set a transition off.
fn cause(transition: &Transition) -> String {
    let mut said = format!("  {}", transition.cause);
    for part in [&transition.code, &transition.detail].into_iter().flatten() {
        said.push_str(&format!(" {part}"));
    }
    said
}
