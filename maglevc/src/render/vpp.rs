//! Pure. VPP as text.

use crate::render::table::{Column, Table};
use crate::render::units::{bytes, count, interval, packets, percent, serves};
use crate::render::{BAD, FAINT, GOOD, NOTICE, OPEN, PLAIN, Page, Span, TITLE, Text, plural};
use crate::view::vpp::{LbCounters, LbState, Operation, Operations, Vip, VppInfo};
use crate::view::words::VppStatus;

impl Text for VppInfo {
    fn text(&self, page: &mut Page) {
        let (style, status) = match self.status {
            VppStatus::Off => (FAINT, "off: the daemon runs without VPP"),
            VppStatus::Disconnected => (BAD, "disconnected"),
            VppStatus::Unsupported => (BAD, "unsupported"),
            VppStatus::WarmingUp => (OPEN, "warming up: what has no verdict yet is not written"),
            VppStatus::Connected => (GOOD, "connected"),
            VppStatus::Unspecified => (FAINT, "unspecified"),
        };
        let title =
            self.version.as_ref().map_or_else(|| "VPP".to_owned(), |version| format!("VPP {version}"));
        page.line(&[Span::new(TITLE, title)]);
        page.field("status", &[Span::new(style, status)]);
        if let Some(problem) = &self.problem {
            page.field("problem", &[Span::plain(problem)]);
        }
        let plain = |text: &Option<String>| text.clone().map(Span::plain);
        let since = |at: Option<_>| {
            at.map(|at| Span::plain(format!("for {}, since {}", page.age(Some(at)), page.clock(at))))
        };
        let fields = [
            ("built", plain(&self.build_date)),
            ("pid", self.pid.map(|pid| Span::plain(pid.to_string()))),
            ("running", since(self.boot_at)),
            ("connected", since(self.connected_since)),
            ("last sync", self.last_sync_at.map(|at| Span::plain(format!("{} ago", page.age(Some(at)))))),
            ("API socket", plain(&self.api_addr)),
            ("stats socket", plain(&self.stats_addr)),
        ];
        for (label, value) in fields {
            if let Some(value) = value {
                page.field(label, &[value]);
            }
        }
    }
}

impl Text for LbState {
    fn text(&self, page: &mut Page) {
        let title = "VPP load balancer";
        match self.observed_at {
            Some(at) => {
                page.line(&[Span::new(TITLE, title), Span::plain(format!(", {} ago", page.age(Some(at))))])
            }
            None => page.line(&[Span::new(TITLE, title)]),
        }
        let source = |address: &Option<String>| Span::plain(address.as_deref().unwrap_or("not set"));
        page.field("IPv4 source", &[source(&self.ipv4_src_address)]);
        page.field("IPv6 source", &[source(&self.ipv6_src_address)]);
        let buckets = format!("{} buckets a core", count(self.sticky_buckets_per_core.into()));
        page.field("flow table", &[Span::plain(buckets)]);
        if let Some(timeout) = self.flow_timeout_seconds {
            page.field("flow timeout", &[Span::plain(interval(timeout))]);
        }
        if let Some(fingerprint) = &self.fingerprint {
            page.field("fingerprint", &[Span::plain(fingerprint)]);
        }
        page.end_line();
        if self.vips.is_empty() {
            page.line(&[Span::plain("no VIPs")]);
            return;
        }
        let mut table = Table::new([
            Column::Address("VIP"),
            Column::Name("BELONGS TO"),
            Column::Number("WEIGHT"),
            Column::Number("SENT"),
            Column::Number("BUCKETS"),
            Column::Number("WANTED"),
            Column::Number("GIVEN"),
        ]);
        for vip in &self.vips {
            vip_rows(vip, &mut table);
        }
        table.put(page);
    }
}

/// Whose an object in VPP is.
fn owner(name: Option<&str>) -> Span {
    name.map_or_else(|| Span::new(NOTICE, "(foreign)"), Span::plain)
}

