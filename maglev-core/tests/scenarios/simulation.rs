//! Pure. Backends that answer probes as told, and the driver between them and the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use maglev_core::check::{HealthCheck, ProbeSpec};
use maglev_core::config::{Config, Errors, Options, parse};
use maglev_core::engine::{Effect, Engine, Intents, MayEmpty, ProbeOrder};
use maglev_core::health::ProbeId;
use maglev_core::intent::Attribution;
use maglev_core::names::BackendName;
use maglev_core::outcome::{Code, Outcome, Timings, Verdict};
use maglev_core::time::Time;

use crate::report::Report;
use crate::script::{Action, Backends, Behaviour};
use crate::vpp::Vpp;

/// How long a backend takes to fail, where it fails by itself.
const FAILURE_LATENCY: Duration = Duration::from_millis(2);

/// How many probes of a backend were sent, and what came of them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Probes {
    pub(crate) sent: u64,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) inconclusive: u64,
    pub(crate) abandoned: u64,
}

/// The engine and its world.
pub(crate) struct Simulation {
    engine: Engine,
    now: Time,
    starts: u64,
    config: String,
    /// Each with the time it began.
    behaviours: BTreeMap<String, (Behaviour, Time)>,
    otherwise: (Behaviour, Time),
    /// The probes in flight, in the order of their answers.
    answers: BTreeMap<(Time, ProbeId), (BackendName, Outcome)>,
    answer_times: BTreeMap<ProbeId, Time>,
    probes: BTreeMap<BackendName, Probes>,
    vpp: Vpp,
    /// Up to which comparison somebody asked.
    asked: u64,
}

impl Simulation {
    /// Starts the engine on a configuration, at time zero.
    pub(crate) fn start(config: &str) -> Self {
        let parsed = read(config).unwrap_or_else(|errors| panic!("{}", errors.in_file("config")));
        Simulation {
            engine: Engine::new(parsed, Intents::default(), 0, Time::ZERO),
            now: Time::ZERO,
            starts: 1,
            config: config.to_owned(),
            behaviours: BTreeMap::new(),
            otherwise: (Behaviour::Answers { latency: Duration::from_millis(5) }, Time::ZERO),
            answers: BTreeMap::new(),
            answer_times: BTreeMap::new(),
            probes: BTreeMap::new(),
            vpp: Vpp::new(),
            asked: 0,
        }
    }

    /// Lets everything happen that happens up to a time since the start.
    pub(crate) fn run_until(&mut self, end: Duration, report: &mut Report) {
        let end = Time::ZERO + end;
        loop {
            let answer = self.answers.first_key_value().map(|(&(at, _), _)| at);
            let vpp = self.vpp.due();
            let Some(next) = [answer, vpp, self.engine.poll_timeout()].into_iter().flatten().min() else {
                break;
            };
            if next > end {
                break;
            }
            self.now = next;
            if answer == Some(next) {
                self.answer();
            } else if vpp == Some(next) {
                self.vpp.answer(&mut self.engine, next);
            } else {
                self.engine.handle_timeout(next);
            }
            self.carry_out(report);
        }
        self.now = end;
    }

    /// Does what a step says.
    pub(crate) fn apply(&mut self, action: &Action, report: &mut Report) {
        let attribution = |by: &str, reason: &str, lasts: Option<Duration>| Attribution {
            by: by.to_owned(),
            at: self.now,
            reason: reason.to_owned(),
            until: lasts.map(|span| self.now + span),
        };
        match action {
            Action::Behave { backends: Backends::All, behaviour } => {
                self.behaviours.clear();
                self.otherwise = (*behaviour, self.now);
            }
            Action::Behave { backends: Backends::One(name), behaviour } => {
                self.behaviours.insert(name.clone(), (*behaviour, self.now));
            }
            Action::Request { backend, request, force, lasts, by, reason } => {
                let attribution = attribution(by, reason, *lasts);
                let may_empty = if *force { MayEmpty::Anything } else { MayEmpty::Nothing };
                let answer = self.engine.request(self.now, backend, *request, attribution, may_empty);
                report.answer(&answer);
            }
            Action::SetWeight { frontend, pool, backend, weight, flush, force, lasts, by, reason } => {
                let (attribution, place) =
                    (attribution(by, reason, *lasts), (&frontend[..], &pool[..], &backend[..]));
                let may_empty = if *force { MayEmpty::Anything } else { MayEmpty::Nothing };
                let answer = self.engine.set_weight(self.now, place, *weight, *flush, attribution, may_empty);
                report.answer(&answer);
            }
            Action::Reload { hunks, force } => {
                let config = hunks.iter().fold(self.config.clone(), |text, hunk| hunk.apply(&text));
                match read(&config) {
                    Ok(parsed) => {
                        let answer = self.engine.try_reload(self.now, parsed, *force);
                        report.reloaded(&answer);
                        if answer.is_ok() {
                            self.config = config;
                        }
                    }
                    Err(errors) => report.refused_config(&errors),
                }
            }
            Action::Restart(hunks) => {
                self.config = hunks.iter().fold(self.config.clone(), |text, hunk| hunk.apply(&text));
                self.restart(report);
            }
            Action::Show => report.show(&self.engine, &self.probes, self.now),
            Action::ShowBackend(name) => report.show_backend(&self.engine, name, self.now),
            Action::Summarize => report.summarize(),
            Action::Vpp(happening) => self.vpp.happens(happening, &mut self.engine, self.now),
            Action::Sync => self.asked = self.engine.sync(self.now),
            Action::ShowVpp => report.show_vpp(&self.engine, self.vpp.state()),
            Action::ShowPlan => report.show_plan(&self.engine.plan(self.vpp.state(), None)),
        }
        self.carry_out(report);
    }

