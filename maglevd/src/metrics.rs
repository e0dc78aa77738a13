//! Edge. What Prometheus sees.
//!
//! The recorder of `metrics-exporter-prometheus` cannot forget a series: a backend that is gone from the configuration
//! would be reported for ever. So there is no standing recorder. Each scrape looks at the engine once, records what it
//! sees into a fresh one and renders that: what is gone is simply not there. Histograms cannot be recorded as counts, so
//! they are written with the exporter's own formatting functions.

mod guard;
mod state;
mod text;
mod vpp;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maglev_core::desired::{BackendState, FrontendState};
use maglev_core::engine::{Engine, ProcessorShortage};
use maglev_core::intent::{Admin, Intent, Mode};
use maglev_core::net::{Service, Vip};
use maglev_core::outcome::{Code, Verdict};
use maglev_probe::Capability;
use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::PrometheusBuilder;

pub use self::guard::Guard;
pub use self::state::Damaged;
use crate::answers::{Answer, Answers, Lane, NoAnswer};
use crate::clock::Reading;
use crate::control::{Control, Load, StateView};
use crate::grpc::Calls;
use crate::logging::Lines;
use crate::problems::{self, Problems, Severity};
use crate::rehearsal::Missing;
use crate::reload::ConfigStatus;
use crate::tally::Tally;
use crate::version;
use crate::vpp::{Link, Messages};

/// Renders metrics.
#[derive(Debug)]
pub struct Metrics {
    control: Control,
    config: ConfigStatus,
    sources: Sources,
    problems: Option<Problems>,
    process: metrics_process::Collector,
    answers: Answers,
    /// One scrape at a time, shared by those who ask meanwhile: that of a thousand backends takes 30 MB while it is made.
    lane: Lane,
}

/// Whatever is counted beside the engine.
#[derive(Debug)]
pub struct Sources {
    /// Absent without VPP.
    pub link: Option<Link>,
    /// Messages to and from VPP.
    pub messages: Messages,
    /// Calls of gRPC.
    pub calls: Calls,
    /// Capabilities that probes lack.
    pub missing: Missing,
    /// Who was let in and who was not.
    pub guard: Guard,
    /// What was wrong with the state at the start.
    pub damaged: Damaged,
    /// The log.
    pub lines: Lines,
}

/// What a scrape is made of, copied from the engine's task at one moment.
struct Sample {
    backends: Vec<BackendSample>,
    frontends: Vec<FrontendSample>,
    tally: Tally,
    shortage: Option<ProcessorShortage>,
    load: Load,
    state: StateView,
    vpp: vpp::Sample,
}

struct BackendSample {
    name: String,
    state: BackendState,
    health: Option<u32>,
    enabled: bool,
    unprobeable: bool,
    probed: Option<SystemTime>,
    /// What an operator wants of it, since when, and until when if it ends by itself.
    wanted: Vec<(&'static str, SystemTime, Option<SystemTime>)>,
}

struct FrontendSample {
    name: String,
    state: FrontendState,
    vip: Vip,
    /// Each pool in the order of preference, and whether it takes the traffic.
    pools: Vec<(String, bool)>,
    members: Vec<MemberSample>,
}

struct MemberSample {
    pool: String,
    backend: String,
    configured: u8,
    effective: u8,
}

impl Metrics {
    /// Metrics of the engine that `control` speaks to.
    pub fn new((control, answers): (Control, Answers), config: ConfigStatus, sources: Sources) -> Self {
        let process = metrics_process::Collector::default();
        Metrics { control, answers, lane: Lane::default(), config, sources, problems: None, process }
    }

    /// Counts these problems too.
    #[must_use]
    pub fn with_problems(mut self, problems: Problems) -> Self {
        self.problems = Some(problems);
        self
    }

    /// Every metric, in Prometheus' text format 0.0.4.
    ///
    /// Dropping the future is safe.
    pub async fn render(self: &Arc<Self>) -> Result<Answer, NoAnswer> {
        self.lane.get(&[], self.make()).await
    }

