//! Pure. Backends as text.

use anstyle::Style;

use crate::render::table::{Column, Table};
use crate::render::units::{age, took};
use crate::render::weight::{because, short, weight, who};
use crate::render::{BAD, FAINT, GOOD, NOTICE, OPEN, Page, Span, TITLE, Text, plural};
use crate::view::Time;
use crate::view::backend::{Backend, BackendChange, Health, Intent, Membership, Probe, Transition};
use crate::view::words::{BackendState, IntentKind};

/// The style of a state.
pub(crate) fn style(state: BackendState) -> Style {
    match state {
        BackendState::Up => GOOD,
        BackendState::Down => BAD,
        BackendState::Paused | BackendState::Disabled => NOTICE,
        BackendState::Unknown => OPEN,
        BackendState::Removed | BackendState::Unspecified => FAINT,
    }
}

/// A state in its style.
pub(crate) fn state(state: BackendState) -> Span {
    Span::new(style(state), state.word())
}

impl Text for Vec<Backend> {
    fn text(&self, page: &mut Page) {
        if self.is_empty() {
            page.line(&[Span::plain("no backends")]);
            return;
        }
        let mut table = Table::new([
            Column::Name("BACKEND"),
            Column::Fixed("STATE"),
            Column::Number("SINCE"),
            Column::Number("HEALTH"),
            Column::Address("ADDRESS"),
            Column::Name("CHECK"),
            Column::Sentence("DETAIL"),
        ]);
        for backend in self {
            let health = backend
                .health_check
                .as_ref()
                .map_or_else(String::new, |_| format!("{}/{}", backend.health.counter, backend.health.full));
            table.row([
                Span::plain(&backend.name),
                state(backend.state),
                Span::plain(page.age(backend.since)),
                Span::plain(health),
                Span::plain(&backend.address),
                Span::plain(backend.health_check.clone().unwrap_or_default()),
                Span::plain(detail(backend, page)),
            ]);
        }
        table.put(page);
    }
}

/// What explains a state best: the intent, else the last probe.
fn detail(backend: &Backend, page: &Page) -> String {
    if let Some(intent) = backend.intent.as_ref().filter(|intent| intent.kind != IntentKind::Enabled) {
        let left = intent.until.map(|until| page.until(until));
        return who(intent.by.as_deref().map(short), page.age(intent.at), left, intent.reason.as_deref());
    }
    match &backend.last_probe {
        _ if backend.state == BackendState::Disabled => "by the configuration".to_owned(),
        None if backend.health_check.is_none() => "no check: always up".to_owned(),
        None => String::new(),
        Some(probe) if probe.success == Some(true) => {
            let time = probe.total_seconds.map_or_else(String::new, |total| format!(" in {}", took(total)));
            format!("{}{time}, {} ago", probe.code, page.age(probe.at))
        }
        Some(probe) => format!("{} {}", probe.code, probe.detail),
    }
}

impl Text for Backend {
    fn text(&self, page: &mut Page) {
        page.line(&[Span::new(TITLE, format!("backend {}", self.name))]);
        let mut now = vec![state(self.state)];
        if let Some(since) = self.since {
            now.push(Span::plain(format!(" for {}, since {}", page.age(Some(since)), page.clock(since))));
        }
        page.field("state", &now);
        page.field("address", &[Span::plain(&self.address)]);
        match &self.health_check {
            Some(check) => {
                page.field("check", &[Span::plain(check)]);
                page.field("health", &health(&self.health, self.state));
            }
            None => page.field("check", &[Span::plain("none: always up")]),
        }
        intent(self, page);
        if let Some(probe) = &self.last_probe {
            last_probe(probe, page);
        }
        if let Some(unprobeable) = &self.unprobeable {
            let since = page.age(unprobeable.since);
            page.field(
                "probes",
                &[Span::new(BAD, format!("cannot be made for {since}: {}", unprobeable.reason))],
            );
        }
        if let Some(next) = self.next_probe_at {
            page.field("next probe", &[Span::plain(format!("in {}", page.until(next)))]);
        }
        memberships(&self.memberships, page);
        transitions(&self.transitions, page);
    }
}

