//! Pure. What packets are addressed to: protocols, VIPs, encapsulations.
//!
//! Everything here sorts the same way everywhere: IPv4 before IPv6, then numerically, so that two runs over the same
//! input do things in the same order.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// The family of an address. An IPv4-mapped IPv6 address is IPv6.
    pub const fn of(address: IpAddr) -> Family {
        match address {
            IpAddr::V4(_) => Family::Ipv4,
            IpAddr::V6(_) => Family::Ipv6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Family::Ipv4 => "IPv4",
            Family::Ipv6 => "IPv6",
        })
    }
}

/// A transport protocol a VIP can be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, IP protocol 6.
    Tcp,
    /// UDP, IP protocol 17.
    Udp,
}

impl Protocol {
    /// The number in the IP header, as IANA assigned it.
    pub const fn number(self) -> u8 {
        match self {
            Protocol::Tcp => 6,
            Protocol::Udp => 17,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        })
    }
}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(text: &str) -> Result<Self, UnknownProtocol> {
        match text {
            "tcp" => Ok(Protocol::Tcp),
            "udp" => Ok(Protocol::Udp),
            _ => Err(UnknownProtocol),
        }
    }
}

/// The text names neither `tcp` nor `udp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a protocol is tcp or udp")]
pub struct UnknownProtocol;

/// Which packets to its prefix a VIP takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Every protocol and port.
    All,
    /// One port of one protocol; the port is never 0.
    Port(Protocol, u16),
}

/// The key of a virtual IP in VPP's `lb` plugin: no two VIPs share all three of prefix, protocol and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Vip {
    /// The addresses served, host bits zero.
    pub prefix: IpNet,
    /// The packets taken among those sent to them.
    pub service: Service,
}

/// `203.0.113.1/32 tcp 80` or `2001:db8::/64 all ports`.
impl fmt::Display for Vip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.service {
            Service::All => write!(f, "{} all ports", self.prefix),
            Service::Port(protocol, port) => write!(f, "{} {protocol} {port}", self.prefix),
        }
    }
}

/// How VPP carries packets to the servers of a VIP. It follows the servers' family, whatever the VIP's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encap {
    /// GRE over IPv4.
    Gre4,
    /// GRE over IPv6.
    Gre6,
}

impl Encap {
    /// The encapsulation that reaches servers of a family.
    pub const fn for_family(family: Family) -> Encap {
        match family {
            Family::Ipv4 => Encap::Gre4,
            Family::Ipv6 => Encap::Gre6,
        }
    }
}

impl fmt::Display for Encap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Encap::Gre4 => "gre4",
            Encap::Gre6 => "gre6",
        })
    }
}

#[cfg(test)]
mod tests;
