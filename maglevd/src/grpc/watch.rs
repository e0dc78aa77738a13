//! Driver. One stream of events to one watcher.
//!
//! A watcher first gets the present state, taken at the same moment as its place in the queue of events, so that it
//! misses nothing and gets nothing twice. The queue is bounded and nobody waits for a watcher: one that falls behind is
//! told how much it missed and gets the present state again.

use std::sync::Arc;
use std::time::Duration;

use maglev_api::v1::event::Event as Kind;
use maglev_api::v1::{self, EventKind, WatchEventsRequest};
use maglev_core::engine::{Event, Transition};
use maglev_core::names::{BackendName, PoolName};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::clock::{Clock, Reading};
use crate::control::{Control, Events, Snapshot, Stopped};
use crate::grpc::convert::{at, backend_state, frontend_state, timestamp, transition};
use crate::logging::{Level, Line, Lines};

/// Events ready to be sent to a watcher whose connection is busy. What comes beyond waits in the queue of all.
const READY: usize = 64;

/// How long a watcher may leave the present state unread. It is a snapshot that is kept in memory for it until then.
const UNREAD: Duration = Duration::from_secs(10);

/// What a watcher asked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    log: Option<Level>,
    backends: bool,
    frontends: bool,
}

impl From<WatchEventsRequest> for Wanted {
    fn from(request: WatchEventsRequest) -> Self {
        let level = match request.log_level() {
            v1::LogLevel::Error => Level::Error,
            v1::LogLevel::Warn => Level::Warn,
            v1::LogLevel::Unspecified | v1::LogLevel::Info => Level::Info,
            v1::LogLevel::Debug => Level::Debug,
        };
        let all = !request.log && !request.backend && !request.frontend;
        Wanted {
            log: request.log.then_some(level),
            backends: request.backend || all,
            frontends: request.frontend || all,
        }
    }
}

/// Where a watcher's events come from.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub(super) control: Control,
    pub(super) clock: Clock,
    pub(super) lines: Lines,
    pub(super) stop: CancellationToken,
}

type Sender = mpsc::Sender<Result<v1::Event, Status>>;

/// Why a stream ends: the watcher is gone, or the daemon is going.
struct Ended;

impl<T> From<mpsc::error::SendError<T>> for Ended {
    fn from(_: mpsc::error::SendError<T>) -> Self {
        Ended
    }
}

impl From<Stopped> for Ended {
    fn from(_: Stopped) -> Self {
        Ended
    }
}

impl Sources {
    /// Begins a stream.
    pub(super) fn watch(self, request: WatchEventsRequest) -> mpsc::Receiver<Result<v1::Event, Status>> {
        let (sender, receiver) = mpsc::channel(READY);
        tokio::spawn(async move {
            let stop = self.stop.clone();
            let ending = sender.clone();
            tokio::select! {
                () = stop.cancelled() => {
                    // Without room the watcher learns it from the end of the connection.
                    let _ = ending.try_send(Err(Status::unavailable(Stopped.to_string())));
                }
                _ = self.feed(request.into(), sender) => {}
            }
        });
        receiver
    }

    async fn feed(&self, wanted: Wanted, to: Sender) -> Result<(), Ended> {
        let mut lines = wanted.log.map(|_| self.lines.subscribe());
        let mut events = self.present(wanted, &to).await?;
        loop {
            let missed = tokio::select! {
                () = to.closed() => return Err(Ended),
                event = events.recv() => match event {
                    Ok(event) => {
                        if let Some(kind) = wanted.kind(self.clock.reading(), &event) {
                            to.send(Ok(self.stamp(event.at(), kind))).await?;
                        }
                        continue;
                    }
                    Err(RecvError::Lagged(missed)) => missed,
                    Err(RecvError::Closed) => return Err(Ended),
                },
                line = next(&mut lines) => match line {
                    Ok(line) => {
                        if wanted.log.is_some_and(|level| line.level <= level) {
                            to.send(Ok(log_event(&line))).await?;
                        }
                        continue;
                    }
                    Err(RecvError::Lagged(missed)) => missed,
                    Err(RecvError::Closed) => return Err(Ended),
                },
            };
            to.send(Ok(self.stamp(self.clock.now(), Kind::Lagged(v1::LaggedEvent { missed })))).await?;
            events = self.present(wanted, &to).await?;
        }
    }

    /// Sends the present state, and returns everything that happens after it. A watcher that leaves it unread for too
    /// long starts again once it reads, as one that fell behind.
    async fn present(&self, wanted: Wanted, to: &Sender) -> Result<Events, Ended> {
        loop {
            if let Some(events) = self.present_once(wanted, to).await? {
                return Ok(events);
            }
            let lagged = Kind::Lagged(v1::LaggedEvent { missed: 0 });
            to.send(Ok(self.stamp(self.clock.now(), lagged))).await?;
        }
    }

