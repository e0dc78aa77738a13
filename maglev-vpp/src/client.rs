//! Edge. The client: one connection to VPP's API socket, shared by any number of tasks.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::capability::Capabilities;
use crate::error::{CallError, CloseReason, ConnectError};
use crate::message::control::{ControlPing, ControlPingReply, ShowVersion};
use crate::message::{Dump, Message, Request};
use crate::monitor::{Monitor, Outcome, Silent};
use crate::retval::Retval;
use crate::wire::{DecodeError, Field, MessageTable};

mod connection;
mod handshake;

use connection::{Command, Expect, Failure, Waiting};

/// How to connect.
#[derive(Clone)]
pub struct Options {
    /// The name VPP lists this client under in `show api clients`; 63 bytes of it are sent. Default `maglevd`.
    pub name: String,
    /// How long VPP may take for an answer, and for the whole handshake. Default 5 s.
    pub deadline: Duration,
    /// Who is told of each message. Default nobody.
    pub monitor: Arc<dyn Monitor>,
}

impl Default for Options {
    fn default() -> Options {
        Options { name: "maglevd".to_owned(), deadline: Duration::from_secs(5), monitor: Arc::new(Silent) }
    }
}

/// Who VPP said it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VppInfo {
    /// `26.10-rc0~374-gb575ec2c56d`.
    pub version: String,
    /// `2026-11-23T11:59:30`.
    pub build_date: String,
    /// Its process id, as it sees it.
    pub pid: u32,
}

/// Commands queued for the connection before callers wait. It absorbs one window of a pipeline.
const QUEUE: usize = 512;

