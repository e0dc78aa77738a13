//! Pure. A plan as text: the writes, then what they would do to the new flows of each VIP.

use crate::render::config::sentences;
use crate::render::table::{Column, Table};
use crate::render::units::{percent, serves};
use crate::render::vpp::operations;
use crate::render::{BAD, FAINT, GOOD, NOTICE, PLAIN, Page, Span, TITLE, Text, plural};
use crate::view::plan::{Impact, Plan};

impl Text for Plan {
    fn text(&self, page: &mut Page) {
        sentences("note", PLAIN, &self.notes, page);
        sentences("needs force", BAD, &self.needs_force, page);
        if self.operations.is_empty() {
            page.line(&[Span::new(GOOD, "nothing to write"), Span::plain(": VPP has what it should have")]);
            return;
        }
        operations(&self.operations, page);
        page.line(&[Span::plain(format!("that would be {}", plural(self.operations.len(), "write")))]);
        for impact in &self.impacts {
            page.end_line();
            show(impact, page);
        }
    }
}

fn show(impact: &Impact, page: &mut Page) {
    let vip = serves(&impact.prefix, impact.protocol.as_deref(), impact.port);
    let frontend = impact.frontend.as_deref().unwrap_or("no frontend");
    page.line(&[Span::new(TITLE, frontend), Span::plain(format!(", {vip}: {}", summary(impact)))]);
    if impact.recreated {
        page.line(&[Span::new(
            BAD,
            "  the VIP is made anew: gone for a moment, and established flows are lost",
        )]);
    }
    if let Some(worst) = &impact.worst {
        let after = plural(worst.after_operations as usize, "write");
        let text = format!(
            "  at worst, after {after}: {} dropped, {} on a server for that moment only",
            percent(worst.dropped),
            percent(worst.astray)
        );
        page.line(&[Span::new(NOTICE, text)]);
    }
    let mut table = Table::new([
        Column::Address("  SERVER"),
        Column::Name("BACKEND"),
        Column::Number("BEFORE"),
        Column::Number("AFTER"),
        Column::Prose("GIVES"),
    ]);
    for server in &impact.servers {
        let gives: Vec<String> = impact
            .moves
            .iter()
            .filter(|moved| moved.from.as_deref() == Some(&*server.address))
            .map(|moved| format!("{} to {}", percent(moved.share), name(impact, moved.to.as_deref())))
            .collect();
        table.row([
            Span::plain(format!("  {}", server.address)),
            Span::plain(server.backend.as_deref().unwrap_or("-")),
            Span::plain(percent(server.before)),
            Span::plain(percent(server.after)),
            Span::new(FAINT, gives.join(", ")),
        ]);
    }
    table.put(page);
}

/// How much moves, in a few words.
fn summary(impact: &Impact) -> String {
    if impact.moved == 0.0 {
        return "no new flow changes server".to_owned();
    }
    let needless = (impact.moved - impact.unavoidable).max(0.0);
    format!(
        "{} of new flows change server, {} without need",
        percent(impact.moved),
        if needless == 0.0 { "none".to_owned() } else { percent(needless) }
    )
}

/// The backend at an address, else the address, else nobody.
fn name(impact: &Impact, address: Option<&str>) -> String {
    let Some(address) = address else { return "nobody".to_owned() };
    let server = impact.servers.iter().find(|server| server.address == address);
    server.and_then(|server| server.backend.clone()).unwrap_or_else(|| address.to_owned())
}
