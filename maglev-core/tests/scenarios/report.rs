//! Pure. What a scenario puts out.

use std::collections::BTreeMap;

use maglev_core::config::Errors;
use maglev_core::engine::{
    BackendStatus, Cause, CommandError, Engine, Event, FrontendStatus, ReloadRefused, ReloadReport,
    SyncReport, Transition,
};
use maglev_core::intent::{Admin, Attribution, Mode};
use maglev_core::names::{BackendName, PoolName};
use maglev_core::observed::{Observed, VipState};
use maglev_core::plan::Plan;
use maglev_core::time::Time;

use crate::simulation::Probes;

/// Lines of output, step by step.
pub(crate) struct Report {
    steps: Vec<Vec<Line>>,
    current: Vec<Line>,
    /// How often each change came, while they are counted and not told.
    counted: Option<BTreeMap<[String; 4], u64>>,
}

enum Line {
    /// Goes into columns that are as wide as the whole scenario needs.
    Event {
        when: String,
        what: [String; 4],
    },
    /// Something about VPP: one column, as its sentences are long.
    Vpp {
        when: String,
        what: String,
    },
    Text(String),
}

impl Report {
    pub(crate) fn new() -> Self {
        Report { steps: Vec::new(), current: Vec::new(), counted: None }
    }

    /// What comes now belongs to the next step.
    pub(crate) fn end_of_step(&mut self) {
        self.steps.push(std::mem::take(&mut self.current));
    }

    /// Every line of every step.
    pub(crate) fn into_steps(self) -> Vec<Vec<String>> {
        let width = |of: &dyn Fn(&Line) -> Option<usize>| {
            self.steps.iter().flatten().filter_map(of).max().unwrap_or_default()
        };
        let event = |line: &Line, of: &dyn Fn(&String, &[String; 4]) -> usize| match line {
            Line::Event { when, what } => Some(of(when, what)),
            Line::Text(_) | Line::Vpp { .. } => None,
        };
        let when_width = width(&|line| event(line, &|when, _| when.chars().count())).max("  1.000s".len());
        let widths: [usize; 3] =
            std::array::from_fn(|i| width(&|line| event(line, &|_, what| what[i].chars().count())));
        let render = |line: &Line| match line {
            Line::Text(text) => format!("| {text}"),
            Line::Vpp { when, what } => format!("| {when:>when_width$}  vpp       {what}"),
            Line::Event { when, what: [kind, name, change, why] } => {
                let [kind_width, name_width, change_width] = widths;
                format!(
                    "| {when:>when_width$}  {kind:kind_width$}  {name:name_width$}  {change:change_width$}  {why}"
                )
            }
        };
        let step = |lines: &Vec<Line>| lines.iter().map(|line| render(line).trim_end().to_owned()).collect();
        self.steps.iter().map(step).collect()
    }

    /// From now on changes are counted, until something is shown.
    pub(crate) fn summarize(&mut self) {
        self.counted = Some(BTreeMap::new());
    }

    fn end_of_summary(&mut self) {
        for (what, count) in self.counted.take().into_iter().flatten() {
            self.current.push(Line::Event { when: format!("{count} times"), what });
        }
    }

    fn text(&mut self, text: impl Into<String>) {
        self.current.push(Line::Text(text.into()));
    }

    /// What a command came to, where that is not seen from its events.
    pub(crate) fn answer(&mut self, answer: &Result<bool, CommandError>) {
        match answer {
            Ok(true) => {}
            Ok(false) => self.text("it is so already"),
            Err(error) => {
                let source = std::error::Error::source(error).map(|source| format!(": {source}"));
                self.text(format!("refused: {error}{}", source.unwrap_or_default()));
            }
        }
    }

    pub(crate) fn refused_config(&mut self, errors: &Errors) {
        for line in errors.in_file("config").to_string().lines() {
            self.text(format!("refused: {line}"));
        }
    }

    pub(crate) fn reloaded(&mut self, answer: &Result<ReloadReport, ReloadRefused>) {
        match answer {
            Ok(report) => self.started(report),
            Err(ReloadRefused(dangers)) => {
                dangers.iter().for_each(|danger| self.text(format!("refused: {danger}")));
            }
        }
    }

    pub(crate) fn started(&mut self, report: &ReloadReport) {
        report.notes.iter().for_each(|note| self.text(format!("note: {note}")));
        report.dangers.iter().for_each(|danger| self.text(format!("forced: {danger}")));
    }

