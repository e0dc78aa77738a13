//! Pure. The text of `show lb vips verbose`, the only place where VPP tells a VIP's stickiness and pool index.
//!
//! ```text
//!  ip6-gre6 [2] 2001:db8:1::1/128 src_ip_sticky
//!   new_size:1024
//!   protocol:6 port:443
//!   counters:
//!   …
//!   #as:3
//! ```
//! (`format_lb_vip_detailed` in `src/plugins/lb/lb.c`.) The `protocol` line is absent from a VIP for all ports; a VIP
//! that only waits to be collected ends its first line in ` removed`.

use ipnet::IpNet;

use crate::message::lb::PROTOCOL_ANY;
use maglev_core::observed::ForeignKey;

/// One VIP of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerboseVip {
    /// Prefix, protocol, port.
    pub key: ForeignKey,
    /// Its place in VPP's pool of VIPs, and among their counters.
    pub pool_index: u32,
    /// Length of its table of new flows.
    pub table_length: u32,
    /// Flows of one source address go to one server.
    pub src_ip_sticky: bool,
    /// It has been removed and waits to be collected.
    pub removed: bool,
    /// How many servers it has, removed ones included.
    pub servers: usize,
}

/// The text is not what this VPP was expected to print.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerboseError {
    /// A VIP's first line has no readable prefix.
    #[error("line {line} names a VIP but no prefix: {text:?}")]
    Prefix {
        /// Counted from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A VIP has no `new_size`.
    #[error("the VIP on line {line} has no new_size")]
    TableLength {
        /// Counted from 1.
        line: usize,
    },
}

/// A VIP of which not everything has been seen.
struct Partial {
    line: usize,
    prefix: IpNet,
    pool_index: u32,
    table_length: Option<u32>,
    protocol: u8,
    port: u16,
    src_ip_sticky: bool,
    removed: bool,
    servers: usize,
}

impl Partial {
    fn finish(self) -> Result<VerboseVip, VerboseError> {
        Ok(VerboseVip {
            key: ForeignKey { prefix: self.prefix, protocol: self.protocol, port: self.port },
            pool_index: self.pool_index,
            table_length: self.table_length.ok_or(VerboseError::TableLength { line: self.line })?,
            src_ip_sticky: self.src_ip_sticky,
            removed: self.removed,
            servers: self.servers,
        })
    }
}

/// Reads the text. Lines and words it does not know are skipped, so that a VPP may say more than this one.
///
/// # Errors
/// [`VerboseError`] if a VIP lacks its prefix or its table length.
pub fn parse(text: &str) -> Result<Vec<VerboseVip>, VerboseError> {
    let mut vips = Vec::new();
    let mut current: Option<Partial> = None;
    for (number, line) in text.lines().enumerate() {
        if let Some((pool_index, rest)) = first_line(line) {
            if let Some(vip) = current.take() {
                vips.push(vip.finish()?);
            }
            current = Some(begin(number + 1, line, pool_index, rest)?);
        } else if let Some(vip) = &mut current {
            for word in line.split_whitespace() {
                match word.split_once(':') {
                    Some(("new_size", value)) => vip.table_length = value.parse().ok(),
                    Some(("protocol", value)) => vip.protocol = value.parse().unwrap_or(vip.protocol),
                    // A NAT VIP gives its port a second time, in another byte order.
                    Some(("port", value)) if vip.port == 0 => vip.port = value.parse().unwrap_or(0),
                    Some(("#as", value)) => vip.servers = value.parse().unwrap_or(0),
                    _ => {}
                }
            }
        }
    }
    if let Some(vip) = current {
        vips.push(vip.finish()?);
    }
    Ok(vips)
}

/// ` ip6-gre6 [2] 2001:db8:1::1/128 …`: the pool index and what follows it.
fn first_line(line: &str) -> Option<(u32, &str)> {
    let (_kind, rest) = line.trim_start().split_once(" [")?;
    let (index, rest) = rest.split_once(']')?;
    Some((index.parse().ok()?, rest))
}

fn begin(line: usize, text: &str, pool_index: u32, rest: &str) -> Result<Partial, VerboseError> {
    let mut words = rest.split_whitespace();
    let Some(prefix) = words.next().and_then(|word| word.parse::<IpNet>().ok()) else {
        return Err(VerboseError::Prefix { line, text: text.to_owned() });
    };
    let flags: Vec<&str> = words.collect();
    Ok(Partial {
        line,
        prefix: prefix.trunc(),
        pool_index,
        table_length: None,
        protocol: PROTOCOL_ANY,
        port: 0,
        src_ip_sticky: flags.contains(&"src_ip_sticky"),
        removed: flags.contains(&"removed"),
        servers: 0,
    })
}

#[cfg(test)]
mod tests;
