//! Driver. The sockets of the simulated VPP.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, bind, listen, sendmsg,
    socket,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::answer::{self, After};
use super::fault::{self, Action};
use super::journal::Mutation;
use super::world::World;
use crate::message::control::{MemclntKeepalive, SOCKCLNT_CREATE_ID, SOCKCLNT_CREATE_REPLY_ID};
use crate::message::{Message, plain_name};
use crate::wire::{Field, FixedText, frame};

/// What VPP reads of a connection in one turn of its main loop (`sm->input_buffer` in `socket_api.c`).
const INPUT_BUFFER: usize = 4096;

/// How often the heartbeat beats. VPP's takes 10 s; tests have less patience.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The world, as the connections share it.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) world: Arc<Mutex<World>>,
    /// Asks all connections to send a keepalive.
    pub(super) keepalive: broadcast::Sender<()>,
    /// Asks for a restart from inside a connection.
    pub(super) restart: mpsc::Sender<()>,
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        // A panic elsewhere does not make the numbers in it less true.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Binds the API socket, over whatever is left there of an earlier one.
pub(super) fn bind_api(path: &Path) -> io::Result<UnixListener> {
    remove(path)?;
    UnixListener::bind(path)
}

/// Binds the stats socket, which is `SOCK_SEQPACKET`.
pub(super) fn bind_stats(path: &Path) -> io::Result<UnixListener> {
    remove(path)?;
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd: OwnedFd = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)?;
    bind(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
    listen(&fd, Backlog::new(16)?)?;
    // Accepting does not depend on the kind of unix socket.
    UnixListener::from_std(std::os::unix::net::UnixListener::from(fd))
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Accepts API clients until cancelled.
pub(super) async fn serve_api(listener: UnixListener, shared: Shared, down: CancellationToken) {
    let connections = tokio_util::task::TaskTracker::new();
    while let Some(Ok((stream, _))) = down.run_until_cancelled(listener.accept()).await {
        let (shared, token) = (shared.clone(), down.clone());
        connections.spawn(async move {
            let mut connection = Connection { shared, handle: None, incoming: BytesMut::new() };
            if let Some(Err(error)) = token.run_until_cancelled(connection.serve(stream)).await {
                tracing::debug!(%error, "a client of the simulated VPP is gone");
            }
            if let Some(handle) = connection.handle {
                connection.shared.world().unregister(handle);
            }
        });
    }
    connections.close();
    connections.wait().await;
}

/// Hands out the stats segment, and keeps its heart beating, until cancelled.
pub(super) async fn serve_stats(listener: UnixListener, shared: Shared, down: CancellationToken) {
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = down.cancelled() => return,
            _ = beat.tick() => {
                let mut world = shared.world();
                world.run_processes();
                if let Err(error) = world.segment.beat() {
                    tracing::warn!(%error, "cannot write the simulated stats segment");
                }
            }
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                let world = shared.world();
                let fds = [world.segment.fd().as_raw_fd()];
                let rights = [ControlMessage::ScmRights(&fds)];
                // One small message into a fresh socket: it cannot block, and a client that is gone needs none.
                let sent = sendmsg::<()>(stream.as_raw_fd(), &[IoSlice::new(&[0])], &rights, MsgFlags::MSG_NOSIGNAL, None);
                if let Err(error) = sent {
                    tracing::debug!(%error, "a reader of the simulated stats segment is gone");
                }
            }
        }
    }
}

struct Connection {
    shared: Shared,
    handle: Option<u32>,
    incoming: BytesMut,
}

/// What the connection does after a message.
enum Next {
    Continue,
    Wait(Duration),
    Close,
}

impl Connection {
    async fn serve(&mut self, mut stream: UnixStream) -> io::Result<()> {
        let mut keepalive = self.shared.keepalive.subscribe();
        let mut outgoing = BytesMut::new();
        loop {
            let mut input = [0; INPUT_BUFFER];
            tokio::select! {
                read = stream.read(&mut input) => match read? {
                    0 => return Ok(()),
                    length => self.incoming.extend_from_slice(&input[..length]),
                },
                Ok(()) = keepalive.recv() => {
                    self.put_keepalive(&mut outgoing);
                    stream.write_all(&outgoing).await?;
                    outgoing.clear();
                    continue;
                }
            }
            let turn = self.shared.world().turn;
            wait(turn).await;
            // Carried out one by one, so that a delay holds up what is behind it.
            while let Some(payload) = frame::split_payload(&mut self.incoming).map_err(io::Error::other)? {
                match self.take(&payload, &mut outgoing) {
                    Next::Continue => {}
                    Next::Wait(delay) => {
                        stream.write_all(&outgoing).await?;
                        outgoing.clear();
                        tokio::time::sleep(delay).await;
                        // Faults strike once; the second time round it is carried out.
                        if let Next::Close = self.take_unharmed(&payload, &mut outgoing) {
                            return stream.write_all(&outgoing).await;
                        }
                    }
                    Next::Close => return stream.write_all(&outgoing).await,
                }
            }
            stream.write_all(&outgoing).await?;
            outgoing.clear();
        }
    }

    fn put_keepalive(&self, outgoing: &mut BytesMut) {
        let id = self.shared.world().table.id(MemclntKeepalive::NAME_CRC);
        let (Some(id), Some(handle)) = (id, self.handle) else { return };
        frame::put_frame(outgoing, |out| {
            out.put_u16(id);
            out.put_u32(handle);
            out.put_u32(handle);
        });
    }