/// The counter as a bar: what is right of the line inside it is up.
fn health(health: &Health, state: BackendState) -> Vec<Span> {
    /// Longer bars say no more.
    const LONGEST: u32 = 20;
    let Health { counter, full, rise, fall } = *health;
    let below = rise.saturating_sub(1);
    let mut bar = String::from("[");
    if full <= LONGEST {
        for cell in 0..full {
            if cell == below {
                bar.push('|');
            }
            bar.push(if cell < counter { '#' } else { '.' });
        }
        bar.push_str("] ");
    } else {
        bar.clear();
    }
    let ahead = match state {
        BackendState::Up => {
            let left = counter.saturating_sub(below);
            format!("down after {} in a row", plural(left as usize, "failure"))
        }
        BackendState::Unknown | BackendState::Down => {
            let left = rise.saturating_sub(counter).max(1);
            let passes = if left == 1 { "1 pass".to_owned() } else { format!("{left} passes in a row") };
            format!("up after {passes}")
        }
        BackendState::Paused | BackendState::Disabled | BackendState::Removed | BackendState::Unspecified => {
            "not probed".to_owned()
        }
    };
    vec![
        Span::new(style(state), bar),
        Span::plain(format!("{counter} of {full}, {ahead}")),
        Span::new(FAINT, format!(" (rise {rise}, fall {fall})")),
    ]
}

fn intent(backend: &Backend, page: &mut Page) {
    match &backend.intent {
        Some(Intent { kind, by, at, reason, until }) => {
            let left = until.map(|until| page.until(until));
            let said = who(by.as_deref(), page.age(*at), left, reason.as_deref());
            page.field("intent", &[Span::new(NOTICE, kind.word()), Span::plain(format!(" {said}"))]);
        }
        None if !backend.enabled => {
            page.field("intent", &[Span::plain("none; disabled by the configuration")]);
        }
        None => {}
    }
}

fn last_probe(probe: &Probe, page: &mut Page) {
    let style = match probe.success {
        Some(true) => GOOD,
        Some(false) => BAD,
        None => OPEN,
    };
    let age = page.age(probe.at);
    let age = if age.is_empty() { age } else { format!(" {age} ago") };
    page.field(
        "last probe",
        &[Span::new(style, &probe.code), Span::plain(format!("{age}: {}", probe.detail))],
    );
    let phases: Vec<String> = [
        ("connect", probe.connect_seconds),
        ("TLS", probe.tls_seconds),
        ("answer", probe.response_seconds),
        ("total", probe.total_seconds),
    ]
    .into_iter()
    .filter_map(|(phase, seconds)| Some(format!("{phase} {}", took(seconds?))))
    .collect();
    if !phases.is_empty() {
        page.field("timings", &[Span::plain(phases.join(", "))]);
    }
}

fn memberships(memberships: &[Membership], page: &mut Page) {
    if memberships.is_empty() {
        page.field("serves", &[Span::new(NOTICE, "no frontend uses it")]);
        return;
    }
    page.end_line();
    let mut table = Table::new([
        Column::Name("FRONTEND"),
        Column::Name("POOL"),
        Column::Number("WEIGHT"),
        Column::Prose("BECAUSE"),
    ])
    .indented(2);
    for membership in memberships {
        let active = membership.active_pool.as_deref();
        table.row([
            Span::plain(&membership.frontend),
            Span::plain(&membership.pool),
            weight(&membership.weight),
            Span::plain(because(&membership.weight, active, page)),
        ]);
    }
    table.put(page);
}

fn transitions(transitions: &[Transition], page: &mut Page) {
    if transitions.is_empty() {
        return;
    }
    page.end_line();
    let mut table = Table::new([
        Column::Number("AGE"),
        Column::Fixed("FROM"),
        Column::Fixed("TO"),
        Column::Fixed("CAUSE"),
        Column::Fixed("CODE"),
        Column::Prose("DETAIL"),
    ])
    .indented(2);
    for transition in transitions {
        table.row([
            Span::plain(page.age(transition.at)),
            state(transition.from),
            state(transition.to),
            Span::plain(transition.cause.word()),
            Span::plain(transition.code.clone().unwrap_or_default()),
            Span::plain(transition.detail.clone().unwrap_or_default()),
        ]);
    }
    table.put(page);
}

impl Text for BackendChange {
    fn text(&self, page: &mut Page) {
        let backend = &self.backend;
        let (before, now) = if self.changed { ("", "is now") } else { ("nothing changed: ", "is") };
        let mut spans =
            vec![Span::plain(format!("{before}backend {} {now} ", backend.name)), state(backend.state)];
        let ends = backend.intent.as_ref().and_then(|intent| Some((intent.at?, intent.until?)));
        if let Some((Time(at), Time(until))) = ends {
            spans.push(Span::plain(format!(" for {}", age(until.duration_since(at).as_secs()))));
        }
        if backend.state == BackendState::Unknown {
            let next = backend.next_probe_at.map(|next| format!(", in {}", page.until(next)));
            spans.push(Span::plain(format!(" until its next probe{}", next.unwrap_or_default())));
        }
        page.line(&spans);
    }
}
