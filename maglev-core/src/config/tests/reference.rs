//! Pure. The reference of the configuration, as `docs/config.md` and as the man page `maglev.yaml(5)`. What it says is
//! tried: examples are read, defaults are compared with what the parser takes for them, and the messages of mistakes are
//! what the parser says of these mistakes.
//!
//! `UPDATE=1 cargo test -p maglev-core reference` writes both anew.

use std::collections::BTreeSet;

use maglev_docs::golden::assert_written;
use maglev_docs::markdown::{Page, pages};

use crate::config::keys;
use crate::config::{Options, parse};
use chapters::{ANYWHERE, CHAPTERS, WARNINGS};
use entry::{Entry, Fallback, Shown, read, refusal};

mod chapters;
mod checks;
mod entry;
mod frontends;
mod man;
mod page;

/// What writes the reference.
const COMMAND: &str = "cargo test -p maglev-core reference";

#[test]
fn the_reference_in_docs_is_what_the_parser_says() {
    assert_written("docs/config.md", &page::page(), COMMAND);
}

#[test]
fn the_man_page_in_docs_is_what_the_parser_says() {
    assert_written("docs/man/maglev.yaml.5", &man::page(), COMMAND);
}

#[test]
fn every_key_is_explained_and_no_other() {
    for chapter in CHAPTERS {
        let explained: Vec<&str> = chapter.entries.iter().map(|entry| entry.key).collect();
        assert_eq!(explained, chapter.keys.keys, "{}", chapter.path);
    }
    let chapters: BTreeSet<&str> = CHAPTERS.iter().map(|chapter| chapter.keys.title).collect();
    let params = ["icmp", "tcp", "http", "https"].map(title);
    let sections = keys::ALL.iter().map(|section| section.title).filter(|title| !params.contains(title));
    let missing: Vec<&str> = sections.filter(|title| !chapters.contains(title)).collect();
    assert!(missing.is_empty(), "no chapter is about {missing:?}");
}

fn title(kind: &str) -> &'static str {
    params_of(kind).title
}

fn params_of(kind: &str) -> &'static keys::Keys {
    match kind {
        "icmp" => &keys::ICMP_PARAMS,
        "tcp" => &keys::TCP_PARAMS,
        "http" => &keys::HTTP_PARAMS,
        "https" => &keys::HTTPS_PARAMS,
        other => panic!("{other} is no type"),
    }
}

#[test]
fn every_param_is_under_its_types() {
    for kind in ["icmp", "tcp", "http", "https"] {
        let of_kind = checks::PARAMS.entries.iter().filter(|entry| entry.types.contains(&kind));
        let explained: BTreeSet<&str> = of_kind.map(|entry| entry.key).collect();
        assert_eq!(explained, params_of(kind).keys.iter().copied().collect(), "{kind}");
    }
}

#[test]
fn every_explanation_is_complete() {
    for entry in CHAPTERS.iter().flat_map(|chapter| chapter.entries) {
        let key = entry.key;
        assert!(!entry.kind.is_empty() && !entry.says.is_empty() && !entry.wrong.is_empty(), "{key}");
        assert!(entry.says.ends_with(['.', ')']), "{key}: {}", entry.says);
        assert!(entry.example.starts_with(&format!("{key}:")), "{key}");
        let counts = entry.kind == "number" && key != "port" || entry.kind == "duration";
        assert!(
            !counts || !entry.unit.is_empty() && !entry.range.is_empty(),
            "{key} has no unit or no range"
        );
    }
}

#[test]
fn examples_and_the_ends_of_ranges_are_valid() {
    for chapter in CHAPTERS {
        for entry in chapter.entries {
            for lines in [entry.example].iter().chain(entry.right) {
                let file = chapter.file(entry, lines);
                if let Err(errors) = read(&file) {
                    panic!("{errors}\n{file}");
                }
            }
        }
        if !chapter.example.is_empty() {
            read(chapter.example).unwrap();
        }
    }
}

#[test]
fn examples_show_something_else_than_the_default() {
    for chapter in CHAPTERS {
        for entry in chapter.entries.iter().filter(|entry| matches!(entry.fallback, Fallback::Value(_))) {
            let config = |lines: &str| read(&chapter.file(entry, lines)).unwrap().config;
            assert_ne!(config(entry.example), config(""), "{}", entry.key);
        }
    }
}