/// A connection to VPP's binary API.
///
/// Clones share the connection; requests of all of them are multiplexed and answered in whatever order VPP likes. When
/// the last clone is dropped, what is queued is sent, the client takes its leave and the socket is closed; answers still
/// under way are lost.
///
/// The connection never comes back by itself: [`Client::closed`] tells when it ended, and whoever holds the client
/// connects anew and asks again what the world looks like.
#[derive(Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Shared {
    path: PathBuf,
    deadline: Duration,
    monitor: Arc<dyn Monitor>,
    table: MessageTable,
    info: VppInfo,
    waiting: Waiting,
    closed: watch::Receiver<Option<CloseReason>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("path", &self.shared.path)
            .field("info", &self.shared.info)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Connects, registers, reads the message table, and asks VPP who it is. Must run in a tokio runtime, which then
    /// also runs the task that serves the connection.
    ///
    /// Dropping the future closes the socket.
    ///
    /// # Errors
    /// [`ConnectError`] if any of that fails; registering and asking may take `options.deadline` each.
    pub async fn connect(path: impl AsRef<Path>, options: Options) -> Result<Client, ConnectError> {
        let path = path.as_ref();
        let Options { name, deadline, monitor } = options;
        let registered = timeout(deadline, handshake::register(path, &name))
            .await
            .map_err(|_| ConnectError::Timeout { path: path.to_owned(), after: deadline })??;

        let (closed_sender, closed) = watch::channel(None);
        let (commands, receiver) = mpsc::channel(QUEUE);
        let table = registered.table.clone();
        let waiting = Waiting::default();
        tokio::spawn(connection::serve(registered, receiver, waiting.clone(), closed_sender));

        let unknown = VppInfo { version: String::new(), build_date: String::new(), pid: 0 };
        let shared =
            Shared { path: path.to_owned(), deadline, monitor, table, info: unknown, waiting, closed };
        let client = Client { commands, shared: Arc::new(shared) };
        let info = client
            .introduction()
            .await
            .map_err(|source| ConnectError::Introduction { path: path.to_owned(), source })?;
        Ok(Client { shared: Arc::new(Shared { info, ..Shared::clone(&client.shared) }), ..client })
    }

    async fn introduction(&self) -> Result<VppInfo, CallError> {
        let (version, pid) = tokio::try_join!(self.call(&ShowVersion {}), self.ping())?;
        Ok(VppInfo { version: version.version.0, build_date: version.build_date.0, pid })
    }

    /// Sends a request and waits for its answer.
    ///
    /// Dropping the future gives up the answer; what was sent already is carried out.
    ///
    /// # Errors
    /// [`CallError`]: VPP refused, does not know the message, did not answer in time, or is gone.
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Reply, CallError> {
        self.start(request).await?.reply().await
    }

    /// Sends a request and returns at once with a hold on its answer: many requests can so be under way together. VPP
    /// carries out the requests of one connection in the order they were sent.
    ///
    /// Dropping the future before it is ready sends nothing.
    ///
    /// # Errors
    /// [`CallError`] if VPP does not know the message, is gone, or so busy that the request could not even be queued.
    pub async fn start<R: Request>(&self, request: &R) -> Result<InFlight<R>, CallError> {
        let id = self.id::<R>()?;
        let reply_id = self.id::<R::Reply>()?;
        let deadline = Instant::now() + self.shared.deadline;
        let (sender, answer) = oneshot::channel();
        let command = Command { id, body: body(request), expect: Expect::Reply { id: reply_id, to: sender } };
        self.send(R::name(), command, deadline).await?;
        Ok(InFlight { answer, deadline, shared: Arc::clone(&self.shared), request: PhantomData })
    }

    /// Asks for all objects of a kind.
    ///
    /// Dropping the future gives up the answer; what was sent already is carried out.
    ///
    /// # Errors
    /// [`CallError`], as for [`Client::call`]. The deadline is for the whole list.
    pub async fn dump<D: Dump>(&self, request: &D) -> Result<Vec<D::Details>, CallError> {
        let id = self.id::<D>()?;
        let details = self.id::<D::Details>()?;
        let deadline = Instant::now() + self.shared.deadline;
        let (sender, answer) = oneshot::channel();
        let command = Command { id, body: body(request), expect: Expect::Dump { details, to: sender } };
        self.send(D::name(), command, deadline).await?;
        let items = self.shared.answer(D::name(), D::Details::name(), answer, deadline).await?;
        let items: Result<Vec<_>, _> = items.iter().map(|item| D::Details::read(item)).collect();
        let outcome = if items.is_ok() { Outcome::Ok } else { Outcome::Malformed };
        self.shared.monitor.received(D::Details::name(), outcome);
        items.map_err(|source| CallError::Decode { message: D::name(), source })
    }

    /// Waits until VPP has dealt with everything sent before; returns VPP's process id.
    ///
    /// # Errors
    /// [`CallError`], as for [`Client::call`].
    pub async fn ping(&self) -> Result<u32, CallError> {
        let reply: ControlPingReply = self.call(&ControlPing {}).await?;
        Ok(reply.vpe_pid)
    }

    /// Who VPP said it is when the connection was made.
    pub fn info(&self) -> &VppInfo {
        &self.shared.info
    }

    /// The socket this client is connected to.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// How long requests have been waiting while VPP sent no answer at all; `None` while none waits. It answers at once,
    /// whatever VPP does.
    pub fn unanswered_for(&self) -> Option<Duration> {
        self.shared.waiting.since().map(|since| since.elapsed())
    }

    /// All messages this VPP has.
    pub fn table(&self) -> &MessageTable {
        &self.shared.table
    }

    /// What this VPP can be used for.
    pub fn capabilities(&self) -> Capabilities {
        Capabilities::of(&self.shared.table, &self.shared.info.version)
    }

    /// Waits until the connection has ended, and says why. Dropping the future is harmless.
    pub async fn closed(&self) -> CloseReason {
        let mut closed = self.shared.closed.clone();
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or(CloseReason::ByUs),
            Err(_) => CloseReason::ByUs,
        }
    }

    fn id<M: Message>(&self) -> Result<u16, CallError> {
        self.shared.table.id(M::NAME_CRC).ok_or(CallError::Unsupported { name_crc: M::NAME_CRC })
    }

    async fn send(
        &self,
        message: &'static str,
        command: Command,
        deadline: Instant,
    ) -> Result<(), CallError> {
        let sent = match self.commands.try_send(command) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(command)) => {
                match timeout_at(deadline, self.commands.send(command)).await {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(_)) => Err(self.shared.gone(message)),
                    Err(_) => Err(CallError::NotSent { message }),
                }
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(self.shared.gone(message)),
        };
        if sent.is_ok() {
            self.shared.monitor.sent(message);
        }
        sent
    }
}

