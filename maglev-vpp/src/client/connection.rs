//! Driver. The task that owns the socket: writes requests, routes answers by context, answers keepalives.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::handshake::{ControlIds, Registered};
use crate::error::CloseReason;
use crate::wire::{Field, frame};

/// Bytes of details accepted for one dump: over a million servers.
pub(super) const MAX_DUMP: usize = 64 * 1024 * 1024;

/// Bytes waiting to be written above which nothing more is taken on. A unix socket holds some 200 KiB itself.
const MAX_OUTGOING: usize = 256 * 1024;

/// Requests without answer above which no more are taken on: their callers wait, each with its deadline.
const MAX_PENDING: usize = 4096;

/// Commands taken from the queue at a time, to be written with one call.
const BATCH: usize = 256;

/// Room made for reading, enough for a whole window of replies at once.
const READ: usize = 64 * 1024;

/// How often requests whose callers have given up are forgotten.
const SWEEP: Duration = Duration::from_secs(1);

/// How long leaving may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Since when requests have been waiting for an answer, shared with the clients of the connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<Mutex<Option<Instant>>>);

impl Waiting {
    /// The time of the last answer, or of the first request after it; `None` while nothing waits.
    pub(super) fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of how many requests wait, and whether an answer came since the last note.
    fn note(&self, pending: usize, answered: bool) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (pending, *since) {
            (0, _) => *since = None,
            (_, Some(_)) if !answered => {}
            (_, _) => *since = Some(Instant::now()),
        }
    }
}

/// A request for the connection.
pub(super) struct Command {
    pub(super) id: u16,
    pub(super) body: Bytes,
    pub(super) expect: Expect,
}

/// What answers a request, and who waits for it.
pub(super) enum Expect {
    Reply { id: u16, to: oneshot::Sender<Result<Bytes, Failure>> },
    Dump { details: u16, to: oneshot::Sender<Result<Vec<Bytes>, Failure>> },
}

/// Why there is no answer.
pub(super) enum Failure {
    Closed(CloseReason),
    Unexpected(u16),
    TooLong,
}

/// Serves the connection until it ends or the last client is dropped.
pub(super) async fn serve(
    registered: Registered,
    mut commands: mpsc::Receiver<Command>,
    waiting: Waiting,
    closed: watch::Sender<Option<CloseReason>>,
) {
    let Registered { mut stream, mut incoming, client_index, ids, .. } = registered;
    let mut router = Router { client_index, ids, pending: HashMap::new(), last_context: 0 };
    let reason = exchange(&mut stream, &mut incoming, &mut commands, &mut router, &waiting).await;
    waiting.note(0, false);
    tracing::debug!(%reason, pending = router.pending.len(), "VPP connection ended");
    // First the reason, then the answers: whoever sees one can look up the other.
    closed.send_replace(Some(reason.clone()));
    commands.close();
    for (_, pending) in router.pending.drain() {
        pending.fail(Failure::Closed(reason.clone()));
    }
    while let Some(command) = commands.recv().await {
        Pending::from(command.expect).fail(Failure::Closed(reason.clone()));
    }
}

async fn exchange(
    stream: &mut tokio::net::UnixStream,
    incoming: &mut BytesMut,
    commands: &mut mpsc::Receiver<Command>,
    router: &mut Router,
    waiting: &Waiting,
) -> CloseReason {
    let (mut reader, mut writer) = stream.split();
    let mut outgoing = BytesMut::with_capacity(READ);
    let mut batch = Vec::with_capacity(BATCH);
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let mut answered = false;
        loop {
            match frame::split_payload(incoming) {
                Ok(Some(payload)) => {
                    answered = true;
                    router.route(payload, &mut outgoing);
                }
                Ok(None) => break,
                Err(error) => return CloseReason::Frame(error),
            }
        }
        waiting.note(router.pending.len(), answered);
        if incoming.capacity() - incoming.len() < READ / 8 {
            incoming.reserve(READ);
        }
        let room = outgoing.len() < MAX_OUTGOING;
        // Requests never get that far; only a peer that floods keepalives and does not read the answers does.
        let flooded = outgoing.len() >= 2 * MAX_OUTGOING;
        let few = router.pending.len() < MAX_PENDING;
        tokio::select! {
            read = reader.read_buf(incoming), if !flooded => match read {
                Ok(0) => return CloseReason::ByPeer,
                Ok(_) => {}
                Err(error) => return error.into(),
            },
            written = writer.write_buf(&mut outgoing), if !outgoing.is_empty() => {
                if let Err(error) = written {
                    return error.into();
                }
            }
            taken = commands.recv_many(&mut batch, BATCH), if room && few => {
                if taken == 0 {
                    router.put_farewell(&mut outgoing);
                    // Whether VPP hears it does not matter: it notices the closed socket too.
                    let _ = timeout(FAREWELL, writer.write_all(&outgoing)).await;
                    return CloseReason::ByUs;
                }
                for command in batch.drain(..) {
                    router.put(command, &mut outgoing);
                }
            }
            _ = sweep.tick(), if !router.pending.is_empty() => router.forget_abandoned(),
        }
    }
}