    async fn make(self: &Arc<Self>) -> Result<Answer, NoAnswer> {
        self.answers.room().await?;
        let found = match &self.problems {
            Some(problems) => problems.find().await,
            None => Vec::new(),
        };
        let problems = problems::count(&found);
        let seen = self.control.snapshot().await?;
        let metrics = Arc::clone(self);
        let write = move || {
            let sample = Sample::take(&seen.engine, &seen.tally, seen.reading, seen.load, seen.state.clone());
            drop(seen);
            Ok::<_, NoAnswer>(metrics.write(&sample, problems).into_bytes())
        };
        self.answers.make(write).await
    }

    fn write(&self, sample: &Sample, problems: [(Severity, usize); 3]) -> String {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            sample.describe();
            sample.record();
            self.describe();
            self.record();
            for (severity, count) in problems {
                #[expect(clippy::cast_precision_loss, reason = "there are never so many")]
                gauge!("maglev_problems", "severity" => severity.as_str()).set(count as f64);
            }
            self.sources.guard.describe();
            self.sources.guard.record();
            state::describe();
            state::record(&sample.state, self.sources.damaged);
            if let Some(link) = &self.sources.link {
                vpp::describe();
                vpp::record(&sample.vpp, &sample.tally, link, &self.sources.messages);
            }
            self.process.describe();
            self.process.collect();
        });
        let mut text = recorder.handle().render();
        text::write_histograms(&mut text, &sample.tally);
        text
    }

    fn describe(&self) {
        describe_gauge!("maglev_config_last_reload_successful", "Whether the last reload was taken.");
        describe_gauge!(
            "maglev_config_last_reload_success_timestamp_seconds",
            "When the configuration in force was loaded."
        );
        describe_counter!("maglev_grpc_calls_total", "gRPC calls that have ended, by how they did.");
        describe_gauge!(
            "maglev_capability_missing",
            "Whether probes of this configuration need a capability that this process lacks."
        );
        describe_counter!(
            "maglev_log_lines_lost_total",
            "Log lines that were dropped, since standard error was not read fast enough or is gone."
        );
        describe_gauge!("maglev_problems", "Problems that `maglevc show problems` lists, by severity.");
        describe_gauge!("maglev_build_info", "What this program was built from; always 1.");
    }

    fn record(&self) {
        let config = self.config.read();
        gauge!("maglev_config_last_reload_successful")
            .set(f64::from(u8::from(config.last_reload_successful)));
        gauge!("maglev_config_last_reload_success_timestamp_seconds").set(unix_seconds(config.loaded_at));
        for ((service, method, code), count) in self.sources.calls.counts() {
            counter!("maglev_grpc_calls_total", "service" => service, "method" => method, "code" => code)
                .absolute(count);
        }
        let missing = self.sources.missing.read();
        for capability in Capability::ALL {
            gauge!("maglev_capability_missing", "capability" => capability.as_str())
                .set(f64::from(u8::from(missing.contains(&capability))));
        }
        counter!("maglev_log_lines_lost_total").absolute(self.sources.lines.lost());
        gauge!("maglev_build_info", "version" => version::VERSION, "commit" => version::COMMIT).set(1.0);
    }
}

/// What an operator wants of a backend, since when, and until when if it ends by itself.
fn wanted(intent: &Intent, reading: Reading) -> Vec<(&'static str, SystemTime, Option<SystemTime>)> {
    let admin = intent.admin.as_ref().map(|admin| match admin {
        Admin::Enabled(who) => ("enabled", who),
        Admin::Disabled(who) => ("disabled", who),
    });
    let paused = intent.paused.as_ref().map(|who| ("paused", who));
    let wanted = admin.into_iter().chain(paused);
    wanted
        .map(|(what, who)| (what, reading.wall(who.at), who.until.map(|until| reading.wall(until))))
        .collect()
}

