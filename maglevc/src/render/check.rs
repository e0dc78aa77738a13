//! Pure. Health checks as text.

use crate::render::table::{Column, Table};
use crate::render::units::interval;
use crate::render::{NOTICE, Page, Span, TITLE, Text};
use crate::view::check::HealthCheck;

impl Text for Vec<HealthCheck> {
    fn text(&self, page: &mut Page) {
        if self.is_empty() {
            page.line(&[Span::plain("no health checks")]);
            return;
        }
        let mut table = Table::new([
            Column::Name("CHECK"),
            Column::Fixed("TYPE"),
            Column::Number("PORT"),
            Column::Number("EVERY"),
            Column::Number("FAST"),
            Column::Number("DOWN"),
            Column::Number("TIMEOUT"),
            Column::Number("RISE"),
            Column::Number("FALL"),
            Column::Number("BACKENDS"),
        ]);
        for check in self {
            table.row([
                Span::plain(&check.name),
                Span::plain(&check.kind),
                Span::plain(check.port.map_or_else(|| "-".to_owned(), |port| port.to_string())),
                every(check.interval_seconds),
                every(check.fast_interval_seconds),
                every(check.down_interval_seconds),
                every(check.timeout_seconds),
                Span::plain(check.rise.to_string()),
                Span::plain(check.fall.to_string()),
                Span::plain(check.backends.len().to_string()),
            ]);
        }
        table.put(page);
    }
}

fn every(seconds: Option<f64>) -> Span {
    Span::plain(seconds.map_or_else(|| "-".to_owned(), interval))
}

impl Text for HealthCheck {
    fn text(&self, page: &mut Page) {
        page.line(&[Span::new(TITLE, format!("healthcheck {}", self.name))]);
        let port = self.port.map_or_else(String::new, |port| format!(" to port {port}"));
        page.field("type", &[Span::plain(format!("{}{port}", self.kind))]);
        let said = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), interval);
        let intervals = format!(
            "every {} at full health, {} while unknown or in between, {} while down",
            said(self.interval_seconds),
            said(self.fast_interval_seconds),
            said(self.down_interval_seconds)
        );
        page.field("probes", &[Span::plain(intervals)]);
        page.field("timeout", &[every(self.timeout_seconds)]);
        page.field("rise", &[Span::plain(format!("{} from fully down to up", passes(self.rise)))]);
        page.field("fall", &[Span::plain(format!("{} from full health to down", failures(self.fall)))]);
        for (label, source) in [("IPv4 source", &self.probe_ipv4_src), ("IPv6 source", &self.probe_ipv6_src)]
        {
            if let Some(source) = source {
                page.field(label, &[Span::plain(source)]);
            }
        }
        if let Some(unprobeable) = &self.unprobeable {
            page.field("unprobeable", &[Span::plain(unprobeable)]);
        }
        for (name, value) in &self.params {
            page.field(name, &[Span::plain(value)]);
        }
        match self.backends.as_slice() {
            [] => page.field("backends", &[Span::new(NOTICE, "no backend uses it")]),
            names => page.field("backends", &[Span::plain(names.join(", "))]),
        }
    }
}

fn passes(number: u32) -> String {
    if number == 1 { "1 pass".to_owned() } else { format!("{number} passes") }
}

fn failures(number: u32) -> String {
    if number == 1 { "1 failure".to_owned() } else { format!("{number} failures") }
}
