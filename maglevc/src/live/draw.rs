//! Pure. The live view on a screen: a line of totals, rows, the last changes, and the keys.

use std::collections::VecDeque;
use std::ops::Range;

use anstyle::{AnsiColor, Color as Ansi, Effects};
use ratatui::Frame;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span as Drawn};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr as _;

use super::model::{Change, Changed, Model, Row, Sample, Subject};
use crate::output::Paper;
use crate::render::backend::state as backend_state;
use crate::render::frontend::state as frontend_state;
use crate::render::table::shorten;
use crate::render::units::{age, count, percent, took};
use crate::render::weight::weight;
use crate::render::{BAD, FAINT, NOTICE, PLAIN, Span, TITLE, plural};
use crate::view::Time;
use crate::view::backend::{Backend, Weight};
use crate::view::vpp::Server;
use crate::view::words::{BackendState, FrontendState};

/// Changes on a screen, where the screen is high enough.
const CHANGES: usize = 5;
/// Columns of a name, at least.
const NAME: usize = 16;
/// Columns of the probes, at least and at most.
const PROBES: (usize, usize) = (10, 60);
/// Titles and widths of the columns between the name and the probes.
const COLUMNS: [(&str, usize); 6] =
    [("STATE", 8), ("SINCE", 7), ("WEIGHT", 9), ("BUCKETS", 7), ("SHARE", 7), ("LATENCY", 8)];

/// Draws the view, and tells the model how many rows there was room for.
pub(super) fn draw(frame: &mut Frame<'_>, model: &mut Model, paper: &Paper) {
    let area = frame.area();
    let mut canvas = Canvas { width: area.width.into(), paper, lines: Vec::new() };
    (model.page, model.offset) = canvas.view(model, area.height.into());
    frame.render_widget(Paragraph::new(canvas.lines), area);
}

/// Lines in the making.
struct Canvas<'a> {
    width: usize,
    paper: &'a Paper,
    lines: Vec<Line<'static>>,
}

