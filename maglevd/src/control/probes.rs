//! Driver. The probes in flight.

use std::collections::HashMap;
use std::sync::Arc;

use maglev_core::engine::ProbeOrder;
use maglev_core::health::ProbeId;
use maglev_core::names::BackendName;
use maglev_core::outcome::{Code, Outcome, Timings};
use maglev_probe::{Heartbeat, Prober, Target};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

/// The probes in flight: at most one for each backend, since the engine starts no more.
#[derive(Debug)]
pub(super) struct Probes {
    prober: Prober,
    tasks: JoinSet<Outcome>,
    orders: HashMap<Id, ProbeOrder>,
    handles: HashMap<ProbeId, AbortHandle>,
}

/// A probe that has ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) id: ProbeId,
    pub(super) backend: BackendName,
    pub(super) kind: String,
    pub(super) outcome: Outcome,
}

impl Probes {
    pub(super) fn new(prober: Prober) -> Self {
        Probes { prober, tasks: JoinSet::new(), orders: HashMap::new(), handles: HashMap::new() }
    }

    /// Measures the time in which this process did not run.
    pub(super) fn heartbeat(&self) -> &Heartbeat {
        self.prober.heartbeat()
    }

    /// Sends the probes from now on with another prober.
    pub(super) fn use_prober(&mut self, prober: Prober) {
        self.prober = prober;
    }

    /// Reads certificates again before the next probes that need them.
    pub(super) fn reload_certificates(&self) {
        self.prober.reload_certificates();
    }

    pub(super) fn start(&mut self, order: ProbeOrder) {
        let prober = self.prober.clone();
        let (address, check) = (order.address, Arc::clone(&order.check));
        let handle = self
            .tasks
            .spawn(async move { prober.run(&Target::new(address, &check), check.pace.timeout).await });
        self.handles.insert(order.id, handle.clone());
        self.orders.insert(handle.id(), order);
    }

    /// How many are under way.
    pub(super) fn in_flight(&self) -> usize {
        self.handles.len()
    }

    /// Abandons a probe, and with it its socket.
    pub(super) fn cancel(&mut self, id: ProbeId) {
        if let Some(handle) = self.handles.remove(&id) {
            handle.abort();
        }
    }

    /// The next probe that ends; `None` while none is in flight. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<Done> {
        loop {
            let ended = self.tasks.join_next_with_id().await?;
            if let Some(done) = self.done(ended) {
                return Some(done);
            }
        }
    }

    /// The same for a probe that has ended already; `None` when there is none.
    pub(super) fn try_next(&mut self) -> Option<Done> {
        loop {
            let ended = self.tasks.try_join_next_with_id()?;
            if let Some(done) = self.done(ended) {
                return Some(done);
            }
        }
    }

    /// What a task that ended has found; `None` for a probe that was cancelled, whose outcome is not needed.
    fn done(&mut self, ended: Result<(Id, Outcome), JoinError>) -> Option<Done> {
        let (task, outcome) = match ended {
            Ok((task, outcome)) => (task, outcome),
            Err(error) => (error.id(), broken(&error)),
        };
        let order = self.orders.remove(&task)?;
        self.handles.remove(&order.id)?;
        let kind = order.check.probe.kind().to_owned();
        Some(Done { id: order.id, backend: order.backend, kind, outcome })
    }
}

/// A probe that panicked says nothing about its backend.
fn broken(error: &JoinError) -> Outcome {
    Outcome {
        code: Code::SockErr,
        detail: format!("the probe broke off: {error}"),
        timings: Timings::default(),
    }
}
