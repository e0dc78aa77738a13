//! Driver. From settings to a running daemon, and to its end.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use maglev_core::config::{self, Config, Parsed, ParsedAccess};
use maglev_core::engine::{Engine, Intents, Verdicts};
use maglev_probe::{Heartbeat, Prober};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accept::{Gate, Tally};
use crate::access::{Access, Tokens};
use crate::answers::Answers;
use crate::audit::{Audit, Note, Record};
use crate::clock::Clock;
use crate::control::{Driver, Keep, Writer};
use crate::grpc::{self, Parts, Servers, Service};
use crate::listen::{self, Address, Listener};
use crate::lock;
use crate::logging::Lines;
use crate::metrics::{Damaged, Guard, Metrics, Sources};
use crate::notify::ServiceManager;
use crate::problems::{Aside, Damage, FileCheck, Problems};
use crate::rehearsal::{self, Missing};
use crate::reload::{self, Beside, ConfigStatus, Reloader};
use crate::settings::Settings;
use crate::state::{Directory, HealthFile, IntentFile, SetAside, StateError};
use crate::supervision::Supervision;
use crate::threads::EngineRuntime;
use crate::tls::{Protocol, Tls};
use crate::vpp::{Link, Messages, Vpp};
use crate::worker::Worker;
use crate::{http, problems, version};

/// How long calls under way at the end may take to finish. A peer that sent half a request would wait for ever.
const DRAIN: Duration = Duration::from_secs(5);

/// Checks of the configuration that may wait for their turn. Further ones are refused at once.
const CHECKS: usize = 8;

/// What the reader of the configuration must know of these settings.
pub fn config_options(settings: &Settings) -> config::Options {
    config::Options { vpp: settings.vpp.is_some(), ..config::Options::default() }
}

/// A daemon that listens, with its configuration read, and does not run yet.
#[derive(Debug)]
pub struct Daemon {
    settings: Settings,
    config: Arc<Config>,
    grpc: Vec<Listener>,
    metrics: Vec<Listener>,
    access: Access,
    tls: Option<Tls>,
    tokens: Option<Tokens>,
    lines: Lines,
    manager: ServiceManager,
    stop: CancellationToken,
    /// Locked until the end; none without a state directory.
    state: Option<Result<Directory, StateError>>,
}

/// Where a daemon listens, with the ports the kernel chose where 0 was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// gRPC: `address:port`, or `unix:/path`.
    pub grpc: Vec<String>,
    /// Metrics, in the same form.
    pub metrics: Vec<String>,
}

impl Daemon {
    /// Takes a configuration and an access file, if there is one, and listens. Nothing is probed yet. Fails before it
    /// listens where another maglevd has the same state directory or VPP ([`Taken`](crate::lock::Taken)).
    pub async fn bind(
        settings: Settings,
        parsed: Parsed,
        access: Option<ParsedAccess>,
        lines: Lines,
    ) -> anyhow::Result<Self> {
        // Before anything else: the other one must not notice us.
        let state = lock::state_directory(&settings)?;
        if let Some(vpp) = &settings.vpp {
            crate::vpp::look(&vpp.api).await?;
        }
        reload::warn(&settings.config, &parsed.warnings);
        let access = access.map(|parsed| {
            reload::warn_privately(settings.access.as_deref().unwrap_or(Path::new("")), &parsed.warnings);
            parsed.access
        });
        let access = Access::new(settings.access.clone(), access.unwrap_or_default());
        let tls = settings.tls.clone().map(Tls::load).transpose()?;
        let tokens = settings.metrics_tokens.as_deref().map(Tokens::load).transpose()?;
        let mut grpc = Vec::new();
        for address in &settings.grpc {
            grpc.extend(bind("gRPC", address).await?);
        }
        let metrics = match &settings.metrics {
            Some(address) => bind("metrics", address).await?,
            None => Vec::new(),
        };
        let (config, stop) = (Arc::new(parsed.config), CancellationToken::new());
        let daemon = Daemon {
            settings,
            config,
            grpc,
            metrics,
            access,
            tls,
            tokens,
            lines,
            manager: ServiceManager::none(),
            stop,
            state,
        };
        daemon.warn_of_the_clear();
        Ok(daemon)
    }

