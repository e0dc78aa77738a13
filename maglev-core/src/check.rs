//! Pure. What to ask of a backend, how often, and how many answers make a verdict.

mod fingerprint;
mod request;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::fingerprint::{Fingerprint, InvalidFingerprint};
pub use self::request::{is_method, is_request_target, is_target_character};
use crate::names::CheckName;

/// A health check: one way of probing, shared by any number of backends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// Its name.
    pub name: CheckName,
    /// What to ask.
    pub probe: ProbeSpec,
    /// How often to ask and how long to wait.
    pub pace: Pace,
    /// How many answers make a verdict.
    pub thresholds: Thresholds,
    /// Source address of probes to IPv4 backends; the kernel chooses when absent.
    pub source_v4: Option<Ipv4Addr>,
    /// Source address of probes to IPv6 backends; the kernel chooses when absent.
    pub source_v6: Option<Ipv6Addr>,
    /// What a probe counts as that could not be made.
    pub unprobeable: WhenUnprobeable,
}

impl HealthCheck {
    /// Whether an answer to the one is an answer to the other: they may differ in name, pace, thresholds and `unprobeable`.
    pub fn asks_the_same_as(&self, other: &HealthCheck) -> bool {
        self.probe == other.probe && self.source_v4 == other.source_v4 && self.source_v6 == other.source_v6
    }

    /// The source address for probes to `address`.
    pub fn source_for(&self, address: IpAddr) -> Option<IpAddr> {
        match address {
            IpAddr::V4(_) => self.source_v4.map(IpAddr::V4),
            IpAddr::V6(_) => self.source_v6.map(IpAddr::V6),
        }
    }
}

/// What becomes of a backend whose probes cannot be made, for a reason on our side such as a missing route (`SOCKERR`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenUnprobeable {
    /// It keeps the state it has.
    #[default]
    Hold,
    /// Such a probe counts as a failure, and the backend goes down.
    Down,
}

impl WhenUnprobeable {
    /// The word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            WhenUnprobeable::Hold => "hold",
            WhenUnprobeable::Down => "down",
        }
    }
}

/// How often a backend is probed, and how long one probe may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pace {
    /// Between probes of a backend at full health.
    pub interval: Duration,
    /// Between probes while the health is unknown or between up and down.
    pub fast_interval: Duration,
    /// Between probes of a backend that is fully down.
    pub down_interval: Duration,
    /// For the whole probe, from the first packet to the last byte.
    pub timeout: Duration,
}

/// How many probes in a row change a verdict. Both are at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Thresholds {
    /// Passes until a backend that is fully down is up.
    pub rise: u16,
    /// Failures until a backend at full health is down.
    pub fall: u16,
}

/// What a probe asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbeSpec {
    /// An ICMP or ICMPv6 echo.
    Icmp,
    /// A TCP connection, optionally with a TLS session on it.
    Tcp {
        /// Destination port.
        port: u16,
        /// Set up a TLS session too.
        tls: Option<TlsSpec>,
    },
    /// An HTTP/1.1 request, over TLS for https.
    Http {
        /// Destination port.
        port: u16,
        /// Set for https.
        tls: Option<TlsSpec>,
        /// The request and what makes its answer good.
        request: HttpSpec,
    },
    /// A probe type that the embedder registered.
    Custom(CustomSpec),
}

impl ProbeSpec {
    /// The type as the configuration and the metrics name it: `icmp`, `tcp`, `http`, `https` or the embedder's own.
    pub fn kind(&self) -> &str {
        match self {
            ProbeSpec::Icmp => "icmp",
            ProbeSpec::Tcp { .. } => "tcp",
            ProbeSpec::Http { tls: None, .. } => "http",
            ProbeSpec::Http { tls: Some(_), .. } => "https",
            ProbeSpec::Custom(custom) => &custom.kind,
        }
    }

    /// The destination port, where the probe has one.
    pub fn port(&self) -> Option<u16> {
        match self {
            ProbeSpec::Icmp => None,
            ProbeSpec::Tcp { port, .. } | ProbeSpec::Http { port, .. } => Some(*port),
            ProbeSpec::Custom(custom) => custom.port,
        }
    }
}

/// A probe of a type that is not built in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CustomSpec {
    /// The registered type.
    pub kind: String,
    /// Destination port, if the configuration has one.
    pub port: Option<u16>,
    /// The scalars under `params`, as written.
    pub params: BTreeMap<String, String>,
}

