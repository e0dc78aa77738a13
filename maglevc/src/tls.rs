//! Edge. TLS to maglevd: whom to believe, what to show, and a handshake after which nothing is left open.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};
use tokio::io::AsyncBufReadExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) mod files;
mod words;

use crate::server::Server;
use crate::target::Target;

/// Why there is no connection that can be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Mistrust {
    /// What is wrong, after "cannot connect to …:".
    pub(crate) reason: String,
    /// What to do about it, where there is something.
    pub(crate) hint: Option<String>,
}

impl Mistrust {
    /// What is wrong, where that says what to do.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None }
    }

    /// With what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Speaks TLS on a connection. All files are read for it, so that renewed ones count.
///
/// # Errors
/// [`Mistrust`] in words that say which file, which name or which certificate.
pub(crate) async fn secure(target: &Arc<Target>, tcp: TcpStream) -> Result<TlsStream<TcpStream>, Mistrust> {
    let name = name(target)?;
    let reading = target.clone();
    // On a thread of its own: what is named may be a pipe that nobody writes to.
    let (config, asked) = tokio::task::spawn_blocking(move || config(&reading))
        .await
        .map_err(|error| Mistrust::new(format!("cannot read files: {error}")))??;
    let wrong = |error: &io::Error| words::mistrust(error, target, asked.was());
    let mut stream = TlsConnector::from(config).connect(name, tcp).await.map_err(|error| wrong(&error))?;
    if asked.was() {
        hear(&mut stream).await.map_err(|error| wrong(&error))?;
    }
    Ok(stream)
}

/// Waits for the first that the server says. With TLS 1.3 a handshake is complete for the client before the server has
/// seen its certificate, and a refusal comes as the first answer. If we spoke first, the system could throw it away.
async fn hear(stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
    /// A server of HTTP/2 speaks first and at once; one that wants to be spoken to is not waited for longer.
    const PATIENCE: Duration = Duration::from_millis(500);
    match tokio::time::timeout(PATIENCE, stream.fill_buf()).await {
        Ok(Ok([])) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(Err(error)) => Err(error),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

/// The name that the server's certificate has to be for.
fn name(target: &Target) -> Result<ServerName<'static>, Mistrust> {
    let name = match (&target.server_name, &target.server) {
        (Some(name), _) => name.clone(),
        (None, Server::Tcp { host, .. }) => host.clone(),
        (None, Server::Unix(path)) => path.clone(),
    };
    ServerName::try_from(name.clone()).map_err(|_| {
        Mistrust::new(format!("{name} can be in no certificate"))
            .hint("name the server as its certificate does with --tls-server-name")
    })
}

/// What a session needs, and whether the server asked for a certificate in it.
fn config(target: &Target) -> Result<(Arc<ClientConfig>, Asked), Mistrust> {
    // Given to rustls explicitly: its idea of a default is for the whole process.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = files::roots(target.ca.as_ref())?;
    let key = match &target.identity {
        Some((cert, key)) => Some(Arc::new(files::identity(cert, key, &provider)?)),
        None => None,
    };
    let asked = Asked::default();
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Mistrust::new(error.to_string()))?
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Shows { key, asked: asked.clone() }));
    config.alpn_protocols = vec![b"h2".to_vec()];
    // Each session is the only one of its kind.
    config.resumption = Resumption::disabled();
    Ok((Arc::new(config), asked))
}

/// Whether a server asked for a certificate.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<AtomicBool>);

impl Asked {
    fn was(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Shows a certificate to a server that asks for one.
struct Shows {
    key: Option<Arc<CertifiedKey>>,
    asked: Asked,
}

impl fmt::Debug for Shows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shows").finish_non_exhaustive()
    }
}

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.0.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    /// Yes, so that we hear of it when the server asks.
    fn has_certs(&self) -> bool {
        true
    }
}