/// A VIP as labels; a VIP for every port has protocol `any` and port 0.
fn vip_labels(vip: &Vip) -> [(&'static str, String); 3] {
    let (protocol, port) = match vip.service {
        Service::All => ("any".to_owned(), 0),
        Service::Port(protocol, port) => (protocol.to_string(), port),
    };
    [("prefix", vip.prefix.to_string()), ("protocol", protocol), ("port", port.to_string())]
}

fn count(things: usize) -> f64 {
    // Far fewer than what a float has room for.
    u32::try_from(things).unwrap_or(u32::MAX).into()
}

fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The result a probe counts as. A probe that could not be made, and one during which this process did not run, say
/// nothing about the backend; they are told apart because their remedies differ.
const fn result(code: Code) -> &'static str {
    match (code.verdict(), code) {
        (Verdict::Pass, _) => "success",
        (Verdict::Fail, _) => "failure",
        (Verdict::Inconclusive, Code::Stalled) => "stalled",
        (Verdict::Inconclusive, _) => "error",
    }
}

impl Sample {
    fn take(engine: &Engine, tally: &Tally, reading: Reading, load: Load, state: StateView) -> Self {
        let backends = engine.backends().map(|backend| BackendSample {
            name: backend.name().to_string(),
            state: backend.state(),
            health: backend.counter().map(|counter| counter.value()),
            enabled: backend.mode() != Mode::Disabled,
            unprobeable: backend.unprobeable().is_some(),
            probed: backend.last_probe().map(|last| reading.wall(last.at)),
            wanted: wanted(backend.intent(), reading),
        });
        let frontends = engine.frontends().map(|frontend| FrontendSample {
            name: frontend.name().to_string(),
            state: frontend.decision().state,
            vip: frontend.config().vip,
            pools: {
                let active = frontend.active_pool();
                let pools = frontend.config().pools.iter();
                pools.map(|pool| (pool.name.to_string(), active == Some(&pool.name))).collect()
            },
            members: frontend
                .config()
                .members()
                .zip(frontend.decision().pools.iter().flatten())
                .map(|((pool, member), decision)| MemberSample {
                    pool: pool.name.to_string(),
                    backend: member.backend.to_string(),
                    configured: member.weight.get(),
                    effective: decision.weight.get(),
                })
                .collect(),
        });
        Sample {
            backends: backends.collect(),
            frontends: frontends.collect(),
            tally: tally.clone(),
            shortage: engine.shortage(reading.now()),
            load,
            state,
            vpp: vpp::Sample::take(engine, reading),
        }
    }

    fn describe(&self) {
        describe_gauge!("maglev_backend_state", "1 for the present state of a backend, 0 for the others.");
        describe_gauge!(
            "maglev_backend_health",
            "The health counter of a backend: up from rise on, at most rise + fall - 1."
        );
        describe_gauge!(
            "maglev_backend_enabled",
            "Whether a backend may take traffic: 0 while it is disabled."
        );
        describe_gauge!(
            "maglev_backend_unprobeable",
            "Whether the probes of a backend cannot be made, for a reason on this host."
        );
        describe_gauge!(
            "maglev_processor_short",
            "Whether maglevd gets too little processor time and probes less often than configured."
        );
        describe_gauge!(
            "maglev_probes_behind_seconds",
            "How long the probe that has waited longest is overdue while there is too little processor time."
        );
        describe_gauge!(
            "maglev_backend_last_probe_timestamp_seconds",
            "When the last probe of a backend ended."
        );
        describe_gauge!(
            "maglev_backend_intent_timestamp_seconds",
            "When an operator paused, disabled or enabled a backend; absent where no operator did."
        );
        describe_gauge!(
            "maglev_backend_intent_expiry_timestamp_seconds",
            "When what an operator wants of a backend ends by itself; absent where it does not."
        );
        describe_gauge!("maglev_frontend_info", "The VIP of a frontend; always 1.");
        describe_gauge!(
            "maglev_frontend_pool_active",
            "1 for the pool that takes the traffic of a frontend; position 1 is the first choice."
        );
        describe_gauge!("maglev_frontend_state", "1 for the present state of a frontend, 0 for the others.");
        describe_gauge!(
            "maglev_frontend_pool_backend_weight",
            "The configured weight of a backend in a pool."
        );
        describe_gauge!(
            "maglev_frontend_pool_backend_effective_weight",
            "The weight in effect of a backend in a pool."
        );
        describe_counter!("maglev_probe_total", "Probes by result and code.");
        describe_counter!("maglev_backend_transitions_total", "Changes of a backend's state.");
        describe_gauge!("maglev_probes_in_flight", "Probes that have been sent and not answered.");
        describe_gauge!("maglev_watchers", "Streams of events that are open.");
    }

