//! Driver. The one task that owns the engine: it feeds it inputs and carries out its effects.

mod handle;
mod keeper;
mod probes;
mod pulse;
mod snapshot;
mod syncs;
mod warmth;
mod witness;
mod writing;

use std::sync::Arc;

use maglev_core::engine::{
    Cause, CommandError, Effect, Engine, Event, Intents, MayEmpty, SyncReport, Verdicts,
};
use maglev_core::intent::Attribution;
use maglev_core::names::{BackendName, FrontendName};
use maglev_core::outcome::Code;
use maglev_core::time::Time;
use maglev_probe::Prober;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::handle::Input;
pub use self::handle::{Change, ChangeError, Control, Force, Stopped, Who};
use self::keeper::Keeper;
pub use self::keeper::{Keep, Kept};
use self::probes::Probes;
use self::pulse::Pulse;
pub use self::snapshot::{Events, Load, Snapshot, StateView};
use self::snapshot::{Numbered, Readers};
use self::syncs::Syncs;
pub use self::syncs::{NoVpp, Synced};
use self::warmth::Warmth;
pub use self::writing::Writer;
use crate::clock::{Clock, Reading};
use crate::daemon::prober;
use crate::narrate::{narrate, narrate_sync};
use crate::notify::ServiceManager;
use crate::state::HealthFile;
use crate::tally::Tally;
use crate::vpp::{Handle, News, Order, Task};

/// Requests that wait for the engine. Each takes it microseconds; more waiting than this is a flood, and whoever sends
/// it waits.
const QUEUE: usize = 256;

/// Events that a slow watcher can be behind before it is resynchronised.
const BACKLOG: usize = 4096;

/// Outcomes of probes that are handled in one turn of the loop before a request is.
const BATCH: usize = 64;

/// Owns the engine and everything that is only touched together with it.
#[derive(Debug)]
pub struct Driver {
    engine: Engine,
    clock: Clock,
    inputs: mpsc::Receiver<Input>,
    readers: Readers,
    probes: Probes,
    tally: Tally,
    events: broadcast::Sender<Numbered>,
    /// The number of the next event.
    next_event: u64,
    keeper: Keeper,
    warmth: Warmth,
    /// Absent without VPP.
    vpp: Option<Handle>,
    /// The number of the present connection to VPP, if there is one.
    connection: Option<u64>,
    syncs: Syncs,
    pulse: Pulse,
    /// When the shortage of processor time began that was logged last.
    short_since: Option<Time>,
}

impl Driver {
    /// A driver that is not running yet, and the way to speak to it.
    pub fn new(
        engine: Engine,
        clock: Clock,
        prober: Prober,
        (intent, health): (Keep, Option<Writer<HealthFile>>),
        vpp: Option<Handle>,
    ) -> (Self, Control) {
        let (sender, inputs) = mpsc::channel(QUEUE);
        let (requests, readers) = Readers::new();
        let events = broadcast::Sender::new(BACKLOG);
        let control = Control { inputs: sender, requests, events: events.downgrade() };
        let driver = Driver {
            tally: Tally::new(&engine),
            engine,
            clock,
            inputs,
            readers,
            probes: Probes::new(prober),
            events,
            next_event: 0,
            keeper: Keeper::new(intent),
            warmth: Warmth::new(health),
            vpp,
            connection: None,
            syncs: Syncs::default(),
            pulse: Pulse::new(ServiceManager::none()),
            short_since: None,
        };
        (driver, control)
    }

    /// Feeds this manager's watchdog from its loop.
    #[must_use]
    pub fn watched_by(mut self, manager: ServiceManager) -> Self {
        self.pulse = Pulse::new(manager);
        self
    }

    /// Runs until `stop`. Probes in flight are abandoned then, and what is to outlive the process is written.
    pub async fn run(mut self, stop: CancellationToken) {
        // What is there at the start is news where something ended meanwhile.
        self.carry_out();
        loop {
            self.keep();
            let due = self.engine.poll_timeout().map(|time| self.clock.instant(time));
            let beat = self.pulse.due();
            tokio::select! {
                // What keeps traffic where it belongs comes first, and what others ask for comes last.
                biased;
                () = stop.cancelled() => break,
                () = sleep_until(due) => self.wake(),
                Some(done) = self.probes.next() => self.probed(done),
                () = sleep_until(beat) => self.pulse.beat(),
                Some(news) = hear(&mut self.vpp) => self.hear(news),
                () = self.keeper.next() => {}
                () = self.warmth.next() => {}
                Some(reader) = self.readers.next() => self.show(reader),
                Some(input) = self.inputs.recv() => self.handle(input),
            }
            for _ in 0..BATCH {
                let Some(done) = self.probes.try_next() else { break };
                self.probed(done);
            }
            self.carry_out();
            self.report_shortage();
            // One request in each turn, so that probes without a pause do not keep requests waiting either.
            if let Ok(input) = self.inputs.try_recv() {
                self.handle(input);
                self.carry_out();
            }
        }
        let (engine, reading) = (&self.engine, self.clock.reading());
        self.keeper.finish(|| intents(engine, reading)).await;
        self.warmth.finish(verdicts(engine, reading)).await;
    }

