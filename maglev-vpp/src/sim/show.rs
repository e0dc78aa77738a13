//! Pure. What `show lb vips` prints (`format_lb_vip`, `format_lb_vip_detailed` in `src/plugins/lb/lb.c`), and the part of
//! `show api clients` that lists those on the socket (`vl_sock_api_dump_clients` in `src/vlibmemory/socket_api.c`).

use std::fmt::Write;

use super::plugin::{Kind, Plugin, VipEntry};

/// Names of the plugin's counters, as they also stand in the stats segment.
pub(super) const COUNTERS: [&str; 4] =
    ["packet from existing sessions", "first session packet", "untracked packet", "no server configured"];

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Ip6Gre6 => "ip6-gre6",
        Kind::Ip6Gre4 => "ip6-gre4",
        Kind::Ip4Gre6 => "ip4-gre6",
        Kind::Ip4Gre4 => "ip4-gre4",
        Kind::Ip4L3dsr => "ip4-l3dsr",
        Kind::Ip4Nat4 => "ip4-nat4",
        Kind::Ip6Nat6 => "ip6-nat6",
    }
}

/// Every VIP but the placeholder, removed ones included.
pub(super) fn vips(plugin: &Plugin, verbose: bool) -> String {
    let mut out = String::new();
    for (index, vip) in plugin.vips.iter().skip(1) {
        // Writing to a string cannot fail.
        let _ = if verbose { detailed(&mut out, index, vip) } else { brief(&mut out, vip) };
        out.push('\n');
    }
    out
}

/// Every client on the API socket, with a file descriptor that is made up.
pub(super) fn clients(clients: &[Option<String>]) -> String {
    let mut out = format!("Socket clients\n{:>20} {:>8}\n", "Name", "Fildesc");
    for (index, name) in clients.iter().enumerate().skip(1) {
        let Some(name) = name else { continue };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name:>20} {:>8}", 20 + index);
    }
    out
}

fn removed(used: bool) -> &'static str {
    if used { "" } else { " removed" }
}

fn brief(out: &mut String, vip: &VipEntry) -> std::fmt::Result {
    let (kind, prefix, length) = (kind(vip.kind), vip.key.prefix, vip.table_length);
    write!(out, "{kind} {prefix} new_size:{length} #as:{}{}", vip.servers.len(), removed(vip.used))?;
    if vip.key.port != 0 {
        write!(out, "  protocol:{} port:{} ", vip.key.protocol, vip.key.port)?;
    }
    writeln!(out)
}

fn detailed(out: &mut String, index: usize, vip: &VipEntry) -> std::fmt::Result {
    let sticky = if vip.src_ip_sticky { " src_ip_sticky" } else { "" };
    writeln!(out, " {} [{index}] {}{sticky}{}", kind(vip.kind), vip.key.prefix, removed(vip.used))?;
    writeln!(out, "  new_size:{}", vip.table_length)?;
    if vip.key.port != 0 {
        writeln!(out, "  protocol:{} port:{}", vip.key.protocol, vip.key.port)?;
    }
    match vip.kind {
        Kind::Ip4L3dsr => writeln!(out, "  dscp:{}", vip.dscp)?,
        Kind::Ip4Nat4 | Kind::Ip6Nat6 => {
            let service = if vip.srv_type == 0 { "clusterip" } else { "nodeport" };
            let (port, target_port) = (vip.key.port.swap_bytes(), vip.target_port);
            write!(out, "  type:{service} port:{port} target_port:{target_port}")?;
        }
        Kind::Ip6Gre6 | Kind::Ip6Gre4 | Kind::Ip4Gre6 | Kind::Ip4Gre4 => {}
    }
    writeln!(out, "  counters:")?;
    for (name, value) in COUNTERS.iter().zip(vip.counters) {
        writeln!(out, "    {name}: {value}")?;
    }
    writeln!(out, "  #as:{}", vip.servers.len())?;
    for (_, server) in vip.servers.iter() {
        let state = if server.used { "used" } else { " removed" };
        writeln!(
            out,
            "    {} weight:{} buckets:{} flows:{} dpo:{} {state}",
            server.address.address(),
            server.weight,
            server.buckets,
            server.flows,
            server.route
        )?;
    }
    Ok(())
}