    /// What was not written down is gone: health, history, and the probes in flight.
    fn restart(&mut self, report: &mut Report) {
        let written = serde_json::to_string(&self.engine.intents()).unwrap();
        let intents = serde_json::from_str(&written).unwrap();
        let config = read(&self.config).unwrap_or_else(|errors| panic!("{}", errors.in_file("config")));
        self.engine = Engine::new(config, intents, self.starts, self.now);
        report.started(self.engine.last_reload());
        self.starts += 1;
        self.answers.clear();
        self.answer_times.clear();
        self.probes.clear();
        self.asked = 0;
        self.vpp.reconnect(&mut self.engine, self.now);
    }

    fn answer(&mut self) {
        let Some(((at, id), (backend, outcome))) = self.answers.pop_first() else { return };
        self.answer_times.remove(&id);
        let probes = self.probes.entry(backend.clone()).or_default();
        match outcome.verdict() {
            Verdict::Pass => probes.passed += 1,
            Verdict::Fail => probes.failed += 1,
            Verdict::Inconclusive => probes.inconclusive += 1,
        }
        self.engine.handle_outcome(at, &backend, id, outcome);
    }

    fn carry_out(&mut self, report: &mut Report) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::StartProbe(order) => self.send(&order),
                Effect::CancelProbe(id) => {
                    let answer = self.answer_times.remove(&id).and_then(|at| self.answers.remove(&(at, id)));
                    let (backend, _) = answer.expect("only probes in flight are cancelled");
                    self.probes.entry(backend).or_default().abandoned += 1;
                }
                Effect::Event(event) => report.event(&event),
                Effect::Observe => self.vpp.observe(self.now),
                Effect::Apply(steps) => self.vpp.apply(self.now, steps),
                Effect::Synced(synced) => {
                    if synced.steps.is_empty() && self.asked > 0 && synced.answers >= self.asked {
                        report.in_agreement(self.now);
                    }
                    if synced.answers >= self.asked {
                        self.asked = 0;
                    }
                    report.synced(&synced, self.now);
                }
            }
        }
    }

    fn send(&mut self, order: &ProbeOrder) {
        let name = order.backend.as_str();
        let (behaviour, since) = *self.behaviours.get(name).unwrap_or(&self.otherwise);
        let (after, outcome) = probe(behaviour, self.now.since(since), &order.check);
        self.answers.insert((self.now + after, order.id), (order.backend.clone(), outcome));
        self.answer_times.insert(order.id, self.now + after);
        self.probes.entry(order.backend.clone()).or_default().sent += 1;
    }
}

fn read(config: &str) -> Result<Arc<Config>, Errors> {
    parse(config, &Options::default()).map(|parsed| Arc::new(parsed.config))
}

/// What comes of a probe of a backend that has behaved like this for so long, and after what time.
fn probe(behaviour: Behaviour, since: Duration, check: &HealthCheck) -> (Duration, Outcome) {
    let timeout = check.pace.timeout;
    let (good, timed_out) = match &check.probe {
        ProbeSpec::Icmp | ProbeSpec::Tcp { tls: None, .. } => (Code::L4Ok, Code::L4Tout),
        ProbeSpec::Tcp { tls: Some(_), .. } => (Code::L6Ok, Code::L6Tout),
        ProbeSpec::Http { .. } | ProbeSpec::Custom(_) => (Code::L7Ok, Code::L7Tout),
    };
    let (after, code) = match behaviour {
        Behaviour::Answers { latency } if latency < timeout => (latency, good),
        Behaviour::Answers { .. } | Behaviour::Hangs => (timeout, timed_out),
        Behaviour::Fails(code) => (FAILURE_LATENCY, code),
        Behaviour::CannotBeProbed => (Duration::ZERO, Code::SockErr),
        Behaviour::Flaps { good: up, bad } => {
            let phase = Duration::from_nanos((since.as_nanos() % (up + bad).as_nanos()) as u64);
            if phase < up { (Duration::from_millis(5), good) } else { (FAILURE_LATENCY, Code::L4Con) }
        }
    };
    let detail = match code {
        Code::L4Ok | Code::L6Ok | Code::L7Ok => format!("answered in {} ms", after.as_millis()),
        Code::L4Tout | Code::L6Tout | Code::L7Tout => format!("no answer within {} ms", after.as_millis()),
        Code::L4Con => "connection refused".to_owned(),
        Code::L6Rsp => "the certificate is not valid".to_owned(),
        Code::L7Rsp => "the body is not what was wanted".to_owned(),
        Code::L7Sts => "got status 503".to_owned(),
        Code::SockErr => "there is no such network namespace".to_owned(),
        Code::Stalled => "maglevd did not run for 1 s of this probe".to_owned(),
    };
    (after, Outcome { code, detail, timings: Timings { total: after, ..Timings::default() } })
}