#[test]
fn what_is_said_to_be_the_default_is() {
    for chapter in CHAPTERS {
        for entry in chapter.entries {
            let without = read(&chapter.file(entry, ""));
            match entry.fallback {
                Fallback::Needed => {
                    let message = refusal(&chapter.file(entry, ""));
                    assert!(message.contains("is missing") || message.contains("is empty"), "{message}");
                }
                Fallback::Value(value) => {
                    let written = read(&chapter.file(entry, &format!("{}: {value}", entry.key)));
                    assert_eq!(written.unwrap().config, without.unwrap().config, "{}", entry.key);
                }
                // Some need others beside them, or are needed themselves once there are frontends.
                Fallback::Words(_) => assert!(without.is_ok(), "{}", entry.key),
            }
        }
    }
}

#[test]
fn every_listed_key_is_one_the_parser_accepts() {
    // What the golden file of every key leaves out would be listed in vain.
    let every_key = include_str!("../golden/good/every-key.yaml");
    for key in keys::ALL.iter().flat_map(|section| section.keys) {
        assert!(every_key.contains(&format!("{key}:")), "{key} is not in every-key.yaml");
    }
    assert!(parse(every_key, &Options { vpp: true, ..Options::default() }).is_ok());
}

#[test]
fn every_configuration_in_the_handbook_is_valid() {
    let mut tried = 0;
    for page in pages() {
        for block in page.blocks_of("yaml").into_iter().filter(|block| block.text.starts_with("maglev:")) {
            tried += 1;
            if let Err(errors) = parse(&block.text, &Options::default()) {
                panic!("{}:{}: {errors}\n{}", page.path, block.line, block.text);
            }
        }
    }
    assert!(tried > 5, "{tried}");
}

#[test]
fn the_configurations_to_begin_with_have_no_warnings() {
    let first = |path: &str| {
        let page: Page = pages().into_iter().find(|page| page.path == path).unwrap();
        let mut blocks = page.blocks_of("yaml").into_iter();
        blocks.find(|block| block.text.starts_with("maglev:")).unwrap().text
    };
    for path in ["README.md", "docs/config.md"] {
        let parsed = parse(first(path), &Options { vpp: path == "README.md", ..Options::default() }).unwrap();
        assert_eq!(parsed.warnings, [], "{path}: the first example is one to follow");
    }
}

/// A mistake and what is said of it.
fn mistakes(chapter: &entry::Chapter, entry: &Entry) -> Vec<(String, String)> {
    let mut mistakes = Vec::new();
    if matches!(entry.fallback, Fallback::Needed) {
        mistakes.push(("left out".to_owned(), refusal(&chapter.file(entry, ""))));
    }
    for lines in entry.wrong {
        mistakes.push((format!("`{}`", lines.replace('\n', "`, `")), refusal(&chapter.file(entry, lines))));
    }
    mistakes
}

/// The only warning about a file.
fn warning(shown: &Shown) -> String {
    let warnings = read(shown.file).unwrap_or_else(|errors| panic!("{errors}\n{}", shown.file)).warnings;
    match warnings.as_slice() {
        [only] => format!("{}; {}", only.message, only.hint),
        several => panic!("one warning is wanted, not {several:#?}\n{}", shown.file),
    }
}

/// What there is to say of a key beside its sentence: `("Type", "duration")`.
fn facts(entry: &Entry) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Type", entry.kind.to_owned())];
    if !entry.types.is_empty() {
        facts.push(("Checks", entry.types.join(", ")));
    }
    if !entry.unit.is_empty() {
        facts.push(("Unit", entry.unit.to_owned()));
    }
    facts.push((
        "Default",
        match entry.fallback {
            Fallback::Needed => "none: it has to be written".to_owned(),
            Fallback::Value(value) => format!("`{value}`"),
            Fallback::Words(words) => words.to_owned(),
        },
    ));
    if !entry.range.is_empty() {
        facts.push(("Range", entry.range.to_owned()));
    }
    facts
}

/// All that can be wrong anywhere, with its message.
fn anywhere() -> impl Iterator<Item = (&'static str, String)> {
    ANYWHERE.iter().map(|shown| (shown.says, refusal(shown.file)))
}

/// All that is warned of, with its message.
fn warnings() -> impl Iterator<Item = (&'static str, String)> {
    WARNINGS.iter().map(|shown| (shown.says, warning(shown)))
}
