//! Pure. Where a server listens, as operators write it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The port of maglevd where none is given.
const DEFAULT_PORT: u16 = 9090;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// A host, by name or address, and a port.
    Tcp {
        /// A name, an IPv4 address, or an IPv6 address without brackets.
        host: String,
        /// The port.
        port: u16,
        /// Whether it is spoken to over TLS; `None` while that is open.
        tls: Option<bool>,
    },
    /// A Unix socket.
    Unix(String),
}

/// Why an address of a server could not be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no address of a server: {}", Self::ADVICE)]
pub(crate) struct NotAServer {
    text: String,
}

impl NotAServer {
    /// What to write instead.
    pub(crate) const ADVICE: &str =
        "write host:port, [v6]:port, :port or unix:/path, with https:// before a host for TLS";
}

impl FromStr for Server {
    type Err = NotAServer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotAServer { text: text.to_owned() };
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(wrong()) } else { Ok(Self::Unix(path.to_owned())) };
        }
        let (tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (Some(true), rest),
            (_, Some(rest)) => (Some(false), rest),
            _ => (None, text),
        };
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or_else(wrong)?;
                address.parse::<Ipv6Addr>().map_err(|_| wrong())?;
                (
                    address,
                    if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(wrong)?) },
                )
            }
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let port = port.map_or(Ok(DEFAULT_PORT), |port| port.parse().map_err(|_| wrong()))?;
        let host = if host.is_empty() && rest.starts_with(':') { "localhost" } else { host };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(plain) || port == 0 {
            return Err(wrong());
        }
        Ok(Self::Tcp { host: host.to_owned(), port, tls })
    }
}

impl Server {
    /// Whether it is on this machine: a Unix socket, a loopback address, or the name that stands for one.
    pub(crate) fn is_here(&self) -> bool {
        match self {
            Self::Tcp { host, .. } => {
                host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
            }
            Self::Unix(_) => true,
        }
    }

    /// Whether it is spoken to over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        matches!(self, Self::Tcp { tls: Some(true), .. })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_secure() {
            f.write_str("https://")?;
        }
        match self {
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

#[cfg(test)]
mod tests;