impl Canvas<'_> {
    /// Puts the view on the canvas, and says the room for rows and the first that is shown.
    fn view(&mut self, model: &Model, height: usize) -> (usize, usize) {
        let changes = if height >= 12 { CHANGES.min(model.changes.len()) } else { 0 };
        // The totals, the titles and the keys, and above the changes a line for their title.
        let around = 3 + if changes > 0 { changes + 1 } else { 0 };
        let room = height.saturating_sub(around);
        let rows = model.rows();
        let offset = model.offset.min(rows.len().saturating_sub(room));
        let shown = offset..rows.len().min(offset + room);
        let (name, probes) = self.fit(rows.iter().map(Row::width).max().unwrap_or(NAME));
        self.totals(model);
        self.titles(model, name, probes);
        for row in &rows[shown.clone()] {
            self.row(model, row, name, probes);
        }
        for _ in shown.len()..room {
            self.lines.push(Line::default());
        }
        if changes > 0 {
            self.put(&[Span::new(TITLE, "    AGE LAST CHANGES")]);
            for change in &model.changes[..changes] {
                self.change(change, name);
            }
        }
        self.keys(model, &shown, rows.len());
        self.lines.truncate(height);
        (room.max(1), offset)
    }

    /// Columns of the name and of the probes.
    fn fit(&self, names: usize) -> (usize, usize) {
        let fixed: usize = COLUMNS.iter().map(|(_, width)| width + 1).sum();
        let room = self.width.saturating_sub(fixed + 1);
        let name = names.clamp(NAME, room.saturating_sub(PROBES.0).max(NAME));
        (name, room.saturating_sub(name).min(PROBES.1))
    }

    fn totals(&mut self, model: &Model) {
        // Before the totals: what matters more loses nothing on a narrow screen.
        let status = match &model.trouble {
            Some(trouble) => Span::new(BAD, format!("  {trouble}; trying on")),
            None if model.paused => Span::new(NOTICE, "  PAUSED"),
            None => Span::empty(),
        };
        let mut spans = vec![Span::new(TITLE, &model.server), status, Span::plain("  ")];
        match model.subject {
            Subject::Backends => {
                use BackendState::{Disabled, Down, Paused, Unknown, Up};
                spans.push(Span::plain(plural(model.shown.backends.len(), "backend")));
                for state in [Up, Down, Unknown, Paused, Disabled] {
                    let many = model.shown.backends.iter().filter(|one| one.state == state).count();
                    total(&mut spans, many, backend_state(state));
                }
            }
            Subject::Frontends => {
                use FrontendState::{Down, Unknown, Up};
                spans.push(Span::plain(plural(model.shown.frontends.len(), "frontend")));
                for state in [Up, Down, Unknown] {
                    let many = model.shown.frontends.iter().filter(|one| one.state == state).count();
                    total(&mut spans, many, frontend_state(state));
                }
            }
        }
        let clock =
            model.shown.at.0.to_zoned_datetime(self.paper.zone.clone()).strftime("%H:%M:%S").to_string();
        self.between(spans, Span::new(FAINT, clock));
    }

    fn titles(&mut self, model: &Model, name: usize, probes: usize) {
        let title = match model.subject {
            Subject::Backends => "BACKEND",
            Subject::Frontends => "FRONTEND",
        };
        let mut spans = vec![Span::new(TITLE, format!("{title:name$}"))];
        for (index, (title, width)) in COLUMNS.into_iter().enumerate() {
            let text = if index == 0 { format!(" {title:width$}") } else { format!(" {title:>width$}") };
            spans.push(Span::new(TITLE, text));
        }
        if probes >= "PROBES".len() {
            spans.push(Span::new(TITLE, " PROBES"));
        }
        self.put(&spans);
    }

    fn row(&mut self, model: &Model, row: &Row<'_>, name: usize, probes: usize) {
        match row {
            Row::Backend(backend) => {
                let weights: Vec<String> =
                    backend.memberships.iter().map(|place| place.weight.effective.to_string()).collect();
                let servers: Vec<&Server> = model.servers(&backend.name).map(|(_, server)| server).collect();
                let buckets = servers.iter().map(|server| u64::from(server.buckets)).sum();
                let cells = [
                    backend_state(backend.state),
                    self.since(backend.since),
                    Span::plain(shorten(&weights.join(","), COLUMNS[2].1)),
                    Span::plain(if servers.is_empty() { String::new() } else { count(buckets) }),
                    // Shares of different frontends add up to nothing.
                    Span::plain(if let [only] = servers.as_slice() {
                        percent(only.share)
                    } else {
                        String::new()
                    }),
                    latency(backend),
                ];
                self.cells(
                    &padded(&Span::plain(&backend.name), name),
                    &cells,
                    taken(model, &backend.name),
                    probes,
                );
            }
            Row::Member(frontend, pool, backend) => {
                let known = model.backend(&backend.name);
                let mut servers = model.servers(&backend.name);
                let server = servers.find(|(vip, _)| vip.frontend.as_ref() == Some(&frontend.name));
                let server = server.map(|(_, server)| server);
                let cells = [
                    backend_state(backend.state),
                    self.since(known.and_then(|known| known.since)),
                    narrow(&backend.weight),
                    Span::plain(server.map_or_else(String::new, |server| count(server.buckets.into()))),
                    Span::plain(server.map_or_else(String::new, |server| percent(server.share))),
                    known.map_or_else(Span::empty, latency),
                ];
                let label = Span::plain(format!("  {}/{}", pool.name, backend.name));
                self.cells(&padded(&label, name), &cells, taken(model, &backend.name), probes);
            }
            Row::Frontend(frontend) => {
                let state = frontend_state(frontend.state);
                let blanks = COLUMNS[0].1.saturating_sub(state.width());
                let since = self.since(frontend.since).text;
                let pool = match &frontend.active_pool {
                    Some(pool) => Span::plain(format!("  pool {pool}")),
                    None => Span::new(BAD, "  no pool is active"),
                };
                self.put(&[
                    padded(&Span::new(TITLE, &frontend.name), name),
                    Span::plain(" "),
                    state,
                    Span::plain(format!("{:blanks$} {since:>1$}  ", "", COLUMNS[1].1)),
                    Span::new(FAINT, frontend.serves()),
                    pool,
                ]);
            }
        }
    }

    fn cells(&mut self, name: &Span, cells: &[Span; 6], samples: &VecDeque<Sample>, probes: usize) {
        let mut spans = vec![name.clone()];
        for (index, (cell, (_, width))) in cells.iter().zip(COLUMNS).enumerate() {
            let blanks = Span::plain(format!("{:1$}", "", width.saturating_sub(cell.width())));
            spans.push(Span::plain(" "));
            // States at the left of their column, numbers at the right.
            spans.extend(if index == 0 { [cell.clone(), blanks] } else { [blanks, cell.clone()] });
        }
        spans.push(Span::plain(" "));
        spans.extend(sparkline(samples, probes));
        self.put(&spans);
    }

    fn change(&mut self, change: &Change, names: usize) {
        let age = self.since(Some(change.at)).text;
        let (name, from, to) = match &change.what {
            Changed::Backend { name, from, to } => (name, backend_state(*from), backend_state(*to)),
            Changed::Frontend { name, from, to } => (name, frontend_state(*from), frontend_state(*to)),
        };
        let name = Span::plain(name);
        let arrow = Span::plain(" → ");
        let spans = [
            Span::new(FAINT, format!("{age:>7} ")),
            padded(&name, names),
            Span::plain(" "),
            from,
            arrow,
            to,
            Span::new(FAINT, format!("  {}", change.why)),
        ];
        self.put(&spans);
    }

    fn keys(&mut self, model: &Model, shown: &Range<usize>, rows: usize) {
        if model.typing {
            let keys = Span::new(FAINT, "   Enter keeps it, Esc shows all");
            self.put(&[Span::new(NOTICE, format!("filter: {}_", model.filter)), keys]);
            return;
        }
        let filter = if model.filter.is_empty() { String::new() } else { format!(" {}", model.filter) };
        let pause = if model.paused { "p go on" } else { "p pause" };
        let keys = format!("q quit  s sort: {}  / filter{filter}  {pause}", model.sort.word());
        let place = match rows {
            0 => "nothing to show".to_owned(),
            rows => format!("{}-{} of {rows}", shown.start + 1, shown.end),
        };
        self.between(vec![Span::new(FAINT, keys)], Span::new(FAINT, place));
    }

    fn since(&self, at: Option<Time>) -> Span {
        let now = (self.paper.clock)();
        Span::plain(at.map_or_else(String::new, |Time(at)| age(now.duration_since(at).as_secs())))
    }

    /// Spans at the left, and one at the right.
    fn between(&mut self, mut left: Vec<Span>, right: Span) {
        let mut room = self.width.saturating_sub(right.width() + 1);
        for span in &mut left {
            span.text = shorten(&span.text, room);
            room = room.saturating_sub(span.width());
        }
        left.push(Span::plain(format!("{:1$}", "", room + 1)));
        left.push(right);
        self.put(&left);
    }

    fn put(&mut self, spans: &[Span]) {
        let color = self.paper.color;
        let drawn = spans.iter().map(|span| Drawn::styled(span.text.clone(), style(span.style, color)));
        self.lines.push(Line::from_iter(drawn));
    }
}

