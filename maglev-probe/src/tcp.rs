//! Edge. The tcp probe: a connection, optionally with a TLS session on it.

use std::time::Duration;

use maglev_core::check::TlsSpec;
use maglev_core::outcome::Code;
use socket2::Socket;

use crate::{Context, Finding, Probe, Probing};

/// Connects, and sets up TLS where wanted.
///
/// Without TLS it does as HAProxy does: the last packet of the handshake is held back and the connection reset instead.
/// The kernel of the backend has answered, which is all that was asked, and its application is not woken by a
/// connection on which nothing comes; nor is a port kept in TIME_WAIT on either side. With TLS the application has done
/// its work and is told goodbye.
pub(crate) struct TcpProbe<'s> {
    pub(crate) port: u16,
    pub(crate) tls: Option<&'s TlsSpec>,
}

impl Probe for TcpProbe<'_> {
    fn probe<'a>(&'a self, context: &'a mut Context<'_>) -> Probing<'a> {
        Box::pin(async move {
            let Some(spec) = self.tls else {
                context.connect_tcp_with(self.port, reset_instead_of_ack).await?;
                return Ok(Finding::new(Code::L4Ok, ""));
            };
            let client = context.prepare_tls(spec, None).await?;
            let stream = context.connect_tcp(self.port).await?;
            context.try_tls(client, stream).await?;
            Ok(Finding::new(Code::L6Ok, ""))
        })
    }
}

fn reset_instead_of_ack(socket: &Socket) -> std::io::Result<()> {
    // Holds the acknowledgement back for up to 200 ms; we close long before.
    socket.set_tcp_quickack(false)?;
    socket.set_linger(Some(Duration::ZERO))
}
