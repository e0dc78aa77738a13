//! Pure. The log lines that source code can write.

use std::collections::BTreeSet;

/// One place that writes a log line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogLine {
    /// The level: error, warn, info or debug.
    pub level: String,
    /// The message; what is filled in stands as `…`.
    pub message: String,
    /// The names of its fields.
    pub fields: BTreeSet<String>,
}

/// Finds each place in Rust source that writes a log line with `tracing::LEVEL!`.
pub fn written_by(source: &str) -> Vec<LogLine> {
    let mut lines = Vec::new();
    for level in ["error", "warn", "info", "debug"] {
        for (at, start) in source.match_indices(&format!("tracing::{level}!(")) {
            let arguments = arguments(&source[at + start.len()..]);
            let is_text = |argument: &&String| argument.starts_with('"');
            let message = arguments.iter().find(is_text).map(|text| message(text)).unwrap_or_default();
            let fields = arguments.iter().take_while(|argument| !is_text(argument));
            let fields = fields.filter(|field| !field.starts_with("target:")).map(|field| name(field));
            lines.push(LogLine { level: level.to_owned(), message, fields: fields.collect() });
        }
    }
    lines
}

/// The arguments of a macro, up to its closing parenthesis.
fn arguments(rest: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let mut depth = 0;
    let mut chars = rest.chars();
    while let Some(char) = chars.next() {
        match char {
            ')' if depth == 0 => break,
            ',' if depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        let Some(argument) = arguments.last_mut() else { break };
        argument.push(char);
        if char == '"' {
            while let Some(inside) = chars.next() {
                argument.push(inside);
                match inside {
                    '\\' => argument.extend(chars.next()),
                    '"' => break,
                    _ => {}
                }
            }
        }
    }
    let trimmed = arguments.into_iter().map(|argument| argument.trim().to_owned());
    trimmed.filter(|argument| !argument.is_empty()).collect()
}

/// The name of a field: `%name`, `?name`, `name` or `name = value`.
fn name(argument: &str) -> String {
    let (name, _) = argument.split_once('=').unwrap_or((argument, ""));
    name.trim().trim_start_matches(['%', '?']).to_owned()
}

/// A string literal as it reads, with `…` for what is filled in.
fn message(literal: &str) -> String {
    let inner = literal.trim_matches('"');
    let mut text = String::new();
    for (number, line) in inner.split("\\\n").enumerate() {
        text.push_str(if number == 0 { line } else { line.trim_start() });
    }
    let mut read = String::new();
    let mut filled = false;
    for char in text.chars() {
        match char {
            '{' => {
                filled = true;
                read.push('…');
            }
            '}' => filled = false,
            _ if !filled => read.push(char),
            _ => {}
        }
    }
    read
}

#[cfg(test)]
mod tests;