    /// Tells this service manager how it goes. Default: nobody.
    #[must_use]
    pub fn managed_by(mut self, manager: ServiceManager) -> Self {
        self.manager = manager;
        self
    }

    /// Says so where secrets would travel so that everybody on the way can read them.
    fn warn_of_the_clear(&self) {
        let is_open = |listener: &&Listener| !listener.is_local();
        if self.tokens.is_some() && !self.settings.metrics_tls && self.metrics.iter().any(|l| is_open(&l)) {
            tracing::warn!(
                "tokens for metrics are sent in the clear; give maglevd --tls-cert and --metrics-tls"
            );
        }
        if self.settings.access.is_some() && self.tls.is_none() && self.grpc.iter().any(|l| is_open(&l)) {
            tracing::warn!(
                "there is an access file and no TLS: over the network nobody can be known; give maglevd --tls-cert"
            );
        }
    }

    /// Where it listens.
    pub fn bound(&self) -> Bound {
        let local = |listeners: &[Listener]| listeners.iter().map(Listener::local).collect();
        Bound { grpc: local(&self.grpc), metrics: local(&self.metrics) }
    }

    /// Ends the daemon when it is cancelled, as SIGTERM does.
    pub fn stopper(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs until SIGTERM or SIGINT, which let calls under way end; a second one does not wait for them. The dataplane
    /// is left as it is.
    pub async fn run(self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
        let hangup = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
        crate::hangup::release().context("cannot receive SIGHUP")?;

        let stop = self.stop;
        let tasks = TaskTracker::new();
        let engine_runtime = EngineRuntime::start().context(NO_THREAD)?;
        let engine_threads = engine_runtime.handle();
        let answers = Answers::start().context(NO_THREAD)?;
        let clock = Clock::start();
        let State { intent, intents, health, verdicts, damage } = open_state(self.state)?;
        let damaged = Damaged { intent: damage.intent.is_some(), health: damage.health.is_some() };
        let engine = Engine::restarted(Arc::clone(&self.config), intents, verdicts, seed(clock), clock.now());
        reload::log_report(engine.last_reload());
        let prober = prober(self.config.health.netns.as_deref(), Heartbeat::new());
        let link = self.settings.vpp.clone().map(Link::new);
        let messages = Messages::default();
        let handle = link.clone().map(|link| {
            let (vpp, handle) = Vpp::new(link, clock, messages.clone());
            tasks.spawn_on(vpp.run(stop.clone()), &engine_threads);
            handle
        });
        let (driver, control) = Driver::new(engine, clock, prober, (intent, health), handle);
        let status = ConfigStatus::loaded();
        let options = config_options(&self.settings);
        let audit = match self.settings.audit.clone() {
            Some(path) => Audit::open(path).await.context(NO_THREAD)?,
            None => Audit::default(),
        };
        let beside = Beside {
            access: self.access.clone(),
            tokens: self.tokens.clone(),
            tls: self.tls.clone(),
            audit: audit.clone(),
            checks: Worker::start("check-config", CHECKS).context(NO_THREAD)?,
            reloads: Worker::start("reload-config", 1).context(NO_THREAD)?,
        };
        let reloader = Reloader::new(&self.settings.config, options, control.clone(), status.clone(), beside);

        let driver = driver.watched_by(self.manager.clone());
        let supervision = Supervision::new(self.manager, control.clone(), status.clone(), link.clone());

        let mut driver = tasks.spawn_on(driver.run(stop.clone()), &engine_threads);
        tasks.spawn(reload_on(hangup, reloader.clone(), supervision.clone(), audit.clone(), stop.clone()));
        let missing = Missing::default();
        tasks.spawn(rehearsal::run(control.clone(), status.clone(), missing.clone(), stop.clone()));
        if let Some(tls) = self.tls.clone() {
            tasks.spawn(tls.watch(stop.clone()));
        }
        let gate = |protocol, tls: Option<&Tls>, limits, tally: &Arc<Tally>| Gate {
            protocol,
            tls: tls.cloned(),
            limits,
            tally: Arc::clone(tally),
        };
        let guard = Guard {
            denials: Arc::clone(self.access.denials()),
            tls: self.tls.clone(),
            audit: audit.clone(),
            grpc: Tally::new("gRPC"),
            metrics: Tally::new("metrics"),
        };
        let (file, looks) = FileCheck::new(reloader.clone(), stop.clone());
        tasks.spawn(looks);
        let problems = Problems::new(problems::Sources {
            control: control.clone(),
            config: status.clone(),
            path: self.settings.config.clone(),
            file,
            link: link.clone(),
            missing: missing.clone(),
            tls: self.tls.clone(),
            audit: audit.clone(),
            lines: self.lines.clone(),
            connections: vec![("gRPC", Arc::clone(&guard.grpc)), ("metrics", Arc::clone(&guard.metrics))],
            damage: Arc::new(damage),
            started: SystemTime::now(),
        });
        let calls = grpc::calls();
        let metrics_tls = self.tls.as_ref().filter(|_| self.settings.metrics_tls);
        let metrics_gate = gate(Protocol::Http1, metrics_tls, http::LIMITS, &guard.metrics);
        let grpc_gate = gate(Protocol::Http2, self.tls.as_ref(), grpc::LIMITS, &guard.grpc);
        let sources = Sources {
            link: link.clone(),
            messages,
            calls: calls.clone(),
            missing,
            guard,
            damaged,
            lines: self.lines.clone(),
        };
        let metrics = Metrics::new((control.clone(), answers.clone()), status, sources);
        let metrics = metrics.with_problems(problems.clone());
        let metrics = Arc::new(metrics);
        for listener in self.metrics {
            tracing::info!(address = listener.local(), tls = metrics_tls.is_some(), "serving metrics");
            let connections = metrics_gate.clone().open(listener, stop.clone());
            tasks.spawn(http::serve(connections, Arc::clone(&metrics), self.tokens.clone(), stop.clone()));
        }
        for listener in &self.grpc {
            let tls = self.tls.is_some() && !listener.is_unix();
            tracing::info!(address = listener.local(), tls, "serving gRPC");
        }
        let parts = Parts {
            control,
            answers,
            reloader,
            clock,
            lines: self.lines,
            vpp: link,
            audit: audit.clone(),
            problems,
        };
        let service = Service::new(parts, stop.clone());
        let judged = (self.access, audit);
        let reflection = self.settings.reflection;
        let mut servers =
            grpc::serve(self.grpc, &grpc_gate, service, judged, reflection, &calls, &stop).await;
        tracing::info!(
            version = version::VERSION,
            commit = version::COMMIT,
            backends = self.config.backends.len(),
            frontends = self.config.frontends.len(),
            "started"
        );
        supervision.ready().await;
        tasks.spawn(supervision.clone().run(stop.clone()));

        let result = tokio::select! {
            // First this, since everything below ends with it too.
            biased;
            () = stop.cancelled() => Ok("a request"),
            _ = terminate.recv() => Ok("SIGTERM"),
            _ = interrupt.recv() => Ok("SIGINT"),
            ended = &mut driver => Err(match ended {
                Ok(()) => anyhow::anyhow!("the engine's task ended by itself"),
                Err(error) => anyhow::Error::new(error).context("the engine's task broke off"),
            }),
            Some(ended) = servers.join_next() => Err(match ended {
                Ok(Ok(())) => anyhow::anyhow!("a gRPC server ended by itself"),
                Ok(Err(error)) => anyhow::Error::new(error).context("a gRPC server failed"),
                Err(error) => anyhow::Error::new(error).context("a gRPC server broke off"),
            }),
        };
        if let Ok(told_by) = &result {
            tracing::info!(told_by, "stopping");
        }
        supervision.stopping().await;
        stop.cancel();
        tasks.close();
        tokio::select! {
            () = drain(servers, &tasks) => {}
            () = tokio::time::sleep(DRAIN) => tracing::warn!("some calls did not end in {DRAIN:?} and are cut off"),
            _ = terminate.recv() => tracing::warn!("told twice: calls under way are cut off"),
            _ = interrupt.recv() => tracing::warn!("told twice: calls under way are cut off"),
        }
        result.map(drop)
    }
}

/// Reloads on each SIGHUP. On a task of its own: a file on a disk that hangs must not keep SIGTERM waiting.
async fn reload_on(
    mut hangup: Signal,
    reloader: Reloader,
    supervision: Supervision,
    audit: Audit,
    stop: CancellationToken,
) {
    let reload = async {
        while hangup.recv().await.is_some() {
            supervision.reloading().await;
            let note = Note::default();
            // Its result is logged and in the status line, and all there is to do with it beside the audit log.
            let result = reloader.reload(false, &note).await;
            audit.write(Record::of_signal(result.as_ref().err(), &note)).await;
            supervision.ready().await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = reload => {}
    }
}

async fn drain(mut servers: Servers, tasks: &TaskTracker) {
    while servers.join_next().await.is_some() {}
    tasks.wait().await;
}

async fn bind(what: &str, address: &Address) -> anyhow::Result<Vec<Listener>> {
    listen::bind(address).await.with_context(|| format!("cannot serve {what} on {address}"))
}

/// A prober for a network namespace, or for our own.
pub fn prober(netns: Option<&str>, heartbeat: Heartbeat) -> Prober {
    let builder = Prober::builder().heartbeat(heartbeat);
    match netns {
        Some(name) => builder.network_namespace(name).build(),
        None => builder.build(),
    }
}

/// Spreads the probes of this run differently from those of the last.
fn seed(clock: Clock) -> u64 {
    clock.now().as_nanos()
}

/// Why a thread cannot be started.
const NO_THREAD: &str = "cannot start a thread: raise the limit of processes (TasksMax=, pids.max)";

/// What was kept, and where it goes on being kept.
#[derive(Default)]
struct State {
    intent: Keep,
    intents: Intents,
    health: Option<Writer<HealthFile>>,
    verdicts: Verdicts,
    damage: Damage,
}

/// Opens the state directory. What is damaged or cannot be written is told and does not keep the daemon from running.
///
/// # Errors
/// When what operators wanted is there and cannot be read. To forget it would put servers that were taken out of service
/// back into it, while without maglevd VPP stays as it is.
fn open_state(directory: Option<Result<Directory, StateError>>) -> anyhow::Result<State> {
    let directory = match directory {
        None => return Ok(State::default()),
        Some(Ok(directory)) => directory,
        Some(Err(error)) => {
            unusable(&error, "nothing will survive a restart");
            return Ok(State { intent: Keep::Nowhere(Arc::new(error)), ..State::default() });
        }
    };
    if directory.is_writable_by_others() {
        tracing::warn!(
            "every user of this host can write to the state directory, and change what operators want; chmod o-w it"
        );
    }
    let mut state = State::default();
    match IntentFile::open(directory.clone()) {
        Ok((file, intents, aside)) => {
            state.intent = Keep::In(Writer::start("intent", file).context(NO_THREAD)?);
            state.intents = intents;
            state.damage.intent = aside.as_ref().map(set_aside);
            if let Some(SetAside { file, kept_as, damage }) = aside {
                tracing::error!(
                    file = %file.display(), kept_as = %kept_as.display(), error = %reload::Chain(&damage),
                    "what operators wanted cannot be read: every pause, disable and weight is forgotten, and servers \
                     that were taken out of service are back in it"
                );
            }
        }
        Err(error) => {
            return Err(anyhow::Error::new(error).context(
                "what operators wanted is there and cannot be read: give it to the user that maglevd runs as, or move it \
                 away to forget it",
            ));
        }
    }
    match HealthFile::open(directory) {
        Ok((file, verdicts, aside)) => {
            state.health = Some(Writer::start("health", file).context(NO_THREAD)?);
            state.verdicts = verdicts;
            state.damage.health = aside.as_ref().map(set_aside);
            if let Some(SetAside { file, kept_as, damage }) = aside {
                tracing::error!(
                    file = %file.display(), kept_as = %kept_as.display(), error = %reload::Chain(&damage),
                    "what the probes said before cannot be read: every backend begins as unknown"
                );
            }
        }
        Err(error) => unusable(&error, "what the probes say will not survive a restart"),
    }
    Ok(state)
}

fn set_aside(aside: &SetAside) -> Aside {
    Aside {
        file: aside.file.display().to_string(),
        kept_as: aside.kept_as.display().to_string(),
        damage: reload::Chain(&aside.damage).to_string(),
    }
}

fn unusable(error: &StateError, so: &str) {
    tracing::error!(
        error = %reload::Chain(error), so,
        "the state directory cannot be used; give --state-dir a directory that can be written, or an empty name to do \
         without"
    );
}