    pub(crate) fn event(&mut self, event: &Event) {
        let change =
            |from: &dyn ToString, to: &dyn ToString| format!("{} → {}", from.to_string(), to.to_string());
        let pool = |pool: &Option<PoolName>| pool.as_ref().map_or("none".to_owned(), ToString::to_string);
        let place = |a: &dyn ToString, b: &dyn ToString, c: &dyn ToString| {
            format!("{} {} {}", a.to_string(), b.to_string(), c.to_string())
        };
        let (kind, name, change, why) = match event {
            Event::BackendAdded { backend, state, .. } => {
                ("backend", backend.to_string(), format!("added {state}"), String::new())
            }
            Event::BackendChanged { backend, transition } | Event::BackendRemoved { backend, transition } => {
                let change = change(&transition.from, &transition.to);
                ("backend", backend.to_string(), change, cause(&transition.cause))
            }
            Event::IntentChanged { backend, request, attribution, ended, .. } => {
                let change = if *ended { "ended" } else { "has another end" };
                let what = format!("{request} {}", said(attribution));
                ("intent", backend.to_string(), change.to_owned(), what)
            }
            Event::FrontendAdded { frontend, state, pool: active, .. } => {
                let why = format!("pool {}", pool(active));
                ("frontend", frontend.to_string(), format!("added {state}"), why)
            }
            Event::FrontendChanged { frontend, from, to, from_pool, to_pool, .. } => {
                let states = if from == to { format!("still {to}") } else { change(from, to) };
                let pools = format!("pool {} → {}", pool(from_pool), pool(to_pool));
                let why = if from_pool == to_pool { format!("pool {}", pool(to_pool)) } else { pools };
                ("frontend", frontend.to_string(), states, why)
            }
            Event::FrontendRemoved { frontend, state, .. } => {
                ("frontend", frontend.to_string(), change(state, &"removed"), String::new())
            }
            Event::WeightSet { frontend, pool, backend, from, to, attribution, .. } => {
                let name = place(frontend, pool, backend);
                ("set", name, change(from, to), said(attribution))
            }
            Event::WeightEnded { frontend, pool, backend, from, to, attribution, .. } => {
                let name = place(frontend, pool, backend);
                ("set", name, change(from, to), format!("ended as set {}", said(attribution)))
            }
            Event::WeightChanged { frontend, pool, backend, from, to, because, .. } => {
                ("weight", place(frontend, pool, backend), change(from, to), because.to_string())
            }
        };
        let what = [kind.to_owned(), name, change, why];
        match &mut self.counted {
            Some(counted) => *counted.entry(what).or_default() += 1,
            None => self.current.push(Line::Event { when: event.at().to_string(), what }),
        }
    }

    /// What was written to VPP, and why.
    pub(crate) fn synced(&mut self, synced: &SyncReport, now: Time) {
        for (step, result) in &synced.steps {
            let refused = result.as_ref().err().map(|why| format!(" - refused: {why}"));
            let what = format!("{}: {}{}", step.operation, step.because, refused.unwrap_or_default());
            self.current.push(Line::Vpp { when: now.to_string(), what });
        }
    }

    /// A comparison that was asked for found nothing to write.
    pub(crate) fn in_agreement(&mut self, now: Time) {
        self.current.push(Line::Vpp { when: now.to_string(), what: "nothing to do".to_owned() });
    }

    /// What would be written.
    pub(crate) fn show_plan(&mut self, plan: &Plan) {
        if plan.steps.is_empty() {
            self.text("nothing to do");
        }
        for step in &plan.steps {
            self.text(format!("{}: {}", step.operation, step.because));
        }
    }

    /// What VPP has, and how far that is what it should have.
    pub(crate) fn show_vpp(&mut self, engine: &Engine, vpp: &Observed) {
        let source = vpp.conf.ipv4_source.map_or("none".to_owned(), |source| source.to_string());
        let more = if engine.is_warming_up() { ", warming up" } else { "" };
        self.text(format!("source {source}{more}"));
        for state in &vpp.vips {
            self.show_vip(engine, state);
        }
        for frontend in engine.frontends() {
            let name = frontend.name();
            if let Some(error) = engine.sync_status(name.as_str()).and_then(|status| status.error.as_ref()) {
                self.text(format!("{name} is not in agreement: {error}"));
            }
        }
    }

    fn show_vip(&mut self, engine: &Engine, state: &VipState) {
        let owner = engine.frontends().find(|frontend| frontend.config().vip == state.vip);
        let owner = owner.map_or("of somebody else".to_owned(), |frontend| format!("of {}", frontend.name()));
        self.text(format!("{} {owner}, {}, {} buckets", state.vip, state.encap, state.table_length));
        let row = |server: &maglev_core::observed::ServerState| {
            let share = 100.0 * f64::from(server.buckets) / f64::from(state.table_length);
            vec![
                format!("  {}", server.address),
                format!("weight {}", server.weight),
                format!("{share:.1} %"),
            ]
        };
        let rows: Vec<Vec<String>> = state.servers.iter().map(row).collect();
        self.table(&rows);
    }