    /// The same; `None` when it was left unread.
    async fn present_once(&self, wanted: Wanted, to: &Sender) -> Result<Option<Events>, Ended> {
        let (seen, events) = self.control.watch().await?;
        let now = self.clock.now();
        let end = Kind::Synchronized(v1::SynchronizedEvent {});
        // One message at a time: the snapshot is shared, and messages of all of it would be this watcher's alone.
        for kind in present(wanted, &seen).chain([end]) {
            match timeout(UNREAD, to.send(Ok(self.stamp(now, kind)))).await {
                Ok(sent) => sent?,
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(events))
    }

    fn stamp(&self, time: maglev_core::time::Time, kind: Kind) -> v1::Event {
        v1::Event { at: Some(at(self.clock.reading(), time)), event: Some(kind) }
    }
}

async fn next(lines: &mut Option<broadcast::Receiver<Arc<Line>>>) -> Result<Arc<Line>, RecvError> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

fn present(wanted: Wanted, seen: &Snapshot) -> impl Iterator<Item = Kind> {
    let backends = seen.engine.backends().filter(move |_| wanted.backends).map(|backend| {
        Kind::Backend(v1::BackendEvent {
            kind: EventKind::Present.into(),
            backend: backend.name().to_string(),
            state: backend_state(backend.state()).into(),
            transition: backend.transitions().next().map(|last| transition(seen.reading, last)),
        })
    });
    let frontends = seen.engine.frontends().filter(move |_| wanted.frontends).map(|frontend| {
        let state = frontend_state(frontend.decision().state);
        let pool = name(frontend.active_pool());
        Kind::Frontend(v1::FrontendEvent {
            kind: EventKind::Present.into(),
            frontend: frontend.name().to_string(),
            state: state.into(),
            from: state.into(),
            active_pool: pool.clone(),
            from_pool: pool,
        })
    });
    backends.chain(frontends)
}

impl Wanted {
    /// An event as a message, if it is wanted.
    fn kind(self, reading: Reading, event: &Event) -> Option<Kind> {
        let change = |kind: EventKind, backend: &BackendName, change: &Transition| {
            Kind::Backend(v1::BackendEvent {
                kind: kind.into(),
                backend: backend.to_string(),
                state: backend_state(change.to).into(),
                transition: Some(transition(reading, change)),
            })
        };
        let frontend =
            |kind: EventKind, frontend: &dyn ToString, states: [_; 2], pools: [Option<&PoolName>; 2]| {
                let [from, to] = states.map(frontend_state);
                let [from_pool, active_pool] = pools.map(name);
                Kind::Frontend(v1::FrontendEvent {
                    kind: kind.into(),
                    frontend: frontend.to_string(),
                    state: to.into(),
                    from: from.into(),
                    active_pool,
                    from_pool,
                })
            };
        let (kind, is_backend) = match event {
            Event::BackendAdded { backend, state, .. } => {
                let added = v1::BackendEvent {
                    kind: EventKind::Added.into(),
                    backend: backend.to_string(),
                    state: backend_state(*state).into(),
                    transition: None,
                };
                (Kind::Backend(added), true)
            }
            Event::BackendChanged { backend, transition } => {
                (change(EventKind::Changed, backend, transition), true)
            }
            Event::BackendRemoved { backend, transition } => {
                (change(EventKind::Removed, backend, transition), true)
            }
            Event::FrontendAdded { frontend: name, state, pool, .. } => {
                (frontend(EventKind::Added, name, [*state; 2], [pool.as_ref(); 2]), false)
            }
            Event::FrontendChanged { frontend: name, from, to, from_pool, to_pool, .. } => {
                let pools = [from_pool.as_ref(), to_pool.as_ref()];
                (frontend(EventKind::Changed, name, [*from, *to], pools), false)
            }
            Event::FrontendRemoved { frontend: name, state, .. } => {
                (frontend(EventKind::Removed, name, [*state; 2], [None; 2]), false)
            }
            Event::IntentChanged { .. }
            | Event::WeightSet { .. }
            | Event::WeightEnded { .. }
            | Event::WeightChanged { .. } => return None,
        };
        (if is_backend { self.backends } else { self.frontends }).then_some(kind)
    }
}

fn name(pool: Option<&PoolName>) -> String {
    pool.map(PoolName::to_string).unwrap_or_default()
}

fn log_event(line: &Line) -> v1::Event {
    let level = match line.level {
        Level::Error => v1::LogLevel::Error,
        Level::Warn => v1::LogLevel::Warn,
        Level::Info => v1::LogLevel::Info,
        Level::Debug => v1::LogLevel::Debug,
    };
    let fields = line.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let log = v1::LogEvent { level: level.into(), message: line.message.clone(), fields };
    v1::Event { at: Some(timestamp(line.at)), event: Some(Kind::Log(log)) }
}

#[cfg(test)]
mod tests;
