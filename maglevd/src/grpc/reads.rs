//! Driver. Reads that cost: lists, VPP's state, plans, checks of files. Each kind has a lane of its own.

use std::sync::Arc;

use maglev_core::observed::Observed;
use tonic::Status;

use crate::answers::{Answer, Answers, Lane, NoAnswer};
use crate::control::{Control, Snapshot};
use crate::grpc::answer::response;
use crate::grpc::service;

/// A lane for each kind of answer, so that a flood of one kind keeps no other waiting.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    pub(super) frontends: Lane,
    pub(super) frontend: Lane,
    pub(super) backends: Lane,
    pub(super) health_checks: Lane,
    pub(super) names: Lane,
    pub(super) config: Lane,
    pub(super) running_config: Lane,
    pub(super) audit: Lane,
    pub(super) problems: Lane,
    pub(super) vpp_state: Lane,
    pub(super) vpp_counters: Lane,
    pub(super) plan: Lane,
    /// What VPP has: it is asked once for all who wait, and not all the time.
    pub(super) observed: Lane<Arc<Observed>>,
}

/// Makes the answers of reads. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Reads {
    pub(super) control: Control,
    pub(super) answers: Answers,
    pub(super) lanes: Arc<Lanes>,
}

impl Reads {
    /// The answer to a question (`key`) in a lane, encoded from a snapshot. What `encode` refuses is not shared.
    pub(super) async fn answer<M: Default>(
        &self,
        lane: &Lane,
        key: &[u8],
        encode: impl FnOnce(&Snapshot) -> Result<Vec<u8>, Status> + Send + 'static,
    ) -> service::Answer<M> {
        Ok(response(lane.get(key, self.make(encode)).await?))
    }

    /// Encodes an answer that needs no snapshot, also while the engine hangs.
    pub(super) async fn encode(
        &self,
        encode: impl FnOnce() -> Vec<u8> + Send + 'static,
    ) -> Result<Answer, Status> {
        self.answers.room().await?;
        self.answers.make(move || Ok(encode())).await
    }

    /// Encodes an answer from a snapshot.
    pub(super) async fn make(
        &self,
        encode: impl FnOnce(&Snapshot) -> Result<Vec<u8>, Status> + Send + 'static,
    ) -> Result<Answer, Status> {
        self.answers.room().await?;
        let seen = self.control.snapshot().await.map_err(NoAnswer::from)?;
        self.answers.make(move || encode(&seen)).await
    }
}