    /// One message, which a fault may strike.
    fn take(&mut self, payload: &[u8], outgoing: &mut BytesMut) -> Next {
        let Some((name, context)) = self.header(payload) else {
            return self.take_unharmed(payload, outgoing);
        };
        let action = fault::strike(&mut self.shared.world().faults, plain_name(name));
        let Some(action) = action else { return self.take_unharmed(payload, outgoing) };
        tracing::debug!(name, ?action, "fault");
        let before = outgoing.len();
        match action {
            Action::Refuse(_) | Action::Pretend => {
                let retval = if let Action::Refuse(retval) = action { retval } else { 0 };
                let mut world = self.shared.world();
                let message = plain_name(name);
                world.journal.request(message);
                if answer::is_write(name) {
                    world.record(Mutation { message, what: format!("{message} struck by a fault"), retval });
                }
                answer::refuse(&world, name, context, retval, outgoing);
                Next::Continue
            }
            Action::Ignore => Next::Continue,
            Action::LoseReply => {
                let next = self.take_unharmed(payload, outgoing);
                outgoing.truncate(before);
                next
            }
            Action::Delay(delay) => Next::Wait(delay),
            Action::CloseBefore => Next::Close,
            Action::CloseMidReply => {
                self.take_unharmed(payload, outgoing);
                outgoing.truncate(before + (outgoing.len() - before) / 2);
                Next::Close
            }
            Action::Truncate => {
                let next = self.take_unharmed(payload, outgoing);
                let reply = outgoing.split_off(before);
                let kept = (reply.len().saturating_sub(frame::HEADER_LEN) / 2).max(2);
                let reply = &reply[reply.len().min(frame::HEADER_LEN)..];
                frame::put_frame(outgoing, |out| out.extend_from_slice(&reply[..kept.min(reply.len())]));
                next
            }
            Action::Oversize => {
                outgoing.put_u64(0);
                outgoing.put_u32(64 << 20);
                outgoing.put_u32(0);
                Next::Continue
            }
            Action::Restart => {
                // If one is asked for already, that one will do.
                let _ = self.shared.restart.try_send(());
                Next::Close
            }
        }
    }

    /// The name and the context of a request of this VPP.
    fn header(&self, mut payload: &[u8]) -> Option<(&'static str, u32)> {
        let id = payload.try_get_u16().ok()?;
        let _client_index = payload.try_get_u32().ok()?;
        let context = payload.try_get_u32().ok()?;
        Some((*self.shared.world().names.get(&id)?, context))
    }

    fn take_unharmed(&mut self, payload: &[u8], outgoing: &mut BytesMut) -> Next {
        let mut input = payload;
        let Ok(id) = input.try_get_u16() else { return Next::Close };
        if id == SOCKCLNT_CREATE_ID {
            return self.register(input, outgoing);
        }
        let shared = self.shared.clone();
        let mut world = shared.world();
        let Some(&name) = world.names.get(&id) else {
            tracing::debug!(id, "the simulated VPP does not know this message");
            return Next::Continue;
        };
        world.run_processes();
        world.journal.request(plain_name(name));
        // A keepalive's answer is a reply, and replies have no client index.
        let client_index = if name.contains("_reply_") { self.handle } else { input.try_get_u32().ok() };
        let (Some(handle), Ok(context)) = (self.handle, input.try_get_u32()) else { return Next::Continue };
        if client_index != Some(handle) {
            tracing::debug!(name, "the simulated VPP does not know this client index");
            return Next::Continue;
        }
        match answer::answer(&mut world, name, handle, context, input, outgoing) {
            Ok(After::Running) => Next::Continue,
            Ok(After::Leaving) => Next::Close,
            Ok(After::Dead) => {
                let _ = self.shared.restart.try_send(());
                Next::Close
            }
            Err(error) => {
                tracing::debug!(name, %error, "the simulated VPP cannot read this message");
                Next::Continue
            }
        }
    }

    fn register(&mut self, mut input: &[u8], outgoing: &mut BytesMut) -> Next {
        let Ok(context) = input.try_get_u32() else { return Next::Continue };
        let name = FixedText::<64>::take(&mut input).map(|name| name.0).unwrap_or_default();
        let mut world = self.shared.world();
        let handle = *self.handle.get_or_insert_with(|| world.register(name));
        frame::put_frame(outgoing, |out| {
            out.put_u16(SOCKCLNT_CREATE_REPLY_ID);
            out.put_u32(0);
            out.put_u32(context);
            out.put_i32(0);
            out.put_u32(handle);
            out.put_u16(u16::try_from(world.names.len()).unwrap_or(u16::MAX));
            for (id, name) in &world.names {
                out.put_u16(*id);
                out.put_slice(name.as_bytes());
                out.put_bytes(0, 64usize.saturating_sub(name.len()));
            }
        });
        Next::Continue
    }
}

/// Waits more exactly than a timer of 1 ms can: a turn of VPP's main loop takes a third of that.
async fn wait(duration: Duration) {
    const TIMER: Duration = Duration::from_millis(2);
    let end = Instant::now() + duration;
    if duration > TIMER {
        tokio::time::sleep(duration - TIMER).await;
    }
    while Instant::now() < end {
        tokio::task::yield_now().await;
    }
}
