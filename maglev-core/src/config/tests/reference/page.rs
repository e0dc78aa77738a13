//! Pure. The reference as `docs/config.md`.

use super::entry::{Chapter, Entry, Fallback, refusal};
use super::{CHAPTERS, anywhere, facts, mistakes, warnings};

/// What is no matter of single keys.
pub(super) const HEAD: &str = include_str!("head.md");
const TAIL: &str = include_str!("tail.md");

pub(super) fn page() -> String {
    let mut text = String::from(
        "<!-- Made by `UPDATE=1 cargo test -p maglev-core reference` from maglev-core/src/config/tests/reference. Do not edit. \
         -->\n",
    );
    text.push_str(HEAD);
    text.push_str("\n### What can be wrong anywhere\n\n| | message |\n|---|---|\n");
    anywhere().for_each(|(says, message)| text.push_str(&row(says, &message)));
    CHAPTERS.into_iter().filter(|chapter| !chapter.path.is_empty()).for_each(|one| chapter(one, &mut text));
    text.push_str("\n## Warnings\n\nThe file is taken. What is said here is rarely meant.\n\n| | message |\n|---|---|\n");
    warnings().for_each(|(says, message)| text.push_str(&row(says, &message)));
    text + "\n" + TAIL
}

fn row(says: &str, message: &str) -> String {
    format!("| {says} | {} |\n", cell(message))
}

/// In a table a bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn chapter(chapter: &Chapter, text: &mut String) {
    text.push_str(&format!("\n## `{}`\n", chapter.path));
    if !chapter.says.is_empty() {
        text.push_str(&format!("\n{}\n", chapter.says));
    }
    if !chapter.example.is_empty() {
        text.push_str(&format!("\n```yaml\n{}```\n", chapter.example));
    }
    if chapter.entries.len() > 3 {
        text.push_str("\n| key | type | default |\n|---|---|---|\n");
        chapter.entries.iter().for_each(|entry| {
            text.push_str(&format!("| `{}` | {} | {} |\n", entry.key, entry.kind, default(entry)));
        });
    }
    chapter.entries.iter().for_each(|entry| explain(chapter, entry, text));
    if !chapter.rules.is_empty() {
        text.push_str(&format!("\n### Rules of `{}`\n\n| rule | message |\n|---|---|\n", chapter.path));
        chapter.rules.iter().for_each(|rule| text.push_str(&row(rule.says, &refusal(rule.file))));
    }
}

fn default(entry: &Entry) -> String {
    match entry.fallback {
        Fallback::Needed => "needed".to_owned(),
        Fallback::Value(value) => value.to_owned(),
        Fallback::Words(words) => words.to_owned(),
    }
}

fn explain(chapter: &Chapter, entry: &Entry, text: &mut String) {
    text.push_str(&format!("\n### `{}`\n\n{}\n\n", entry.key, entry.says));
    for (name, value) in facts(entry) {
        text.push_str(&format!("- {name}: {value}\n"));
    }
    if entry.example.contains("\n ") {
        let block: String = entry.example.lines().map(|line| format!("  {line}\n")).collect();
        text.push_str(&format!("- Example:\n\n  ```yaml\n{block}  ```\n"));
    } else {
        text.push_str(&format!("- Example: {}\n", entry.shown()));
    }
    text.push_str("\n| written | message |\n|---|---|\n");
    for (written, message) in mistakes(chapter, entry) {
        text.push_str(&format!("| {} | {} |\n", written.replace('|', "\\|"), cell(&message)));
    }
}
