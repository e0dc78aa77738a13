//! Pure. Servers that have a name, as text.

use crate::render::table::{Column, Table};
use crate::render::{Page, Span, TITLE, Text};
use crate::view::server::NamedServer;

impl Text for Vec<NamedServer> {
    fn text(&self, page: &mut Page) {
        let mut table = Table::new([
            Column::Fixed("SERVER"),
            Column::Address("ADDRESS"),
            Column::Fixed("DEFAULT"),
            Column::Name("FILE"),
        ]);
        for server in self {
            table.row([
                Span::new(TITLE, format!("@{}", server.name)),
                Span::plain(&server.address),
                Span::plain(if server.is_default { "default" } else { "" }),
                Span::plain(&server.file),
            ]);
        }
        table.put(page);
    }
}