fn body(message: &impl Message) -> Bytes {
    let mut body = BytesMut::with_capacity(64);
    message.put(&mut body);
    body.freeze()
}

impl Shared {
    fn gone(&self, message: &'static str) -> CallError {
        let source = self.closed.borrow().clone().unwrap_or(CloseReason::ByUs);
        CallError::Closed { message, source }
    }

    async fn answer<T>(
        &self,
        request: &'static str,
        reply: &'static str,
        mut answer: oneshot::Receiver<Result<T, Failure>>,
        deadline: Instant,
    ) -> Result<T, CallError> {
        // Most answers of a pipeline are there already: no timer for those.
        let answer = match answer.try_recv() {
            Ok(answer) => Ok(Ok(answer)),
            Err(_) => timeout_at(deadline, answer).await,
        };
        let error = match answer {
            Ok(Ok(Ok(answer))) => return Ok(answer),
            Ok(Ok(Err(Failure::Closed(source)))) => CallError::Closed { message: request, source },
            Ok(Ok(Err(Failure::Unexpected(id)))) => CallError::Unexpected { message: request, id },
            Ok(Ok(Err(Failure::TooLong))) => {
                CallError::TooLong { message: request, limit: connection::MAX_DUMP }
            }
            Ok(Err(_)) => self.gone(request),
            Err(_) => CallError::Timeout { message: request, after: self.deadline },
        };
        self.monitor.received(reply, Outcome::Missing);
        Err(error)
    }
}

/// A request under way.
///
/// Dropping it gives up the answer; a request that was sent already is carried out.
#[must_use = "only its answer tells whether VPP did it"]
pub struct InFlight<R> {
    answer: oneshot::Receiver<Result<Bytes, Failure>>,
    deadline: Instant,
    shared: Arc<Shared>,
    request: PhantomData<fn() -> R>,
}

impl<R> std::fmt::Debug for InFlight<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InFlight").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl<R: Request> InFlight<R> {
    /// Waits for the answer. Dropping the future gives it up.
    ///
    /// # Errors
    /// [`CallError`], as for [`Client::call`]. The deadline began when the request was started.
    pub async fn reply(self) -> Result<R::Reply, CallError> {
        let InFlight { answer, deadline, shared, .. } = self;
        let body = shared.answer(R::name(), R::Reply::name(), answer, deadline).await?;
        let reply = read_reply::<R>(&body);
        let outcome = match &reply {
            Ok(_) => Outcome::Ok,
            Err(CallError::Refused { .. }) => Outcome::Refused,
            Err(_) => Outcome::Malformed,
        };
        shared.monitor.received(R::Reply::name(), outcome);
        reply
    }

    /// Whether an answer is there, or is never going to be.
    pub(crate) fn is_settled(&self) -> bool {
        self.answer.is_terminated() || !self.answer.is_empty()
    }
}

/// Reads a reply, or only its return value if that is not 0: what follows it then means nothing.
fn read_reply<R: Request>(mut body: &[u8]) -> Result<R::Reply, CallError> {
    let decode = |source: DecodeError| CallError::Decode { message: R::name(), source };
    let whole = body;
    match i32::take(&mut body).map_err(decode)? {
        0 => R::Reply::read(whole).map_err(decode),
        retval => Err(CallError::Refused { message: R::name(), retval: Retval(retval) }),
    }
}
