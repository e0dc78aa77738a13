//! Pure. Frontends as text.

use anstyle::Style;

use crate::render::backend::state as backend_state;
use crate::render::table::{Column, Table};
use crate::render::units::serves;
use crate::render::weight::{because, overridden, reason, short, weight};
use crate::render::{BAD, FAINT, GOOD, NOTICE, OPEN, Page, Span, TITLE, Text};
use crate::view::frontend::{Frontend, WeightChange};
use crate::view::words::{FrontendState, WeightReason};

/// The style of a state.
fn style(state: FrontendState) -> Style {
    match state {
        FrontendState::Up => GOOD,
        FrontendState::Down => BAD,
        FrontendState::Unknown => OPEN,
        FrontendState::Unspecified => FAINT,
    }
}

/// A state in its style.
pub(crate) fn state(state: FrontendState) -> Span {
    Span::new(style(state), state.word())
}

impl Text for Vec<Frontend> {
    fn text(&self, page: &mut Page) {
        if self.is_empty() {
            page.line(&[Span::plain("no frontends")]);
            return;
        }
        let mut table = Table::new([
            Column::Name("FRONTEND"),
            Column::Fixed("STATE"),
            Column::Number("SINCE"),
            Column::Address("ADDRESS"),
            Column::Number("WEIGHT"),
            Column::Prose("BECAUSE"),
        ]);
        for frontend in self {
            table.row([
                Span::new(TITLE, &frontend.name),
                state(frontend.state),
                Span::plain(page.age(frontend.since)),
                Span::plain(frontend.serves()),
                Span::empty(),
                Span::new(FAINT, frontend.description.clone().unwrap_or_default()),
            ]);
            frontend.pool_rows(&mut table, 1, page);
        }
        table.put(page);
    }
}

impl Frontend {
    /// Where it serves.
    pub(crate) fn serves(&self) -> String {
        serves(&self.prefix, self.protocol.as_deref(), self.port)
    }

    /// A row for each pool and, further in, for each backend. Nothing is said of a backend that is as it should be.
    fn pool_rows(&self, table: &mut Table, depth: usize, page: &Page) {
        for pool in &self.pools {
            let status = match (pool.active, &self.active_pool) {
                (true, _) => Span::new(GOOD, "active"),
                (false, Some(_)) => Span::new(FAINT, "standby"),
                (false, None) => Span::new(FAINT, "idle"),
            };
            table.row([
                Span::plain(format!("{:1$}{2}", "", 2 * depth, pool.name)),
                status,
                Span::empty(),
                Span::empty(),
                Span::empty(),
                Span::empty(),
            ]);
            for backend in &pool.backends {
                let because = match backend.weight.because {
                    WeightReason::Active => overridden(&backend.weight, page, short).unwrap_or_default(),
                    _ => because(&backend.weight, self.active_pool.as_deref(), page),
                };
                table.row([
                    Span::plain(format!("{:1$}{2}", "", 2 * depth + 2, backend.name)),
                    backend_state(backend.state),
                    Span::empty(),
                    Span::plain(&backend.address),
                    weight(&backend.weight),
                    Span::plain(because),
                ]);
            }
        }
    }
}

impl Text for Frontend {
    fn text(&self, page: &mut Page) {
        page.line(&[Span::new(TITLE, format!("frontend {}", self.name))]);
        if let Some(description) = &self.description {
            page.field("description", &[Span::plain(description)]);
        }
        let mut now = vec![state(self.state)];
        if let Some(since) = self.since {
            now.push(Span::plain(format!(" for {}, since {}", page.age(Some(since)), page.clock(since))));
        }
        page.field("state", &now);
        page.field("serves", &[Span::plain(self.serves())]);
        match &self.active_pool {
            Some(pool) => page.field("active pool", &[Span::plain(pool)]),
            None => page.field("active pool", &[Span::new(BAD, "none: traffic is dropped")]),
        }
        if let Some(encap) = &self.encap {
            page.field("encap", &[Span::plain(encap)]);
        }
        let table = match (self.table_length, self.table_length_desired) {
            (Some(length), _) => format!("{length} buckets"),
            (None, Some(length)) => format!("auto, {length} buckets"),
            (None, None) => "auto".to_owned(),
        };
        page.field("table", &[Span::plain(table)]);
        if let Some(steps) = self.weight_steps {
            page.field("weight steps", &[Span::plain(steps.to_string())]);
        }
        if let Some(fingerprint) = &self.fingerprint {
            let mut spans = vec![Span::plain(fingerprint)];
            if let Some(desired) = self.fingerprint_desired.as_ref().filter(|desired| *desired != fingerprint)
            {
                spans.push(Span::new(NOTICE, format!(", but VPP should have {desired}")));
            }
            page.field("fingerprint", &spans);
        }
        let sticky = if self.src_ip_sticky { "by source address" } else { "by flow" };
        page.field("sticky", &[Span::plain(sticky)]);
        let flush =
            if self.flush_on_down { "loses its established flows" } else { "keeps its established flows" };
        page.field("down backend", &[Span::plain(flush)]);
        page.end_line();
        let mut table = Table::new([
            Column::Name("POOL"),
            Column::Fixed("STATE"),
            Column::Fixed(""),
            Column::Address("ADDRESS"),
            Column::Number("WEIGHT"),
            Column::Prose("BECAUSE"),
        ])
        .indented(2);
        self.pool_rows(&mut table, 0, page);
        table.put(page);
    }
}

impl Text for WeightChange {
    fn text(&self, page: &mut Page) {
        let Self { changed, pool, backend, weight, frontend } = self;
        let (before, now) = if *changed { ("", "is now") } else { ("nothing changed: ", "is") };
        let mut said = format!(
            "{before}weight of backend {backend} in pool {pool} of frontend {} {now} {weight}",
            frontend.name
        );
        let there = frontend.pools.iter().filter(|p| p.name == *pool).flat_map(|p| &p.backends);
        match there.into_iter().find(|b| b.name == *backend) {
            Some(b) if b.weight.effective != *weight => {
                let reason = reason(b.weight.because, frontend.active_pool.as_deref());
                said.push_str(&format!(", in effect {}: {reason}", b.weight.effective));
            }
            Some(_) | None => {}
        }
        page.wrap(0, &[Span::plain(said)]);
        page.end_line();
    }
}
