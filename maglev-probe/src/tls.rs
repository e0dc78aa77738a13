//! Edge. TLS to a backend: which name to verify, whom to trust, what went wrong.

mod reader;
mod trust;
mod unverified;
mod words;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use maglev_core::check::TlsSpec;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use self::trust::{Trust, TrustStore};
pub(crate) use self::words::{cause, words};
use crate::Finding;
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
        let config = self.trust.config(trust).await.map_err(|why| Finding::local(why.sentence()))?;
        Ok(TlsClient { connector: config.into(), name })
    }
}

/// All that is needed to set up one TLS session, made by [`Context::prepare_tls`](crate::Context::prepare_tls).
pub struct TlsClient {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl TlsClient {
    pub(crate) async fn connect(self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name, stream).await
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
