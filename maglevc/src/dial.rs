//! Edge. Connections to maglevd: over TCP, TLS or a Unix socket, with the token that belongs to them.

use std::error::Error as StdError;
use std::io;
use std::os::fd::AsRawFd as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use nix::sys::socket::{MsgFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{Channel, Endpoint, Error};
use tonic::{Request, Status};
use tower::{Service as _, ServiceExt as _, service_fn};

use crate::client::Deadlines;
use crate::server::Server;
use crate::target::Target;
use crate::tls::{Mistrust, files, secure};

type BoxError = Box<dyn StdError + Send + Sync>;

/// The way to a server: what every connection to it is made with.
#[derive(Clone)]
pub(crate) struct Way {
    target: Arc<Target>,
    known: Arc<Known>,
}

/// What is known of the connection that there is.
#[derive(Default)]
struct Known {
    /// The token as it was when the connection was made.
    bearer: Mutex<Option<MetadataValue<Ascii>>>,
    /// The first byte that came without TLS.
    first: Mutex<Option<u8>>,
}

impl Way {
    /// The way to a server.
    pub(crate) fn new(target: Arc<Target>) -> Self {
        Self { target, known: Arc::default() }
    }

    /// Adds the token to each call.
    pub(crate) fn bearer(&self) -> Bearer {
        Bearer(self.known.clone())
    }

    /// Connects. The channel connects anew by itself where a connection ended between two calls.
    ///
    /// # Errors
    /// What [`Way::mistrust`] and the innermost cause tell.
    pub(crate) async fn connect(&self, deadlines: Deadlines) -> Result<Channel, Error> {
        let endpoint = match &self.target.server {
            Server::Tcp { .. } => {
                let authority = self.target.server.to_string();
                let authority = authority.trim_start_matches("https://");
                let origin = if self.target.server.is_secure() { "https" } else { "http" };
                let origin = format!("{origin}://{authority}").parse();
                let endpoint = Endpoint::from_shared(format!("http://{authority}"))?;
                // What is no URI was no address either.
                origin.map_or(endpoint.clone(), |origin| endpoint.origin(origin))
            }
            Server::Unix(_) => Endpoint::from_static("http://localhost"),
        };
        let endpoint = endpoint
            .http2_keep_alive_interval(deadlines.keepalive)
            .keep_alive_timeout(deadlines.keepalive)
            .keep_alive_while_idle(true);
        let way = self.clone();
        let dial = service_fn(move |uri| {
            let way = way.clone();
            async move { way.dial(uri).await.map(TokioIo::new) }
        });
        endpoint.connect_with_connector(dial).await
    }

    /// Why a connection is not trusted, where that is why there is none.
    pub(crate) fn mistrust(&self, error: &(dyn StdError + 'static)) -> Option<Mistrust> {
        /// What TLS answers with to what is no TLS: an alert.
        const ALERT: u8 = 0x15;
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(mistrust) = error.downcast_ref::<Mistrust>() {
                return Some(mistrust.clone());
            }
            cause = error.source();
        }
        let first = *self.known.first.lock().unwrap_or_else(PoisonError::into_inner);
        (first == Some(ALERT)).then(|| {
            Mistrust::new("the server speaks TLS on this port").hint(format!(
                "write https://{}; its CA is named with --tls-ca where the system does not trust it",
                self.target.server
            ))
        })
    }

    /// Makes a connection, with everything that may have changed read anew.
    async fn dial(&self, uri: http::Uri) -> Result<Box<dyn Stream>, BoxError> {
        let stream: Box<dyn Stream> = match &self.target.server {
            Server::Unix(path) => Box::new(UnixStream::connect(path).await?),
            server => {
                let tcp = tcp(uri).await?;
                if server.is_secure() {
                    Box::new(secure(&self.target, tcp).await?)
                } else {
                    self.keep_token_here(&tcp)?;
                    *self.known.first.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    Box::new(Watched { inner: tcp, known: Some(self.known.clone()) })
                }
            }
        };
        let bearer = match self.target.token.clone() {
            Some(token) => Some(tokio::task::spawn_blocking(move || files::token(&token)).await??),
            None => None,
        };
        *self.known.bearer.lock().unwrap_or_else(PoisonError::into_inner) = bearer;
        Ok(stream)
    }

    /// A token goes without TLS only to this machine, also where a name that means it leads elsewhere.
    fn keep_token_here(&self, tcp: &TcpStream) -> Result<(), BoxError> {
        let peer = tcp.peer_addr()?.ip().to_canonical();
        match &self.target.token {
            Some(token) if !peer.is_loopback() => Err(Mistrust::new(format!(
                "the token in {token} is not sent without TLS to {peer}, which is another machine"
            ))
            .into()),
            _ => Ok(()),
        }
    }
}

/// A TCP connection: names are looked up, and all their addresses are tried.
async fn tcp(uri: http::Uri) -> Result<TcpStream, BoxError> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Ok(connector.ready().await?.call(uri).await?.into_inner())
}

/// Adds a token to each call.
#[derive(Clone)]
pub(crate) struct Bearer(Arc<Known>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(bearer) = &*self.0.bearer.lock().unwrap_or_else(PoisonError::into_inner) {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        Ok(request)
    }
}

/// What bytes come and go on.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection whose first byte is kept: it tells a server that expected TLS.
struct Watched {
    inner: TcpStream,
    /// Where to keep it, until it came.
    known: Option<Arc<Known>>,
}

impl Watched {
    fn keep(&mut self, first: u8) {
        if let Some(known) = self.known.take() {
            *known.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
        }
    }

    /// What a server said before it closed the connection, which nobody would read any more.
    fn last_words(&mut self) {
        let mut first = [0];
        if self.known.is_some() && recv(self.inner.as_raw_fd(), &mut first, MsgFlags::MSG_DONTWAIT) == Ok(1) {
            self.keep(first[0]);
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        if let Some(first) = buffer.filled().get(before).copied() {
            self.keep(first);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes));
        if written.is_err() {
            self.last_words();
        }
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