impl Row<'_> {
    /// Columns of its name.
    fn width(&self) -> usize {
        match self {
            Self::Backend(backend) => backend.name.width(),
            Self::Frontend(frontend) => frontend.name.width(),
            // Further in, and with a slash between.
            Self::Member(_, pool, backend) => 3 + pool.name.width() + backend.name.width(),
        }
    }
}

fn total(spans: &mut Vec<Span>, many: usize, state: Span) {
    if many > 0 {
        spans.push(Span::plain("  "));
        spans.push(Span::new(state.style, format!("{many} {}", state.text)));
    }
}

/// A weight in the columns there are for it.
fn narrow(of: &Weight) -> Span {
    let span = weight(of);
    if span.width() <= COLUMNS[2].1 { span } else { Span::plain(format!("{}/{}", of.effective, of.wanted())) }
}

fn padded(span: &Span, width: usize) -> Span {
    let text = shorten(&span.text, width);
    let fitted = Span::new(span.style, text);
    let blanks = width.saturating_sub(fitted.width());
    Span { text: format!("{}{:blanks$}", fitted.text, ""), style: span.style }
}

fn latency(backend: &Backend) -> Span {
    match &backend.last_probe {
        Some(probe) if probe.success == Some(true) => {
            Span::plain(probe.total_seconds.map_or_else(String::new, took))
        }
        Some(probe) => Span::new(BAD, &probe.code),
        None => Span::empty(),
    }
}

fn taken<'m>(model: &'m Model, backend: &str) -> &'m VecDeque<Sample> {
    const NONE: &VecDeque<Sample> = &VecDeque::new();
    model.samples.get(backend).map_or(NONE, |samples| &samples.taken)
}

/// The last probes, newest at the right: as high as they took long, the slowest full; one that failed is a cross.
fn sparkline(samples: &VecDeque<Sample>, width: usize) -> Vec<Span> {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let shown = || samples.iter().skip(samples.len().saturating_sub(width));
    let slowest = shown().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mark = |sample: &Sample| match sample {
        None => Span::new(BAD, "×"),
        Some(seconds) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 7, and floats saturate"
            )]
            let level = (seconds / slowest * 7.0).round() as usize;
            Span::plain(LEVELS[level.min(7)].to_string())
        }
    };
    shown().map(mark).collect()
}

/// A style of the other answers, for this screen.
fn style(style: anstyle::Style, color: bool) -> Style {
    let mut drawn = Style::new();
    if style == PLAIN {
        return drawn;
    }
    let effects = style.get_effects();
    if effects.contains(Effects::BOLD) {
        drawn = drawn.add_modifier(Modifier::BOLD);
    }
    if effects.contains(Effects::DIMMED) {
        drawn = drawn.add_modifier(Modifier::DIM);
    }
    let foreground = match style.get_fg_color() {
        Some(Ansi::Ansi(AnsiColor::Green)) => Color::Green,
        Some(Ansi::Ansi(AnsiColor::Red)) => Color::Red,
        Some(Ansi::Ansi(AnsiColor::Yellow)) => Color::Yellow,
        Some(Ansi::Ansi(AnsiColor::Cyan)) => Color::Cyan,
        _ => return drawn,
    };
    if color { drawn.fg(foreground) } else { drawn }
}

#[cfg(test)]
mod tests;