    /// Everything as it is.
    pub(crate) fn show(&mut self, engine: &Engine, probes: &BTreeMap<BackendName, Probes>, now: Time) {
        self.end_of_summary();
        let mut rows = vec![
            ["backend", "state", "for", "health", "next probe", "probes", ""].map(str::to_owned).to_vec(),
        ];
        rows.extend(engine.backends().map(|backend| {
            let probes = probes.get(backend.name()).copied().unwrap_or_default();
            backend_row(backend, probes, now)
        }));
        self.table(&rows);
        for frontend in engine.frontends() {
            self.text("");
            let active = frontend.active_pool().map_or_else(String::new, |pool| format!(", pool {pool}"));
            let state = frontend.decision().state;
            self.text(format!("{} is {state} for {}{active}", frontend.name(), span(now, frontend.since())));
            self.table(&frontend_rows(frontend));
        }
    }

    /// A backend and its history.
    pub(crate) fn show_backend(&mut self, engine: &Engine, name: &str, now: Time) {
        self.end_of_summary();
        let Some(backend) = engine.backend(name) else { return self.text("there is no such backend") };
        self.text(format!("{name} is {} for {}", backend.state(), span(now, backend.since())));
        let row = |t: &Transition| {
            let change = format!("{} → {}", t.from, t.to);
            vec![format!("  {} ago", span(now, t.at)), change, cause(&t.cause)]
        };
        let rows: Vec<Vec<String>> = backend.transitions().map(row).collect();
        self.table(&rows);
        if let Some(probe) = backend.last_probe() {
            let ago = span(now, probe.at);
            self.text(format!("  last probe {ago} ago: {} {}", probe.outcome.code, probe.outcome.detail));
        }
    }

    fn table(&mut self, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in rows {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
            self.text(cells.join("  ").trim_end());
        }
    }
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Probe { code, detail } => format!("{code} {detail}"),
        Cause::Operator { request, attribution } => format!("{request} {}", said(attribution)),
        Cause::Expired { request, attribution } => format!("{request} ended as asked {}", said(attribution)),
        Cause::Config => "reload".to_owned(),
    }
}

/// Who, why and until when.
fn said(attribution: &Attribution) -> String {
    let until = attribution.until.map(|until| format!(", until {until}")).unwrap_or_default();
    format!("{attribution}{until}")
}

fn span(now: Time, since: Time) -> String {
    format!("{:.1}s", now.since(since).as_secs_f64())
}

fn backend_row(backend: &BackendStatus, probes: Probes, now: Time) -> Vec<String> {
    let health = backend.counter().map_or("no check".to_owned(), |c| format!("{}/{}", c.value(), c.max()));
    let next = match (backend.next_probe_at(), backend.counter(), backend.mode()) {
        (Some(due), _, _) => format!("in {}", span(due, now)),
        (None, Some(_), Mode::Active) => "in flight".to_owned(),
        (None, _, _) => "never".to_owned(),
    };
    let count = |number: u64, what: &str| (number > 0).then(|| format!("{number} {what}"));
    let counts = [
        count(probes.sent, "sent"),
        count(probes.passed, "passed"),
        count(probes.failed, "failed"),
        count(probes.inconclusive, "inconclusive"),
        count(probes.abandoned, "abandoned"),
    ];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    vec![
        backend.name().to_string(),
        backend.state().to_string(),
        span(now, backend.since()),
        health,
        next,
        if counts.is_empty() { "none".to_owned() } else { counts.join(", ") },
        intent(backend),
    ]
}

/// What operators and the configuration want of a backend, where that is not just to serve.
fn intent(backend: &BackendStatus) -> String {
    let admin = match &backend.intent().admin {
        Some(Admin::Enabled(attribution)) => Some(format!("enabled {}", said(attribution))),
        Some(Admin::Disabled(attribution)) => Some(format!("disabled {}", said(attribution))),
        None => (!backend.config().enabled).then(|| "disabled by the configuration".to_owned()),
    };
    let paused = backend.intent().paused.as_ref().map(|attribution| format!("paused {}", said(attribution)));
    admin.into_iter().chain(paused).collect::<Vec<_>>().join(", ")
}

fn frontend_rows(frontend: &FrontendStatus) -> Vec<Vec<String>> {
    let members = frontend.config().members().zip(frontend.decision().pools.iter().flatten());
    let row = |((pool, member), decision): (
        (&maglev_core::config::Pool, &maglev_core::config::Member),
        &maglev_core::desired::Decision,
    )| {
        let set = frontend.override_of(&pool.name, &member.backend);
        let wanted = set.map_or(member.weight, |set| set.weight);
        let flush = if decision.flush { ", its flows are flushed" } else { "" };
        vec![
            format!("  {}", pool.name),
            member.backend.to_string(),
            format!("{} of {wanted}", decision.weight),
            format!("{}{flush}", decision.because),
            set.map_or_else(String::new, |set| {
                format!("set from {} {}", member.weight, said(&set.attribution))
            }),
        ]
    };
    members.map(row).collect()
}
