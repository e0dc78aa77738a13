//! Driver. Those who wait for VPP to be in agreement.

use maglev_core::engine::SyncReport;
use maglev_core::plan::Step;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::control::Stopped;

/// Each operation that was written, with what became of it.
pub type Synced = Vec<(Step, Result<(), String>)>;

/// Why VPP cannot be brought into agreement now.
#[derive(Clone, Copy, Debug, Error)]
pub enum NoVpp {
    /// The daemon runs without.
    #[error("maglevd runs without VPP")]
    Off,
    /// There is no connection, or it ended meanwhile.
    #[error("there is no connection to VPP")]
    Disconnected,
    /// The daemon is ending.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

type Reply = oneshot::Sender<Result<Synced, NoVpp>>;

/// Those who wait, by the number of what they asked for.
#[derive(Debug, Default)]
pub(super) struct Syncs(Vec<(u64, Reply)>);

impl Syncs {
    pub(super) fn wait(&mut self, number: u64, reply: Reply) {
        // Whoever went away meanwhile does not wait any more.
        self.0.retain(|(_, reply)| !reply.is_closed());
        self.0.push((number, reply));
    }

    /// Answers all that a report answers.
    pub(super) fn answer(&mut self, report: SyncReport) {
        for (_, reply) in self.0.extract_if(.., |(number, _)| report.full && *number <= report.answers) {
            let _ = reply.send(Ok(report.steps.clone()));
        }
    }

    /// The connection ended: nobody will be answered.
    pub(super) fn fail(&mut self) {
        for (_, reply) in self.0.drain(..) {
            let _ = reply.send(Err(NoVpp::Disconnected));
        }
    }
}
