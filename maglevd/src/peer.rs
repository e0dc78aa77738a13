//! Pure. Who is at the other end of a connection, as far as the connection itself tells.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A Unix socket, with the user id the kernel vouches for.
    Unix(Option<u32>),
    /// A TCP connection from an address, in its canonical form: on a dual-stack socket 127.0.0.1 arrives as
    /// `::ffff:127.0.0.1`.
    Tcp(SocketAddr),
}

impl Origin {
    /// That of a TCP connection.
    pub fn tcp(address: SocketAddr) -> Self {
        Origin::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    /// Whether it is on this host, by a way that nobody else can come.
    pub const fn is_local(&self) -> bool {
        match self {
            Origin::Unix(_) => true,
            Origin::Tcp(address) => match address.ip() {
                IpAddr::V4(v4) => v4.is_loopback(),
                IpAddr::V6(v6) => v6.is_loopback(),
            },
        }
    }
}

/// The address with its port, or the user id.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Unix(Some(uid)) => write!(f, "uid {uid}"),
            Origin::Unix(None) => f.write_str("a Unix socket"),
            Origin::Tcp(address) => write!(f, "{address}"),
        }
    }
}

/// What protects a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Nothing, on a listener that has no TLS.
    Plain,
    /// Nothing, on a listener that has TLS.
    PlainInPlaceOfTls,
    /// TLS, with the names in the client's certificate if it showed one. It was verified then.
    Tls(Option<Arc<[String]>>),
}

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where it is.
    pub origin: Origin,
    /// What protects the connection.
    pub security: Security,
}

impl Peer {
    /// The names in its certificate.
    pub fn names(&self) -> &[String] {
        match &self.security {
            Security::Tls(Some(names)) => names,
            Security::Tls(None) | Security::Plain | Security::PlainInPlaceOfTls => &[],
        }
    }
}

/// How it came in, such as "uid 1000 on a Unix socket" or "192.0.2.7 over TLS, certificate alice".
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::Unix(Some(uid)) => write!(f, "uid {uid} on a Unix socket"),
            Origin::Unix(None) => f.write_str("a Unix socket"),
            Origin::Tcp(address) => write!(f, "{}", address.ip()),
        }?;
        match &self.security {
            Security::Plain | Security::PlainInPlaceOfTls => Ok(()),
            Security::Tls(None) => f.write_str(" over TLS"),
            Security::Tls(Some(names)) => {
                write!(f, " over TLS, certificate {}", names.first().map_or("without a name", String::as_str))
            }
        }
    }
}

#[cfg(test)]
mod tests;
