//! Pure. The addresses an operator writes: of backends, of VIPs, of ourselves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::report::Report;
use super::section::Cursor;
use super::suggest::quoted;
use super::value::text;

const EXAMPLE: &str = "write one such as 192.0.2.11 or 2001:db8::11";

/// The address of a backend: something a probe can be sent to. Loopback addresses are fine: demonstrations need nothing
/// else.
pub(super) fn backend(cursor: &Cursor<'_>, report: &mut Report) -> Option<IpAddr> {
    let written = text(cursor, report)?;
    let refuse = |report: &mut Report, hint: String| {
        let message = format!("{} is not an IP address", quoted(&written));
        report.meaning(&cursor.place(), message, hint);
    };
    let Ok(address) = written.parse::<IpAddr>() else {
        let hint = if let Ok(socket) = written.parse::<std::net::SocketAddr>() {
            format!("write {}; the port belongs to the health check and the frontend", socket.ip())
        } else if let Ok(network) = written.parse::<IpNet>() {
            format!("write {} without a prefix length", network.addr())
        } else if written.chars().any(|c| c.is_ascii_alphabetic()) && !written.contains(':') {
            format!("{}; names are not looked up", EXAMPLE)
        } else {
            EXAMPLE.to_owned()
        };
        refuse(report, hint);
        return None;
    };
    unicast(address, cursor, report)
}

/// The VIP of a frontend: an address, or a prefix whose host bits are zero.
pub(super) fn vip(cursor: &Cursor<'_>, report: &mut Report) -> Option<IpNet> {
    let written = text(cursor, report)?;
    let prefix = match (written.parse::<IpAddr>(), written.parse::<IpNet>()) {
        (Ok(address), _) => IpNet::from(address),
        (_, Ok(prefix)) => prefix,
        _ => {
            let hint = match written.parse::<std::net::SocketAddr>() {
                Ok(socket) => format!("write `address: {}` and `port: {}`", socket.ip(), socket.port()),
                Err(_) => "write one such as 203.0.113.1, 2001:db8::1 or 203.0.113.0/28".to_owned(),
            };
            let message = format!("{} is neither an IP address nor a prefix", quoted(&written));
            report.meaning(&cursor.place(), message, hint);
            return None;
        }
    };
    if prefix.trunc() != prefix {
        let message = format!("{prefix} has bits set after its first {}", prefix.prefix_len());
        let hint =
            format!("write {} for the prefix, or {} for the one address", prefix.trunc(), prefix.addr());
        report.meaning(&cursor.place(), message, hint);
        return None;
    }
    if prefix.prefix_len() == 0 {
        let hint = "write the addresses that are served";
        report.meaning(&cursor.place(), format!("{prefix} would be every packet there is"), hint);
        return None;
    }
    unicast(prefix.addr(), cursor, report)?;
    Some(prefix)
}

/// A source address, IPv4.
pub(super) fn source_v4(cursor: &Cursor<'_>, report: &mut Report) -> Option<Ipv4Addr> {
    match source(cursor, "an IPv4", report)? {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) => {
            wrong_family(cursor, &format!("{address} is an IPv6 address"), "ipv4", "ipv6", report);
            None
        }
    }
}

/// A source address, IPv6.
pub(super) fn source_v6(cursor: &Cursor<'_>, report: &mut Report) -> Option<Ipv6Addr> {
    match source(cursor, "an IPv6", report)? {
        IpAddr::V6(address) => Some(address),
        IpAddr::V4(address) => {
            wrong_family(cursor, &format!("{address} is an IPv4 address"), "ipv6", "ipv4", report);
            None
        }
    }
}

fn source(cursor: &Cursor<'_>, what: &str, report: &mut Report) -> Option<IpAddr> {
    let written = text(cursor, report)?;
    let Ok(address) = written.parse::<IpAddr>() else {
        let message = format!("{} is not {what} address", quoted(&written));
        report.meaning(&cursor.place(), message, "write one of this machine's own addresses");
        return None;
    };
    unicast(address, cursor, report)
}

fn wrong_family(cursor: &Cursor<'_>, message: &str, wanted: &str, written: &str, report: &mut Report) {
    let hint = format!("write it as `{}`", cursor.word().replace(wanted, written));
    report.meaning(&cursor.place(), message, hint);
}

/// Refuses what no single host has as its address.
fn unicast(address: IpAddr, cursor: &Cursor<'_>, report: &mut Report) -> Option<IpAddr> {
    let mapped = match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => address.to_ipv4_mapped(),
    };
    let link_local = match address {
        // IPv4 link-local addresses are routed in many a cloud; IPv6 ones need an interface, which cannot be given.
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    let (message, hint) = if let Some(v4) = mapped {
        (format!("{address} is an IPv4 address in the form of an IPv6 one"), format!("write {v4}"))
    } else if address.is_unspecified() {
        (format!("{address} is no host's address"), "write the address itself".to_owned())
    } else if address.is_multicast() {
        (format!("{address} is a multicast address"), "write the address of one host".to_owned())
    } else if address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        (format!("{address} is the broadcast address"), "write the address of one host".to_owned())
    } else if link_local {
        let hint = "write a global or unique local address".to_owned();
        (format!("{address} is only valid together with an interface"), hint)
    } else {
        return Some(address);
    };
    report.meaning(&cursor.place(), message, hint);
    None
}
