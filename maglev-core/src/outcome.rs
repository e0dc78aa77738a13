//! Pure. What one probe found out: the vocabulary between whoever sends probes and the health machine.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one probe says about a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The backend answered as it should.
    Pass,
    /// The backend did not answer as it should.
    Fail,
    /// The probe could not be made or not be timed, for a reason on our side (no file descriptor left, no such network namespace, no
    /// route, a source address that is not ours, a process that did not run). It says nothing about the backend, so it must not move its health.
    Inconclusive,
}

/// How far a probe got: HAProxy's check status codes, which operators can read in their sleep.
///
/// The digit is the layer (4 the connection, 6 TLS, 7 the request), the rest what happened there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Code {
    /// `L4OK`: the connection was made (or the echo came back), and no more was asked.
    L4Ok,
    /// `L4TOUT`: no connection, or no echo, in time.
    L4Tout,
    /// `L4CON`: the connection was refused, reset or unreachable.
    L4Con,
    /// `L6OK`: the TLS session was set up, and no more was asked.
    L6Ok,
    /// `L6TOUT`: the TLS session was not set up in time.
    L6Tout,
    /// `L6RSP`: the TLS session failed: a bad certificate, an alert, something that is not TLS.
    L6Rsp,
    /// `L7OK`: the answer was the one wanted.
    L7Ok,
    /// `L7TOUT`: no complete answer in time.
    L7Tout,
    /// `L7RSP`: the answer was not valid, or its content not what was wanted.
    L7Rsp,
    /// `L7STS`: the answer had a status that was not wanted.
    L7Sts,
    /// `SOCKERR`: the probe could not be made, for a reason on our side.
    SockErr,
    /// `STALLED`: our process did not run for so much of the probe that its failure says nothing. HAProxy has no such code.
    Stalled,
}

impl Code {
    /// Every code, in the order of the enum.
    pub const ALL: [Code; 12] = [
        Code::L4Ok,
        Code::L4Tout,
        Code::L4Con,
        Code::L6Ok,
        Code::L6Tout,
        Code::L6Rsp,
        Code::L7Ok,
        Code::L7Tout,
        Code::L7Rsp,
        Code::L7Sts,
        Code::SockErr,
        Code::Stalled,
    ];

    /// The code as HAProxy writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::L4Ok => "L4OK",
            Code::L4Tout => "L4TOUT",
            Code::L4Con => "L4CON",
            Code::L6Ok => "L6OK",
            Code::L6Tout => "L6TOUT",
            Code::L6Rsp => "L6RSP",
            Code::L7Ok => "L7OK",
            Code::L7Tout => "L7TOUT",
            Code::L7Rsp => "L7RSP",
            Code::L7Sts => "L7STS",
            Code::SockErr => "SOCKERR",
            Code::Stalled => "STALLED",
        }
    }

    /// What the code says about the backend.
    pub const fn verdict(self) -> Verdict {
        match self {
            Code::L4Ok | Code::L6Ok | Code::L7Ok => Verdict::Pass,
            Code::L4Tout
            | Code::L4Con
            | Code::L6Tout
            | Code::L6Rsp
            | Code::L7Tout
            | Code::L7Rsp
            | Code::L7Sts => Verdict::Fail,
            Code::SockErr | Code::Stalled => Verdict::Inconclusive,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How long each phase of a probe took. A phase that was not reached is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// From the start to an established connection (or to the echo reply).
    pub connect: Option<Duration>,
    /// From the connection to an established TLS session.
    pub tls: Option<Duration>,
    /// From the request to the last byte looked at of the answer.
    pub response: Option<Duration>,
    /// From the start to the outcome.
    pub total: Duration,
}

/// What one probe found out. A refused connection is an outcome, not an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How far it got, which also is its verdict.
    pub code: Code,
    /// One sentence for a person, without a full stop: "connected to 192.0.2.11:80 in 0.4 ms, got status 503, wanted
    /// 200-204".
    pub detail: String,
    /// How long it took.
    pub timings: Timings,
}

impl Outcome {
    /// What the probe says about the backend.
    pub const fn verdict(&self) -> Verdict {
        self.code.verdict()
    }
}

#[cfg(test)]
mod tests;