/// Which answer belongs to whom.
struct Router {
    client_index: u32,
    ids: ControlIds,
    pending: HashMap<u32, Pending>,
    last_context: u32,
}

enum Pending {
    Reply { id: u16, to: oneshot::Sender<Result<Bytes, Failure>> },
    Dump { details: u16, items: Vec<Bytes>, size: usize, to: oneshot::Sender<Result<Vec<Bytes>, Failure>> },
}

impl From<Expect> for Pending {
    fn from(expect: Expect) -> Pending {
        match expect {
            Expect::Reply { id, to } => Pending::Reply { id, to },
            Expect::Dump { details, to } => Pending::Dump { details, items: Vec::new(), size: 0, to },
        }
    }
}

impl Pending {
    fn fail(self, failure: Failure) {
        // A caller that no longer waits needs no answer.
        match self {
            Pending::Reply { to, .. } => drop(to.send(Err(failure))),
            Pending::Dump { to, .. } => drop(to.send(Err(failure))),
        }
    }

    fn is_abandoned(&self) -> bool {
        match self {
            Pending::Reply { to, .. } => to.is_closed(),
            Pending::Dump { to, .. } => to.is_closed(),
        }
    }
}

impl Router {
    /// Writes a request, and for a dump the ping behind it under the same context.
    fn put(&mut self, command: Command, outgoing: &mut BytesMut) {
        let pending = Pending::from(command.expect);
        if pending.is_abandoned() {
            return;
        }
        let context = self.free_context();
        self.put_request(command.id, context, &command.body, outgoing);
        if matches!(pending, Pending::Dump { .. }) {
            self.put_request(self.ids.ping, context, &[], outgoing);
        }
        self.pending.insert(context, pending);
    }

    fn put_request(&self, id: u16, context: u32, body: &[u8], outgoing: &mut BytesMut) {
        frame::put_frame(outgoing, |out| {
            id.put(out);
            self.client_index.put(out);
            context.put(out);
            out.extend_from_slice(body);
        });
    }

    fn put_farewell(&mut self, outgoing: &mut BytesMut) {
        if let Some(delete) = self.ids.delete {
            let context = self.free_context();
            self.put_request(delete, context, &self.client_index.to_be_bytes(), outgoing);
        }
    }

    /// The next context nobody waits under. There is one: far fewer are pending than there are numbers.
    fn free_context(&mut self) -> u32 {
        loop {
            self.last_context = self.last_context.wrapping_add(1);
            if self.last_context != 0 && !self.pending.contains_key(&self.last_context) {
                return self.last_context;
            }
        }
    }

    /// Hands a message to whoever waits for it; answers it if it is a keepalive.
    fn route(&mut self, payload: Bytes, outgoing: &mut BytesMut) {
        let Some((id, mut rest)) = payload.split_first_chunk::<2>() else { return };
        let id = u16::from_be_bytes(*id);
        if Some(id) == self.ids.keepalive {
            return self.answer_keepalive(rest, outgoing);
        }
        let Ok(context) = rest.try_get_u32() else {
            tracing::debug!(id, "VPP sent a message without context");
            return;
        };
        let Some(pending) = self.pending.get_mut(&context) else {
            // The answer to a request its caller gave up, or an event nobody asked for.
            tracing::trace!(id, context, "VPP sent a message nobody waits for");
            return;
        };
        let body = payload.slice(6..);
        match pending {
            Pending::Dump { details, items, size, .. } if *details == id => {
                *size += body.len();
                if *size > MAX_DUMP {
                    self.settle(context, |pending| pending.fail(Failure::TooLong));
                } else {
                    items.push(body);
                }
            }
            Pending::Dump { .. } if id == self.ids.ping_reply => self.settle(context, |pending| {
                if let Pending::Dump { items, to, .. } = pending {
                    drop(to.send(Ok(items)));
                }
            }),
            Pending::Reply { id: expected, .. } if *expected == id => self.settle(context, |pending| {
                if let Pending::Reply { to, .. } = pending {
                    drop(to.send(Ok(body)));
                }
            }),
            Pending::Dump { .. } | Pending::Reply { .. } => {
                self.settle(context, |pending| pending.fail(Failure::Unexpected(id)));
            }
        }
    }

    fn settle(&mut self, context: u32, how: impl FnOnce(Pending)) {
        if let Some(pending) = self.pending.remove(&context) {
            how(pending);
        }
    }

    /// VPP finds the client by the context of the answer, so it is echoed. (`memory_api.c`)
    fn answer_keepalive(&self, mut rest: &[u8], outgoing: &mut BytesMut) {
        let (Some(reply), Ok(_client_index), Ok(context)) =
            (self.ids.keepalive_reply, rest.try_get_u32(), rest.try_get_u32())
        else {
            tracing::debug!("VPP sent a keepalive that cannot be answered");
            return;
        };
        frame::put_frame(outgoing, |out| {
            reply.put(out);
            context.put(out);
            0i32.put(out);
        });
    }

    fn forget_abandoned(&mut self) {
        self.pending.retain(|_, pending| !pending.is_abandoned());
    }
}
