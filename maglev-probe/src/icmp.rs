//! Edge. The icmp probe: one echo request, and the reply to it.

mod packet;

use maglev_core::outcome::Code;
use tokio::time::Instant;

use self::packet::{Echo, TOKEN};
use crate::context::unreachable;
use crate::text::Short;
use crate::{Context, Finding, Probe, Probing};

/// Room for a reply with the longest IPv4 header. A longer packet is cut, and then is not ours.
const BUFFER: usize = 256;

/// Sends an echo request and waits for its reply.
pub(crate) struct IcmpProbe;

impl Probe for IcmpProbe {
    fn probe<'a>(&'a self, context: &'a mut Context<'_>) -> Probing<'a> {
        Box::pin(async move {
            let address = context.target().address;
            let echo = echo(context)?;
            let (socket, raw) = context.connect_icmp().await?;
            let sent = Instant::now();
            socket.send(&echo.request()).await.map_err(|error| unreachable(address, &error))?;
            let mut buffer = [0; BUFFER];
            loop {
                let len = socket.recv(&mut buffer).await.map_err(|error| unreachable(address, &error))?;
                if echo.is_answered_by(&buffer[..len], raw) {
                    break;
                }
            }
            let time = sent.elapsed();
            context.echoed(time);
            Ok(Finding::new(Code::L4Ok, format!("echo from {address} in {}", Short(time))))
        })
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
