//! Edge. The icmp probe: one echo request, and the reply to it.

mod packet;
mod queue;

use std::io;

use maglev_core::outcome::Code;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::task::coop::consume_budget;
use tokio::time::Instant;

use self::packet::{Echo, TOKEN};
use crate::context::{unreachable, unsent};
use crate::fault;
use crate::text::Short;
use crate::{Context, Finding, Probe, Probing};

/// Room for a reply with the longest IPv4 header. A longer packet is cut, and then is not ours.
const BUFFER: usize = 256;

/// How often the request is sent at most, where each time an error of before was in the way.
const SEND_TRIES: usize = 3;

/// Sends an echo request and waits for its reply.
pub(crate) struct IcmpProbe;

impl Probe for IcmpProbe {
    fn probe<'a>(&'a self, context: &'a mut Context<'_>) -> Probing<'a> {
        Box::pin(async move {
            let address = context.target().address;
            let echo = echo(context)?;
            let (socket, raw) = context.connect_icmp().await?;
            let sent = Instant::now();
            send(&socket, &echo, raw).await.map_err(|error| unsent(address, &error))?;
            if let Some(error) = answer(&socket, &echo, raw).await? {
                context.check_route(0).await?;
                return Err(unreachable(address, &error));
            }
            let time = sent.elapsed();
            context.echoed(time);
            Ok(Finding::new(Code::L4Ok, format!("echo from {address} in {}", Short(time))))
        })
    }
}

/// Sends the request. An error is that of our own call.
async fn send(socket: &UdpSocket, echo: &Echo, raw: bool) -> io::Result<()> {
    let request = echo.request();
    for _ in 1..SEND_TRIES {
        match socket.send(&request).await {
            Ok(_) => return Ok(()),
            // An error that the network reported before this call is returned by it as well. It is also on the queue, and
            // cannot be about an echo that has not been sent.
            Err(error) => {
                let mut queued = false;
                while queue::next(socket, echo, raw).is_ok() {
                    queued = true;
                }
                if !queued {
                    return Err(error);
                }
            }
        }
    }
    socket.send(&request).await.map(drop)
}

/// Waits for the reply. Returns the error that the network reported of the request, if there is one.
async fn answer(socket: &UdpSocket, echo: &Echo, raw: bool) -> Result<Option<io::Error>, Finding> {
    let mut buffer = [0; BUFFER];
    loop {
        // Packets that are not ours may come as fast as we take them.
        consume_budget().await;
        let ready = socket.ready(Interest::READABLE | Interest::ERROR).await;
        ready.map_err(|error| Finding::local(format!("cannot watch a socket: {}", fault::words(&error))))?;
        match socket.try_recv(&mut buffer) {
            Ok(len) if echo.is_answered_by(&buffer[..len], raw) => return Ok(None),
            // Another packet; or an error, whose details are on the queue.
            Ok(_) => continue,
            Err(_) => {}
        }
        // Reads until the queue is empty: only then comes another event.
        while let Ok(error) = socket.try_io(Interest::ERROR, || queue::next(socket, echo, raw)) {
            if error.is_some() {
                return Ok(error);
            }
        }
    }
}

/// An echo that nobody can guess.
fn echo(context: &Context<'_>) -> Result<Echo, Finding> {
    let mut random = [0; 4 + TOKEN];
    context.fill_random(&mut random)?;
    let [id0, id1, seq0, seq1, token @ ..] = random;
    let identifier = u16::from_be_bytes([id0, id1]);
    let sequence = u16::from_be_bytes([seq0, seq1]);
    Ok(Echo { v4: context.target().address.is_ipv4(), identifier, sequence, token })
}
