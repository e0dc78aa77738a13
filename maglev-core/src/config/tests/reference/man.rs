//! Pure. The reference as the man page `maglev.yaml(5)`.

use maglev_docs::man::{Page, bold};

use super::entry::refusal;
use super::{CHAPTERS, anywhere, facts, mistakes, warnings};

const TYPES: &[(&str, &str)] = &[
    (
        "duration",
        "A number with a unit, or several: `200ms`, `2s`, `1m30s`, `1.5s`. Units are `h`, `m`, `s`, `ms`, `us`, `ns`. Only `0` needs none.",
    ),
    ("number", "Decimal digits, without quotes and without leading zeros."),
    ("boolean", "`true` or `false`; `yes`, `no`, `on` and `off` also do."),
    (
        "text",
        "Anything that is one value. Quotes are needed around what YAML would take for something else, such as `a: b`.",
    ),
    ("name", "A text of one word of at most 253 bytes."),
    ("address", "An IPv4 or IPv6 address of one host, not a host name."),
    (
        "prefix",
        "An address, or an address and a length, as `203.0.113.0/28`. The bits after the length are zero.",
    ),
];

const CODES: &[(&str, &str)] = &[
    ("0", "The file is valid. There may be warnings."),
    ("1", "It is not YAML, or has an unknown or duplicate key or a value of the wrong type."),
    (
        "2",
        "Something makes no sense: it is missing, out of range, contradicts something else, or refers to nothing.",
    ),
];

pub(super) fn page() -> String {
    let mut page =
        Page::new("maglev.yaml", "5", concat!("maglevd ", env!("CARGO_PKG_VERSION")), "File Formats");
    page.section("NAME");
    page.text("maglev.yaml - the configuration of maglevd, the control plane of VPP's Maglev load balancer");
    page.section("SYNOPSIS");
    page.text("`/etc/vpp-maglev/maglev.yaml`, or what `maglevd --config` names");
    page.section("DESCRIPTION");
    page.text("A file in YAML with the one key `maglev`. `maglevd --check` reads it and says what is wrong with it, all of it at once, with line and column. `SIGHUP` and `maglevc config reload` take a changed file, whole or not at all.");
    page.break_paragraph();
    page.text("A key with nothing after it, or with `null`, is the same as none. Anchors, aliases and merge keys work. A file is one document in UTF-8 of at most 8 MiB.");
    page.section("VALUES");
    page.rows(TYPES);
    for chapter in CHAPTERS {
        page.section(if chapter.path.is_empty() { "THE FILE" } else { chapter.path });
        if !chapter.says.is_empty() {
            page.text(chapter.says);
        }
        for entry in chapter.entries {
            page.tagged(vec![bold(entry.key)], entry.says);
            let facts = facts(entry).into_iter().chain([("Example", entry.shown())]);
            let facts: Vec<String> = facts.map(|(name, value)| format!("{name}: {value}.")).collect();
            page.more(&facts.join(" "));
            page.indent();
            for (written, message) in mistakes(chapter, entry) {
                page.bullet(&format!("{written}: {message}"));
            }
            page.outdent();
        }
        if !chapter.rules.is_empty() {
            page.subsection(&format!("Rules of {}", chapter.path));
            shown(&mut page, chapter.rules.iter().map(|rule| (rule.says, refusal(rule.file))));
        }
    }
    page.section("MISTAKES ANYWHERE");
    shown(&mut page, anywhere());
    page.section("WARNINGS");
    page.text("The file is taken. What is said here is rarely meant.");
    shown(&mut page, warnings());
    page.section("EXIT STATUS OF A CHECK");
    page.rows(CODES);
    page.section("EXAMPLES");
    let head = maglev_docs::markdown::Page { path: String::new(), text: super::page::HEAD.to_owned() };
    page.verbatim(&head.blocks_of("yaml")[0].text);
    page.section("SEE ALSO");
    page.text("`maglevd`(8), `maglevc`(1)");
    page.render()
}

fn shown(page: &mut Page, all: impl Iterator<Item = (&'static str, String)>) {
    all.for_each(|(says, message)| page.bullet(&format!("{says} {message}")));
}
