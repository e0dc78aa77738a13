//! Pure. What a verdict is an answer to, in eight bytes.

use std::fmt;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::check::{ClientCertificate, HealthCheck, HttpSpec, ProbeSpec, TlsSpec};

/// A hash of everything that a verdict depends on: who is asked, from where, what, and how many answers make a verdict.
/// How often it is asked, how long an answer may take and what the check is called do not count.
///
/// It is the XXH64 with seed 0 of a text of lines `name=value`, in a fixed order, where a value is written as Rust writes
/// a string literal, and what is absent has no line. So it is the same on every machine, and a later version of this crate
/// that asks something more has another one, which is what it should have.
///
/// ```
/// use maglev_core::check::Fingerprint;
///
/// let fingerprint: Fingerprint = "00000000000000ff".parse().unwrap();
/// assert_eq!(fingerprint.to_string(), "00000000000000ff");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(u64);

/// The text is not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has sixteen hexadecimal digits")]
pub struct InvalidFingerprint;

impl Fingerprint {
    /// What is asked of `address` from the network namespace `netns` (our own where absent) by `check`.
    pub fn of(address: IpAddr, netns: Option<&str>, check: &HealthCheck) -> Self {
        Fingerprint(XxHash64::oneshot(0, question(address, netns, check).as_bytes()))
    }
}

/// The text that is hashed.
fn question(address: IpAddr, netns: Option<&str>, check: &HealthCheck) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: Option<&dyn fmt::Display>| {
        if let Some(value) = value {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}={:?}", value.to_string());
        }
    };
    let source = check.source_for(address);
    line("address", Some(&address));
    line("netns", netns.as_ref().map(|netns| netns as &dyn fmt::Display));
    line("source", source.as_ref().map(|source| source as &dyn fmt::Display));
    line("rise", Some(&check.thresholds.rise));
    line("fall", Some(&check.thresholds.fall));
    line("type", Some(&check.probe.kind()));
    let port = check.probe.port();
    line("port", port.as_ref().map(|port| port as &dyn fmt::Display));
    let mut session = |tls: &TlsSpec| {
        let file = tls.ca_file.as_ref().map(|file| file.display().to_string());
        line("tls-server-name", tls.server_name.as_ref().map(|name| name as &dyn fmt::Display));
        line("tls-verify", Some(&tls.verify));
        line("tls-ca-file", file.as_ref().map(|file| file as &dyn fmt::Display));
        if let Some(ClientCertificate { certificate, key }) = &tls.client {
            line("tls-client-cert", Some(&certificate.display()));
            line("tls-client-key", Some(&key.display()));
        }
    };
    match &check.probe {
        ProbeSpec::Icmp => {}
        ProbeSpec::Tcp { tls, .. } => tls.iter().for_each(&mut session),
        ProbeSpec::Http { tls, request, .. } => {
            tls.iter().for_each(&mut session);
            let HttpSpec { path, host, method, status, body } = request;
            line("http-path", Some(path));
            line("http-host", host.as_ref().map(|host| host as &dyn fmt::Display));
            line("http-method", Some(method));
            line("http-status", Some(status));
            line("http-body", body.as_ref().map(|body| body as &dyn fmt::Display));
        }
        ProbeSpec::Custom(custom) => {
            custom.params.iter().for_each(|(name, value)| line(&format!("custom-{name:?}"), Some(value)));
        }
    }
    text
}

/// Sixteen hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidFingerprint);
        }
        u64::from_str_radix(text, 16).map(Fingerprint).map_err(|_| InvalidFingerprint)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = InvalidFingerprint;

    fn try_from(text: String) -> Result<Self, InvalidFingerprint> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.to_string()
    }
}

#[cfg(test)]
mod tests;
