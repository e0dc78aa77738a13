//! Edge. The http and https probes: one request on a connection of our own, and as much of the answer as it takes.

mod body;
mod failure;
mod request;
mod wire;

use std::pin::{Pin, pin};
use std::task::Poll;

use http::header::LOCATION;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection};
use hyper_util::rt::TokioIo;
use maglev_core::check::{HttpSpec, TlsSpec};
use maglev_core::outcome::Code;
use tokio::io::{AsyncRead, AsyncWrite};

use self::failure::failure;
use self::wire::Wire;
use crate::context::part;
use crate::text::Quoted;
use crate::{Context, Finding, Probe, Probing};

/// The most bytes of status line and header, and with it of memory for them.
const MAX_HEAD: usize = 64 * 1024;

/// The most header fields.
const MAX_FIELDS: usize = 100;

/// Asks once and looks at the answer. Redirects are answers like any other.
pub(crate) struct HttpProbe<'s> {
    pub(crate) port: u16,
    pub(crate) tls: Option<&'s TlsSpec>,
    pub(crate) request: &'s HttpSpec,
}

impl Probe for HttpProbe<'_> {
    fn probe<'a>(&'a self, context: &'a mut Context<'_>) -> Probing<'a> {
        Box::pin(async move {
            let address = context.target().address;
            let secure = self.tls.is_some();
            let request = request::build(self.request, address, self.port, secure, context.user_agent())?;
            let Some(spec) = self.tls else {
                let stream = context.connect_tcp(self.port).await?;
                return exchange(context, stream, request, self.request).await;
            };
            let client = context.prepare_tls(spec, self.request.host.as_deref()).await?;
            let stream = context.connect_tcp(self.port).await?;
            let stream = context.start_tls(client, stream).await?;
            exchange(context, stream, request, self.request).await
        })
    }
}

/// Sends `request` and judges the answer, then takes leave.
async fn exchange<S>(
    context: &mut Context<'_>,
    stream: S,
    request: Request<Empty<Bytes>>,
    wanted: &HttpSpec,
) -> Result<Finding, Finding>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    context.asking();
    context.waiting_for(Code::L7Tout, "no complete answer");
    let (mut sender, connection) = Builder::new()
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        // Some servers of appliances only know `Host` by its capital.
        .title_case_headers(true)
        .handshake(TokioIo::new(Wire::new(stream)))
        .await
        .map_err(|error| failure(&error))?;
    let mut driver = Driver { connection, done: false };
    let result = match driver.with(sender.send_request(request)).await {
        Ok(response) => judge(context, &mut driver, response, wanted).await,
        Err(error) => Err(failure(&error)),
    };
    part(driver.connection.into_parts().io.into_inner().into_inner()).await;
    result
}

/// Whether the answer is the one wanted.
async fn judge<S>(
    context: &mut Context<'_>,
    driver: &mut Driver<S>,
    response: Response<Incoming>,
    wanted: &HttpSpec,
) -> Result<Finding, Finding>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let status = response.status();
    let got = format!("got status {}", status.as_u16());
    if !wanted.status.contains(status.as_u16()) {
        let target = response.headers().get(LOCATION).filter(|_| status.is_redirection());
        let target = target.map(|to| format!(" (a redirect to {})", Quoted(to.as_bytes())));
        let target = target.unwrap_or_default();
        return Err(Finding::new(Code::L7Sts, format!("{got}{target}, wanted {}", wanted.status)));
    }
    let Some(pattern) = &wanted.body else { return Ok(Finding::new(Code::L7Ok, got)) };
    context.waiting_for(Code::L7Tout, format!("{got}, nothing that matches in the body"));
    body::search(driver, response.into_body(), pattern, &got).await
}

/// A connection and whether it has come to its end. It makes progress only while something is awaited through it, so a
/// probe is one task and dropping it closes the connection.
struct Driver<S: AsyncRead + AsyncWrite + Unpin> {
    connection: Connection<TokioIo<Wire<S>>, Empty<Bytes>>,
    done: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Awaits `future` and keeps the connection going meanwhile.
    async fn with<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        std::future::poll_fn(|cx| {
            // Errors of the connection reach whoever waits for the answer or the body.
            if !self.done && Pin::new(&mut self.connection).poll_without_shutdown(cx).is_ready() {
                self.done = true;
            }
            match future.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(output),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}
