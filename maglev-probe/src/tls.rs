//! Edge. TLS to a backend: which name to verify, whom to trust, what went wrong.

mod client_auth;
mod load;
mod reader;
mod trust;
mod unverified;
mod verified;
mod words;

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use maglev_core::check::TlsSpec;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use self::client_auth::ClientAuth;
use self::load::{Session, Trust};
use self::trust::TrustStore;
pub(crate) use self::words::{cause, words};
use crate::Finding;
use crate::context::part;
use crate::text::Quoted;

#[cfg(test)]
mod tests;

/// Makes [`TlsClient`]s that share what can be shared.
pub(crate) struct Clients {
    provider: Arc<CryptoProvider>,
    trust: TrustStore,
}

impl Clients {
    pub(crate) fn new() -> Self {
        // Given to rustls explicitly: its idea of a default is for the whole process, and that is not ours to set.
        let provider = Arc::new(aws_lc_rs::default_provider());
        Clients { trust: TrustStore::new(provider.clone()), provider }
    }

    pub(crate) fn reload(&self) {
        self.trust.reload();
    }

    pub(crate) fn provider(&self) -> &CryptoProvider {
        &self.provider
    }

    /// What is needed for sessions as `spec` says with the backend at `address`.
    pub(crate) async fn client(
        &self,
        spec: &TlsSpec,
        host: Option<&str>,
        address: IpAddr,
    ) -> Result<TlsClient, Finding> {
        let name = name(spec, host, address)?;
        let trust = match (spec.verify, &spec.ca_file) {
            (false, _) => Trust::Anyone,
            (true, None) => Trust::System,
            (true, Some(path)) => Trust::File(path.clone()),
        };
        let session = Session { trust, client: spec.client.clone() };
        let config = self.trust.config(session).await.map_err(|why| Finding::local(why.sentence()))?;
        // A copy with something of its own for this session. What is large in it is shared.
        let auth = ClientAuth::new(Arc::clone(&config.client_auth_cert_resolver));
        let mut config = ClientConfig::clone(&config);
        config.client_auth_cert_resolver = Arc::<ClientAuth>::clone(&auth);
        Ok(TlsClient { connector: Arc::new(config).into(), name, auth })
    }
}

/// A file that a check names and that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct TlsFileError {
    /// The parameter that names it: `ca-file`, `client-cert` or `client-key`.
    pub param: &'static str,
    /// The file.
    pub file: PathBuf,
    /// Why it cannot be used, with the name of the file.
    pub reason: String,
}

/// Reads the files that `spec` names, as a probe would. Blocks while it does.
///
/// # Errors
/// The first file that cannot be used.
pub fn check_tls_files(spec: &TlsSpec) -> Result<(), TlsFileError> {
    let authorities = spec.ca_file.as_ref().filter(|_| spec.verify);
    // The authorities of the system are no file of the configuration.
    let trust = authorities.map_or(Trust::Anyone, |path| Trust::File(path.clone()));
    let session = Session { trust, client: spec.client.clone() };
    match session.load(&Arc::new(aws_lc_rs::default_provider())) {
        Ok(_) => Ok(()),
        Err(error) => match error.file() {
            Some((param, file)) => {
                Err(TlsFileError { param, file: file.to_owned(), reason: error.sentence() })
            }
            None => Ok(()),
        },
    }
}

/// All that is needed to set up one TLS session, made by [`Context::prepare_tls`](crate::Context::prepare_tls).
pub struct TlsClient {
    connector: TlsConnector,
    name: ServerName<'static>,
    auth: Arc<ClientAuth>,
}

impl TlsClient {
    /// Makes a session on `stream`.
    ///
    /// # Errors
    /// Why there is none, as a part of a sentence.
    pub(crate) async fn connect(self, stream: TcpStream) -> Result<TlsSession, String> {
        match self.connector.connect(self.name, stream).await {
            Ok(stream) => Ok(TlsSession { stream, auth: self.auth }),
            Err(error) if self.auth.was_requested() && is_handshake_failure(&error) => {
                Err(format!("{}: it wants a certificate of the client", words(&error)))
            }
            Err(error) => Err(words(&error)),
        }
    }
}

/// What a TLS 1.2 server reports when it wants a certificate of the client and is shown none.
fn is_handshake_failure(error: &io::Error) -> bool {
    matches!(cause(error), Some(rustls::Error::AlertReceived(AlertDescription::HandshakeFailure)))
}

/// A TLS session that is set up as far as the client can tell.
pub(crate) struct TlsSession {
    pub(crate) stream: TlsStream<TcpStream>,
    auth: Arc<ClientAuth>,
}

impl TlsSession {
    /// Ends the session, and waits until the server has accepted it, for at most `patience`.
    ///
    /// A TLS 1.3 client has finished its handshake before the server has looked at the client's certificate, so that a
    /// server that wants another, or any, says so afterwards. Only where a certificate was asked for is there anything to
    /// wait for: a session ticket, the end of the session or data. A server that does none of these within `patience` has
    /// not objected.
    ///
    /// # Errors
    /// Why the server refused the session, as a part of a sentence.
    pub(crate) async fn close(mut self, patience: Duration) -> Result<(), String> {
        let tls13 = self.stream.get_ref().1.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        let stream = &mut self.stream;
        let mut scratch = [0; 512];
        let verdict = std::future::poll_fn(|cx| {
            let _ = Pin::new(&mut *stream).poll_shutdown(cx);
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Err(error)) if matches!(cause(&error), Some(rustls::Error::AlertReceived(_))) => {
                    Poll::Ready(Err(words(&error)))
                }
                Poll::Ready(_) => Poll::Ready(Ok(())),
                Poll::Pending if stream.get_ref().1.tls13_tickets_received() > 0 => Poll::Ready(Ok(())),
                Poll::Pending => Poll::Pending,
            }
        });
        let verdict = if tls13 && self.auth.was_requested() {
            tokio::time::timeout(patience, verdict).await.unwrap_or(Ok(()))
        } else {
            Ok(())
        };
        part(self.stream).await;
        verdict
    }
}

/// The name to send and to verify: that of `spec`, else that of the Host header, else the address. rustls verifies
/// addresses but, as RFC 6066 has it, does not send them.
fn name(spec: &TlsSpec, host: Option<&str>, address: IpAddr) -> Result<ServerName<'static>, Finding> {
    let address = || ServerName::IpAddress(address.into());
    match (&spec.server_name, host) {
        (Some(name), _) => ServerName::try_from(name.clone()).map_err(|_| invalid("server name", name)),
        (None, Some(host)) => match ServerName::try_from(without_port(host).to_owned()) {
            Ok(name) => Ok(name),
            // Any text may be in a Host header, and where nothing is verified nothing hangs on it.
            Err(_) if !spec.verify => Ok(address()),
            Err(_) => Err(invalid("host", host)),
        },
        (None, None) => Ok(address()),
    }
}

fn invalid(what: &str, name: &str) -> Finding {
    Finding::local(format!(
        "the {what} {} can be in no certificate: set a server name that is a DNS name or an address",
        Quoted(name.as_bytes())
    ))
}

/// The host of a Host header: `example.org:8080`, `192.0.2.1`, `[2001:db8::1]:443`.
fn without_port(host: &str) -> &str {
    if let Some((v6, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return v6;
    }
    match host.split_once(':') {
        // An IPv6 address without brackets is wrong in a header, and still clear.
        Some((name, port)) if !port.contains(':') => name,
        Some(_) | None => host,
    }
}
