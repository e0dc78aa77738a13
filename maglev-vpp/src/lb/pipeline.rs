//! Driver. Many requests under way at once, within a window.

use std::collections::VecDeque;

use crate::client::{Client, InFlight};
use crate::error::CallError;
use crate::message::Request;

/// Requests under way at a time.
///
/// VPP reads 4096 bytes of a connection in one turn of its main loop (`vl_socket_read_ready`), some 60 of these: eight
/// turns' worth keeps it busy while answers travel, and bounds what a slow VPP has to queue.
const WINDOW: usize = 512;

/// Something that takes one request.
pub(super) trait Start {
    /// The request once it is sent.
    type Pending: Pending;

    /// The request's name.
    fn message(&self) -> &'static str;

    /// Sends it.
    fn start(&self, client: &Client) -> impl Future<Output = Result<Self::Pending, CallError>> + Send;
}

/// A request under way.
pub(super) trait Pending {
    /// What its answer holds.
    type Answer;

    /// Waits for the answer.
    fn answer(self) -> impl Future<Output = Result<Self::Answer, CallError>> + Send;

    /// Whether an answer is there, or is never going to be.
    fn is_settled(&self) -> bool;
}

impl<R: Request<Reply: Send>> Pending for InFlight<R> {
    type Answer = R::Reply;

    async fn answer(self) -> Result<R::Reply, CallError> {
        self.reply().await
    }

    fn is_settled(&self) -> bool {
        self.is_settled()
    }
}

impl<R: Request<Reply: Send> + Sync> Start for R {
    type Pending = InFlight<R>;

    fn message(&self) -> &'static str {
        R::name()
    }

    async fn start(&self, client: &Client) -> Result<InFlight<R>, CallError> {
        client.start(self).await
    }
}

/// Starts all of them, keeping the window full, and returns the answers in the same order.
///
/// A failure does not stop those behind it, with one exception: once VPP has answered nothing for a whole deadline, the
/// rest is not sent, or each window of it would cost another deadline.
pub(super) async fn pipeline<S: Start>(
    client: &Client,
    items: &[S],
) -> Vec<Result<<S::Pending as Pending>::Answer, CallError>> {
    let mut results = Vec::with_capacity(items.len());
    let mut window = VecDeque::with_capacity(WINDOW.min(items.len()));
    let mut rest = items.iter();
    let mut silent = false;
    loop {
        while !silent && window.len() < WINDOW {
            let Some(item) = rest.next() else { break };
            let started = item.start(client).await;
            silent = matches!(started, Err(CallError::NotSent { .. }));
            window.push_back(started);
        }
        let Some(oldest) = window.pop_front() else { break };
        let result = match oldest {
            Ok(pending) => pending.answer().await,
            Err(error) => Err(error),
        };
        if let Err(CallError::Timeout { .. }) = &result {
            // One lost answer is one failure; no answer at all, and there is no use in going on.
            silent |= !window.iter().flatten().any(Pending::is_settled);
        }
        results.push(result);
    }
    results.extend(rest.map(|item| Err(CallError::NotSent { message: item.message() })));
    results
}
