//! What is found in source code.

use super::*;

fn line(level: &str, message: &str, fields: &[&str]) -> LogLine {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    LogLine { level: level.to_owned(), message: message.to_owned(), fields }
}

#[test]
fn levels_messages_and_fields_are_found() {
    let source = r#"
        tracing::info!("plain");
        if x { tracing::warn!(%backend, from = %t.from, error = %Chain(&error, ")"), "it, failed") }
        tracing::warn!(
            ?reason, count = list.len(),
            "one \
             text"
        );
        => tracing::error!(at = %format_args!("{}:{}", a, b), key = w.path, "file: {}; {x:?}", w.message, w.hint),
    "#;
    assert_eq!(
        written_by(source),
        [
            line("error", "file: …; …", &["at", "key"]),
            line("warn", "it, failed", &["backend", "error", "from"]),
            line("warn", "one text", &["count", "reason"]),
            line("info", "plain", &[]),
        ]
    );
}