    fn record(&self) {
        for backend in &self.backends {
            for state in BackendState::ALL.into_iter().filter(|&state| state != BackendState::Removed) {
                gauge!("maglev_backend_state", "backend" => backend.name.clone(), "state" => state.as_str())
                    .set(f64::from(u8::from(state == backend.state)));
            }
            if let Some(health) = backend.health {
                gauge!("maglev_backend_health", "backend" => backend.name.clone()).set(f64::from(health));
            }
            gauge!("maglev_backend_enabled", "backend" => backend.name.clone())
                .set(f64::from(u8::from(backend.enabled)));
            gauge!("maglev_backend_unprobeable", "backend" => backend.name.clone())
                .set(f64::from(u8::from(backend.unprobeable)));
            if let Some(probed) = backend.probed {
                gauge!("maglev_backend_last_probe_timestamp_seconds", "backend" => backend.name.clone())
                    .set(unix_seconds(probed));
            }
            for &(intent, since, until) in &backend.wanted {
                let labels = [("backend", backend.name.clone()), ("intent", intent.to_owned())];
                gauge!("maglev_backend_intent_timestamp_seconds", &labels).set(unix_seconds(since));
                if let Some(until) = until {
                    gauge!("maglev_backend_intent_expiry_timestamp_seconds", &labels)
                        .set(unix_seconds(until));
                }
            }
        }
        for frontend in &self.frontends {
            for state in FrontendState::ALL {
                gauge!("maglev_frontend_state", "frontend" => frontend.name.clone(), "state" => state.as_str())
                    .set(f64::from(u8::from(state == frontend.state)));
            }
            let mut labels = vec![("frontend", frontend.name.clone())];
            labels.extend(vip_labels(&frontend.vip));
            gauge!("maglev_frontend_info", &labels).set(1.0);
            for ((pool, active), position) in frontend.pools.iter().zip(1..) {
                let labels = [
                    ("frontend", frontend.name.clone()),
                    ("pool", pool.clone()),
                    ("position", i32::to_string(&position)),
                ];
                gauge!("maglev_frontend_pool_active", &labels).set(f64::from(u8::from(*active)));
            }
            for member in &frontend.members {
                let labels = [
                    ("frontend", frontend.name.clone()),
                    ("pool", member.pool.clone()),
                    ("backend", member.backend.clone()),
                ];
                gauge!("maglev_frontend_pool_backend_weight", &labels).set(f64::from(member.configured));
                gauge!("maglev_frontend_pool_backend_effective_weight", &labels)
                    .set(f64::from(member.effective));
            }
        }
        gauge!("maglev_probes_in_flight").set(count(self.load.probes));
        gauge!("maglev_processor_short").set(f64::from(u8::from(self.shortage.is_some())));
        let behind = self.shortage.map_or(Duration::ZERO, |shortage| shortage.behind);
        gauge!("maglev_probes_behind_seconds").set(behind.as_secs_f64());
        gauge!("maglev_watchers").set(count(self.load.watchers));
        for (backend, tally) in self.tally.backends() {
            for ((kind, code), &count) in &tally.probes {
                let labels = [
                    ("backend", backend.to_string()),
                    ("type", kind.clone()),
                    ("result", result(*code).to_owned()),
                    ("code", code.to_string()),
                ];
                counter!("maglev_probe_total", &labels).absolute(count);
            }
            for ((from, to), &count) in &tally.transitions {
                let labels =
                    [("backend", backend.to_string()), ("from", from.to_string()), ("to", to.to_string())];
                counter!("maglev_backend_transitions_total", &labels).absolute(count);
            }
        }
    }
}

#[cfg(test)]
mod tests;