/// How to set up TLS to a backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsSpec {
    /// The name sent (SNI) and verified. Absent: the Host header's name for https, else the backend's address, which
    /// is verified but, as RFC 6066 has it, not sent.
    pub server_name: Option<String>,
    /// Whether the certificate must be valid for the name. When false any certificate is taken.
    pub verify: bool,
    /// PEM file with the certificate authorities to trust; absent: those of the system.
    pub ca_file: Option<PathBuf>,
    /// The certificate to show to servers that ask for one; absent: none is shown.
    pub client: Option<ClientCertificate>,
}

/// A certificate to show to servers, and its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ClientCertificate {
    /// PEM file with the certificate, and after it those between it and its authority.
    pub certificate: PathBuf,
    /// PEM file with its key, without a passphrase.
    pub key: PathBuf,
}

/// An HTTP request and what makes its answer good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpSpec {
    /// The request target in origin form, beginning with `/`.
    pub path: String,
    /// The Host header; absent: the backend's address, with the port if it is not the scheme's own.
    pub host: Option<String>,
    /// The method, a token in capital letters.
    pub method: String,
    /// The status codes that are good.
    pub status: StatusSet,
    /// What must be found in the first 64 KiB of the body.
    pub body: Option<BodyPattern>,
}

/// A set of HTTP status codes, written `200`, `200-204` or `200-204,301`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StatusSet(Vec<(u16, u16)>);

impl StatusSet {
    /// Whether `status` is in the set.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&status))
    }

    /// Each status code of the set, as often as it is written.
    pub fn codes(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().flat_map(|&(first, last)| first..=last)
    }
}

/// `200-399`, what the checks of HAProxy and Kubernetes take as well.
impl Default for StatusSet {
    fn default() -> Self {
        StatusSet(vec![(200, 399)])
    }
}

/// The text is not a set of status codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStatusSet {
    /// A part is neither a number nor a range of two.
    #[error("{0:?} is neither a status code (200) nor a range (200-204)")]
    Syntax(String),
    /// A code that no HTTP response can have.
    #[error("status codes are from 100 to 599, not {0}")]
    OutOfRange(u16),
    /// A range whose end is before its start.
    #[error("the range {0}-{1} ends before it starts")]
    Reversed(u16, u16),
}

impl FromStr for StatusSet {
    type Err = InvalidStatusSet;

    fn from_str(text: &str) -> Result<Self, InvalidStatusSet> {
        text.split(',')
            .map(|part| {
                let part = part.trim();
                let code = |s: &str| {
                    let n: u16 = s.trim().parse().map_err(|_| InvalidStatusSet::Syntax(part.to_owned()))?;
                    if (100..=599).contains(&n) { Ok(n) } else { Err(InvalidStatusSet::OutOfRange(n)) }
                };
                let (first, last) = match part.split_once('-') {
                    Some((first, last)) => (code(first)?, code(last)?),
                    None => (code(part)?, code(part)?),
                };
                if first > last { Err(InvalidStatusSet::Reversed(first, last)) } else { Ok((first, last)) }
            })
            .collect::<Result<_, _>>()
            .map(StatusSet)
    }
}

impl TryFrom<String> for StatusSet {
    type Error = InvalidStatusSet;

    fn try_from(text: String) -> Result<Self, InvalidStatusSet> {
        text.parse()
    }
}

impl From<StatusSet> for String {
    fn from(set: StatusSet) -> String {
        set.to_string()
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, &(first, last)) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            if first == last { write!(f, "{first}")? } else { write!(f, "{first}-{last}")? }
        }
        Ok(())
    }
}

/// A regular expression over bytes, in the syntax of the `regex` crate (RE2's, without look-around). It is matched
/// anywhere in the body, in time linear in its length.
#[derive(Clone, Debug, Serialize)]
#[serde(into = "String")]
pub struct BodyPattern(regex::bytes::Regex);

/// The most memory a compiled pattern may take, so that a config cannot ask for gigabytes with `(a{999}){999}`.
const PATTERN_SIZE_LIMIT: usize = 1 << 20;

impl BodyPattern {
    /// Whether the pattern is found in `body`.
    pub fn is_match(&self, body: &[u8]) -> bool {
        self.0.is_match(body)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for BodyPattern {
    type Err = regex::Error;

    fn from_str(text: &str) -> Result<Self, regex::Error> {
        regex::bytes::RegexBuilder::new(text).size_limit(PATTERN_SIZE_LIMIT).build().map(BodyPattern)
    }
}

impl From<BodyPattern> for String {
    fn from(pattern: BodyPattern) -> String {
        pattern.as_str().to_owned()
    }
}

impl PartialEq for BodyPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for BodyPattern {}

impl fmt::Display for BodyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
