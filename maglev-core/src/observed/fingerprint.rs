//! Pure. Whether two machines have the same table, in six bytes.

use std::fmt;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::desired::DesiredVip;
use crate::net::Vip;
use crate::observed::{Encapsulation, VipState};

/// A hash of all that decides which server VPP sends a new flow to: VIP, encapsulation, stickiness, the length of the
/// table of new flows, and each server that has entries in it, with its weight.
///
/// Two instances of VPP with the same fingerprint of a VIP send the same new flow to the same server. Names, pools, servers
/// of weight 0, VPP's source addresses and the table of established flows do not count.
///
/// It is the upper 48 bits of the XXH64 with seed 0 of these lines of text, each of which ends in a line feed:
///
/// ```text
/// vip 203.0.113.1/32 tcp 80
/// encap gre4
/// src-ip-sticky false
/// length 4096
/// server 192.0.2.10 2
/// server 192.0.2.11 1
/// ```
///
/// The service is the protocol and the port, or `all ports`. Servers come in numeric order, IPv4 first; addresses are
/// written as RFC 5952 has them. With 48 bits it is exact as a floating-point number too, which is what Prometheus has.
///
/// ```
/// use maglev_core::observed::TableFingerprint;
///
/// let fingerprint: TableFingerprint = "0000000000ff".parse().unwrap();
/// assert_eq!((fingerprint.get(), fingerprint.to_string().as_str()), (255, "0000000000ff"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TableFingerprint(u64);

/// The text is not the fingerprint of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fingerprint of a table has twelve hexadecimal digits")]
pub struct InvalidTableFingerprint;

impl TableFingerprint {
    /// The fingerprint of several tables, in whatever order: that of a text with a line for each, which has its twelve
    /// digits, in ascending order.
    pub fn of_all(tables: impl IntoIterator<Item = TableFingerprint>) -> Self {
        let mut tables: Vec<TableFingerprint> = tables.into_iter().collect();
        tables.sort_unstable();
        TableFingerprint::of_text(&tables.iter().map(|table| format!("{table}\n")).collect::<String>())
    }

    /// The fingerprint as a number below 2^48.
    pub const fn get(self) -> u64 {
        self.0
    }

    fn of(
        vip: &Vip,
        encap: Encapsulation,
        src_ip_sticky: bool,
        table_length: u32,
        servers: impl Iterator<Item = (IpAddr, u8)>,
    ) -> Self {
        let mut text =
            format!("vip {vip}\nencap {encap}\nsrc-ip-sticky {src_ip_sticky}\nlength {table_length}\n");
        for (address, weight) in servers.filter(|&(_, weight)| weight > 0) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "server {address} {weight}");
        }
        TableFingerprint::of_text(&text)
    }

    fn of_text(text: &str) -> Self {
        TableFingerprint(XxHash64::oneshot(0, text.as_bytes()) >> 16)
    }
}

impl VipState {
    /// The fingerprint of the table that the dataplane has.
    pub fn fingerprint(&self) -> TableFingerprint {
        let servers = self.servers.iter().map(|server| (server.address, server.weight));
        TableFingerprint::of(&self.vip, self.encap, self.src_ip_sticky, self.table_length, servers)
    }
}

impl DesiredVip {
    /// The fingerprint of the table that the dataplane should have: that of a VIP added now.
    pub fn fingerprint(&self) -> TableFingerprint {
        let (encap, length) = (Encapsulation::Gre(self.encap), self.fit.table_length);
        TableFingerprint::of(&self.vip, encap, self.src_ip_sticky, length, self.sent())
    }
}

/// Twelve hexadecimal digits.
impl fmt::Display for TableFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

impl FromStr for TableFingerprint {
    type Err = InvalidTableFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidTableFingerprint> {
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidTableFingerprint);
        }
        u64::from_str_radix(text, 16).map(TableFingerprint).map_err(|_| InvalidTableFingerprint)
    }
}

impl TryFrom<String> for TableFingerprint {
    type Error = InvalidTableFingerprint;

    fn try_from(text: String) -> Result<Self, InvalidTableFingerprint> {
        text.parse()
    }
}

impl From<TableFingerprint> for String {
    fn from(fingerprint: TableFingerprint) -> String {
        fingerprint.to_string()
    }
}

#[cfg(test)]
mod tests;