/// A VIP and, further in, its servers and its sync error.
fn vip_rows(vip: &Vip, table: &mut Table) {
    let empty = Span::empty;
    table.row([
        Span::new(TITLE, serves(&vip.prefix, vip.protocol.as_deref(), vip.port)),
        owner(vip.frontend.as_deref()),
        empty(),
        Span::new(FAINT, vip.encap.clone().unwrap_or_default()),
        Span::plain(count(vip.table_length.into())),
        Span::new(FAINT, if vip.src_ip_sticky { "sticky" } else { "" }),
        Span::new(FAINT, vip.fingerprint.clone().unwrap_or_default()),
    ]);
    for server in &vip.servers {
        table.row([
            Span::plain(format!("  {}", server.address)),
            owner(server.backend.as_deref()),
            Span::plain(server.effective_weight.to_string()),
            Span::plain(server.weight.to_string()),
            Span::plain(count(server.buckets.into())),
            Span::plain(percent(server.share_wanted)),
            Span::plain(percent(server.share)),
        ]);
    }
    if let (true, Some(length), Some(frontend)) =
        (vip.table_length_kept, vip.table_length_desired, &vip.frontend)
    {
        let (present, length) = (count(vip.table_length.into()), count(length.into()));
        table.full_line(Span::new(
            NOTICE,
            format!(
                "  keeps a table of {present} buckets, a VIP added now gets {length}: `sync vpp lb state {frontend} recreate`"
            ),
        ));
    }
    if let Some(error) = &vip.sync_error {
        table.full_line(Span::new(BAD, format!("  sync error: {error}")));
    }
}

impl Text for LbCounters {
    fn text(&self, page: &mut Page) {
        if self.vips.is_empty() {
            page.line(&[Span::plain("no VIPs")]);
            return;
        }
        let mut table = Table::new([
            Column::Address("VIP"),
            Column::Name("FRONTEND"),
            Column::Number("NEXT"),
            Column::Number("FIRST"),
            Column::Number("UNTRACKED"),
            Column::Number("DROPPED"),
            Column::Number("ROUTED"),
            Column::Number("BYTES"),
        ]);
        for vip in &self.vips {
            let dropped = if vip.no_server_packets > 0 { BAD } else { FAINT };
            table.row([
                Span::plain(serves(&vip.prefix, vip.protocol.as_deref(), vip.port)),
                owner(vip.frontend.as_deref()),
                Span::plain(packets(vip.next_packets)),
                Span::plain(packets(vip.first_packets)),
                Span::plain(packets(vip.untracked_packets)),
                Span::new(dropped, packets(vip.no_server_packets)),
                Span::plain(packets(vip.route_packets)),
                Span::plain(bytes(vip.route_bytes)),
            ]);
        }
        table.put(page);
        let age = page.age(self.read_at);
        if !age.is_empty() {
            page.line(&[Span::new(FAINT, format!("packets since VPP started, read {age} ago"))]);
        }
    }
}

impl Text for Operations {
    fn text(&self, page: &mut Page) {
        if self.operations.is_empty() {
            page.line(&[Span::new(GOOD, "in agreement"), Span::plain(": VPP has what it should have")]);
            return;
        }
        operations(&self.operations, page);
        let done = self.operations.len() - self.refused();
        page.line(&[Span::plain(format!("{} made", plural(done, "write")))]);
    }
}

/// A table of writes in their order, with what VPP said where it refused.
pub(crate) fn operations(operations: &[Operation], page: &mut Page) {
    let mut table = Table::new([Column::Number("#"), Column::Name("FRONTEND"), Column::Prose("OPERATION")]);
    for (index, operation) in operations.iter().enumerate() {
        let style = if operation.error.is_some() { BAD } else { PLAIN };
        let reason = operation.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        table.row([
            Span::plain((index + 1).to_string()),
            Span::plain(operation.frontend.as_deref().unwrap_or("-")),
            Span::new(style, format!("{}{reason}", operation.action)),
        ]);
        if let Some(error) = &operation.error {
            table.full_line(Span::new(BAD, format!("   refused: {error}")));
        }
    }
    table.put(page);
}