    /// Begins to write down what is due.
    fn keep(&mut self) {
        let (engine, clock) = (&self.engine, self.clock);
        self.keeper.begin(|| intents(engine, clock.reading()));
        self.warmth.begin(|| verdicts(engine, clock.reading()));
    }

    /// Does what is due by now.
    fn wake(&mut self) {
        let now = self.clock.now();
        self.measure();
        if let Some(due) = self.engine.poll_timeout() {
            self.tally.late(now.since(due));
        }
        self.engine.handle_timeout(now);
    }

    /// Tells the engine how much time this process lost.
    fn measure(&mut self) {
        let stalled = self.probes.heartbeat().stalled();
        self.engine.handle_stall(stalled.saturating_sub(self.tally.stalled));
        self.tally.stalled = stalled;
    }

    /// Logs the beginning and the end of a shortage of processor time.
    fn report_shortage(&mut self) {
        let now = self.clock.now();
        match (self.engine.shortage(now), self.short_since) {
            (Some(shortage), None) => {
                self.short_since = Some(shortage.since);
                tracing::warn!(
                    stalled_ms = self.tally.stalled.as_millis(),
                    "maglevd was stopped or gets too little processor time: backends are probed less often than configured"
                );
            }
            (None, Some(since)) => {
                self.short_since = None;
                let lasted_ms = now.since(since).as_millis();
                tracing::info!(
                    lasted_ms,
                    "maglevd has enough processor time again: backends are probed as configured"
                );
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// Takes the outcome of a probe.
    fn probed(&mut self, mut done: probes::Done) {
        let now = self.clock.now();
        self.warmth.probed();
        if let Some(name) = self.engine.renamed_to(done.id) {
            done.backend = name.clone();
        }
        self.tally.probe(&done.backend, &done.kind, &done.outcome);
        narrate_probe(&done, self.last_code(&done.backend));
        self.engine.handle_outcome(now, &done.backend, done.id, done.outcome);
    }

    /// Everything as it is now. All effects have been carried out, so that its events are those with lower numbers.
    fn snapshot(&self) -> Snapshot {
        Snapshot {
            engine: self.engine.clone(),
            tally: self.tally.clone(),
            reading: self.clock.reading(),
            load: Load { probes: self.probes.in_flight(), watchers: self.events.receiver_count() },
            state: StateView {
                intent: self.keeper.kept(),
                health_failures: self.warmth.failures(),
                health_failing: self.warmth.failing(),
            },
            next_event: self.next_event,
        }
    }

    /// Gives a snapshot to everyone who waits for one.
    fn show(&mut self, first: oneshot::Sender<Arc<Snapshot>>) {
        let began = Instant::now();
        let snapshot = Arc::new(self.snapshot());
        self.readers.answer(first, &snapshot, began);
    }

    fn handle(&mut self, input: Input) {
        match input {
            Input::Change { change, who, seen, reply } => {
                let note = who.note.clone();
                let before = witness::witness(&self.engine, &change);
                let result = self.change(&change, who);
                let after = witness::witness(&self.engine, &change);
                note.set(before, after, matches!(result, Ok(false)));
                match result {
                    Ok(changed) => {
                        self.carry_out();
                        let _ = seen.send(Arc::new(self.snapshot()));
                        self.keeper.answer(reply, changed);
                    }
                    Err(refused) => drop(reply.send(Err(refused.into()))),
                }
            }
            Input::Reload { config, force, reply } => {
                let netns = self.engine.config().health.netns.clone();
                let result = self.engine.try_reload(self.clock.now(), config, force);
                if result.is_ok() {
                    let now = &self.engine.config().health.netns;
                    if *now != netns {
                        let heartbeat = self.probes.heartbeat().clone();
                        self.probes.use_prober(prober(now.as_deref(), heartbeat));
                    }
                    self.probes.reload_certificates();
                    self.tally.resize(&self.engine);
                    // Intent may have followed a backend to another name, or be kept for one that left.
                    self.keeper.changed();
                }
                let _ = reply.send(result);
            }
            Input::Sync { recreate, reply } => match (&self.vpp, self.connection) {
                (None, _) => drop(reply.send(Err(NoVpp::Off))),
                (Some(_), None) => drop(reply.send(Err(NoVpp::Disconnected))),
                (Some(_), Some(_)) => {
                    if let Some(frontend) = recreate {
                        self.engine.recreate(frontend.as_str());
                    }
                    let number = self.engine.sync(self.clock.now());
                    self.syncs.wait(number, reply);
                }
            },
        }
    }

    /// Takes what is told of VPP.
    fn hear(&mut self, news: News) {
        let now = self.clock.now();
        match news {
            News::Connected(connection) => {
                self.connection = Some(connection);
                self.engine.dataplane_connected(now);
            }
            News::Lost => {
                self.connection = None;
                self.syncs.fail();
                self.engine.dataplane_lost();
            }
            News::Observed(observed) => self.engine.observed(now, observed),
            News::Applied(results) => self.engine.applied(now, results),
        }
    }

    /// Gives VPP something to do. The engine does one thing at a time and hears of the end of each connection, so there
    /// is always room; if ever there were not, the connection is not of the order's number any more.
    fn order(&self, task: Task) {
        if let (Some(vpp), Some(connection)) = (&self.vpp, self.connection)
            && let Err(error) = vpp.orders.try_send(Order { connection, task })
        {
            tracing::error!(error = &error as &dyn std::error::Error, "an order for VPP has no place");
        }
    }

    fn synced(&mut self, report: SyncReport) {
        narrate_sync(&report);
        self.tally.sync(&report);
        self.syncs.answer(report);
    }

    fn change(&mut self, change: &Change, who: Who) -> Result<bool, CommandError> {
        let now = self.clock.now();
        let Who { by, reason, lasts, force, note: _ } = who;
        let allowed = |frontend: &FrontendName| force.as_ref().is_some_and(|force| force.allows(frontend));
        let may_empty = MayEmpty::These(&allowed);
        let attribution = Attribution { by, at: now, reason, until: lasts.map(|span| now + span) };
        let changed = match change {
            Change::Backend { backend, request } => {
                self.engine.request(now, backend, *request, attribution, may_empty)?
            }
            Change::Weight { frontend, pool, backend, weight, flush } => self.engine.set_weight(
                now,
                (frontend, pool, backend),
                *weight,
                *flush,
                attribution,
                may_empty,
            )?,
        };
        if changed {
            self.keeper.changed();
        }
        Ok(changed)
    }

    fn last_code(&self, backend: &BackendName) -> Option<Code> {
        self.engine.backend(backend.as_str())?.last_probe().map(|last| last.outcome.code)
    }

    /// Takes note of what has to be written down.
    fn remember(&mut self, event: &Event) {
        match event {
            Event::BackendChanged { transition, .. } => {
                self.warmth.changed();
                if let Cause::Expired { .. } = transition.cause {
                    self.keeper.changed();
                }
            }
            Event::IntentChanged { .. } | Event::WeightEnded { .. } => self.keeper.changed(),
            Event::BackendAdded { .. }
            | Event::BackendRemoved { .. }
            | Event::FrontendAdded { .. }
            | Event::FrontendChanged { .. }
            | Event::FrontendRemoved { .. }
            | Event::WeightSet { .. }
            | Event::WeightChanged { .. } => {}
        }
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::StartProbe(order) => self.probes.start(order),
                Effect::CancelProbe(id) => self.probes.cancel(id),
                Effect::Observe => self.order(Task::Observe),
                Effect::Apply(steps) => {
                    self.order(Task::Apply(steps.into_iter().map(|step| step.operation).collect()));
                }
                Effect::Synced(report) => self.synced(report),
                Effect::Event(event) => {
                    narrate(&event);
                    self.remember(&event);
                    self.tally.event(&event);
                    // Nobody watches: nothing is lost.
                    let number = self.next_event;
                    self.next_event += 1;
                    let _ = self.events.send(Numbered { number, event: Arc::new(event) });
                }
            }
        }
    }
}

/// What operators want, as it is written down.
fn intents(engine: &Engine, reading: Reading) -> Intents {
    engine.intents().map_times(|time| reading.stored(time))
}

/// What the probes say, as it is written down.
fn verdicts(engine: &Engine, reading: Reading) -> Verdicts {
    let mut verdicts = engine.verdicts();
    for verdict in verdicts.values_mut() {
        (verdict.at, verdict.since) = (reading.stored(verdict.at), reading.stored(verdict.since));
    }
    verdicts
}

/// A probe that could not be made changes no state, so without a line of its own nobody would learn that a backend is
/// not watched any more. Once is enough until one can be made again.
fn narrate_probe(done: &probes::Done, last: Option<Code>) {
    if done.outcome.code == Code::SockErr && last != Some(Code::SockErr) {
        tracing::warn!(
            backend = %done.backend, code = %done.outcome.code, detail = done.outcome.detail,
            "probes of this backend cannot be made"
        );
    }
    tracing::debug!(
        backend = %done.backend,
        code = %done.outcome.code,
        detail = done.outcome.detail,
        duration_ms = done.outcome.timings.total.as_secs_f64() * 1e3,
        "probe"
    );
}

async fn hear(vpp: &mut Option<Handle>) -> Option<News> {
    match vpp {
        Some(vpp) => vpp.news.recv().await,
        None => None,
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
