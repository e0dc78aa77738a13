//! Edge. Whether a probe could be made, found out without sending one.

use std::fmt;

use maglev_core::check::ProbeSpec;

use crate::fault;
use crate::sockets::{OpenError, Purpose, Request};
use crate::{Finding, Prober, Target};

/// A capability of Linux (`capabilities(7)`) that a probe may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// To open raw sockets, as icmp probes do where `net.ipv4.ping_group_range` gives them no other.
    NetRaw,
    /// To enter another network namespace.
    SysAdmin,
}

impl Capability {
    /// Each of them.
    pub const ALL: [Capability; 2] = [Capability::NetRaw, Capability::SysAdmin];

    /// Its name in the manuals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Capability::NetRaw => "CAP_NET_RAW",
            Capability::SysAdmin => "CAP_SYS_ADMIN",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a probe cannot be made. All of these are faults on our side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{sentence}")]
pub struct Obstacle {
    /// The capability that this process would need for it, if it is for want of one.
    pub capability: Option<Capability>,
    /// The reason, for a person.
    pub sentence: String,
}

impl Prober {
    /// Tries whether `target` could be probed, as far as that is up to this host: enters the network namespace, opens the
    /// socket, binds it to the source address, reads the certificate authorities. Nothing is sent. A probe of your own
    /// type is taken for one over TCP.
    ///
    /// The outcome of a probe that cannot be made is `SOCKERR`; this is to learn of it before anything depends on it.
    ///
    /// Dropping the future is safe.
    ///
    /// # Errors
    /// What stands in the way.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn rehearse(&self, target: &Target<'_>) -> Result<(), Obstacle> {
        let (purpose, tls) = match target.spec {
            ProbeSpec::Icmp => (Purpose::Icmp, None),
            ProbeSpec::Tcp { tls, .. } => (Purpose::Tcp, tls.as_ref().map(|tls| (tls, None))),
            ProbeSpec::Http { tls, request, .. } => {
                (Purpose::Tcp, tls.as_ref().map(|tls| (tls, request.host.as_deref())))
            }
            ProbeSpec::Custom(_) => (Purpose::Tcp, None),
        };
        let request = Request { purpose, peer: target.address, source: target.source };
        self.inner.sockets.open(request).await.map_err(Obstacle::from)?;
        if let Some((spec, host)) = tls {
            self.inner.tls.client(spec, host, target.address).await.map_err(Obstacle::from)?;
        }
        Ok(())
    }
}

impl From<OpenError> for Obstacle {
    fn from(error: OpenError) -> Self {
        let capability = match &error {
            OpenError::Ping(source) if fault::is_forbidden(source) => Some(Capability::NetRaw),
            OpenError::Enter { source, .. } if fault::is_forbidden(source) => Some(Capability::SysAdmin),
            _ => None,
        };
        Obstacle { capability, sentence: error.sentence() }
    }
}

impl From<Finding> for Obstacle {
    fn from(finding: Finding) -> Self {
        Obstacle { capability: None, sentence: finding.detail.into_owned() }
    }
}
