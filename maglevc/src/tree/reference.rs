//! Pure. The reference in `docs/maglevc.md`: its commands come from the tree, its examples from running them on the fixtures,
//! and its JSON from the types that are written.
//!
//! `UPDATE=1 cargo test -p maglevc reference` writes the file anew.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::canned::{fixtures, serve_unix};
use crate::commands;
use crate::entry::tests::Process;
use crate::entry::tests::golden::COMMANDS;
use crate::tree::help::{Usage, usages};
use crate::tree::parse::{Parsed, parse};
use crate::tree::token::Line;
use crate::tree::{Json, Node};
use crate::view;

/// What no tree knows.
const PREFACE: &str = include_str!("reference.md");

#[tokio::test]
async fn the_reference_in_docs_is_what_the_tree_says() {
    let reference = reference().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/maglevc.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &reference).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == reference, "docs/maglevc.md is old: run `UPDATE=1 cargo test -p maglevc reference`");
}

async fn reference() -> String {
    let tree = commands::tree();
    let mut text = format!(
        "<!-- Made by `UPDATE=1 cargo test -p maglevc reference` from the command tree. Do not edit. -->\n{PREFACE}\n\
         ## Commands\n"
    );
    for usage in usages(&tree) {
        text.push_str(&command(&tree, &usage).await);
    }
    text.push_str("\n## JSON\n");
    text.push_str(&types());
    text
}

async fn command(tree: &Node, usage: &Usage<'_>) -> String {
    let mut text = format!("\n### `{}`\n\n{}.\n", usage.line, capital(usage.help));
    if !usage.command.details.is_empty() {
        text.push_str(&format!("\n{}\n", usage.command.details));
    }
    let options = usage.options();
    if !options.is_empty() {
        text.push_str("\n| option | |\n|---|---|\n");
        options.iter().for_each(|(option, help)| text.push_str(&format!("| `{option}` | {help} |\n")));
    }
    if let Some(example) = example(tree, usage).await {
        text.push_str(&format!("\n```\n{example}```\n"));
    }
    let link = |name: &str| format!("[{name}](#{})", name.to_lowercase());
    if let Some(json) = usage.command.json.describe(link) {
        text.push_str(&format!("\nJSON: {json}\n"));
    }
    text
}

/// What the command writes for the fixtures, on a terminal of 80 columns.
async fn example(tree: &Node, usage: &Usage<'_>) -> Option<String> {
    let runs = |line: &str| match parse(tree, &Line::split(line).ok()?).ok()? {
        Parsed::Command(command, _) => Some(std::ptr::eq(command, usage.command)),
        Parsed::Question(_) => None,
    };
    let (_, mood, line) = COMMANDS.iter().find(|(_, _, line)| *line != "help" && runs(line) == Some(true))?;
    let server = serve_unix(*mood).await;
    let ran = Process::new(line).at(&server).run().await;
    let out = ran.out.replace(&server.address, "unix:/run/maglevd.sock");
    Some(format!("$ maglevc {line}\n{out}{}", ran.errors))
}

/// Every type that is written, in the order in which commands name them, and those they are made of.
fn types() -> String {
    let mut generator = SchemaGenerator::default();
    let roots: Vec<(&str, Schema)> = vec![
        ("Version", generator.root_schema_for::<view::daemon::Version>()),
        ("Frontend", generator.root_schema_for::<view::frontend::Frontend>()),
        ("Backend", generator.root_schema_for::<view::backend::Backend>()),
        ("HealthCheck", generator.root_schema_for::<view::check::HealthCheck>()),
        ("Problem", generator.root_schema_for::<view::problem::Problem>()),
        ("Explanation", generator.root_schema_for::<view::explanation::Explanation>()),
        ("VppInfo", generator.root_schema_for::<view::vpp::VppInfo>()),
        ("LbState", generator.root_schema_for::<view::vpp::LbState>()),
        ("LbCounters", generator.root_schema_for::<view::vpp::LbCounters>()),
        ("BackendChange", generator.root_schema_for::<view::backend::BackendChange>()),
        ("WeightChange", generator.root_schema_for::<view::frontend::WeightChange>()),
        ("Plan", generator.root_schema_for::<view::plan::Plan>()),
        ("Operations", generator.root_schema_for::<view::vpp::Operations>()),
        ("Event", generator.root_schema_for::<view::event::Event>()),
        ("Access", generator.root_schema_for::<view::access::Access>()),
        ("Audit", generator.root_schema_for::<view::audit::Audit>()),
        ("Token", generator.root_schema_for::<view::token::Token>()),
        ("NamedServer", generator.root_schema_for::<view::server::NamedServer>()),
        ("FrontendsLook", generator.root_schema_for::<view::look::FrontendsLook>()),
        ("BackendsLook", generator.root_schema_for::<view::look::BackendsLook>()),
        ("ConfigCheck", generator.root_schema_for::<view::config::ConfigCheck>()),
        ("ConfigReload", generator.root_schema_for::<view::config::ConfigReload>()),
        ("ActiveConfig", generator.root_schema_for::<view::config::ActiveConfig>()),
        ("ConfigDifference", generator.root_schema_for::<view::config::ConfigDifference>()),
    ];
    let named: Vec<&str> = roots.iter().map(|(name, _)| *name).collect();
    for usage in usages(&commands::tree()) {
        if let Json::Object(name) | Json::Array(name) | Json::Lines(name) = usage.command.json {
            assert!(named.contains(&name), "{name} is not documented");
        }
    }
    let mut parts: BTreeMap<String, Value> = BTreeMap::new();
    let mut text = String::new();
    for (name, schema) in roots {
        let schema = schema.to_value();
        text.push_str(&section(name, &schema));
        for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
            if !named.contains(&name.as_str()) {
                parts.insert(name.clone(), part.clone());
            }
        }
    }
    parts.iter().for_each(|(name, part)| text.push_str(&section(name, part)));
    text
}

/// One type: a table of fields, of words, or of fields for each word of `type`.
fn section(name: &str, schema: &Value) -> String {
    let said = schema["description"].as_str().unwrap_or_default();
    let mut text = format!("\n### {name}\n\n{said}\n");
    if let Some(fields) = schema["properties"].as_object() {
        text.push_str(&table(fields, ""));
    }
    for one in schema["oneOf"].as_array().into_iter().flatten() {
        let said = one["description"].as_str().unwrap_or_default();
        match one["properties"].as_object() {
            None => text.push_str(&format!("\n- `{}`: {said}", one["const"].as_str().unwrap_or_default())),
            Some(fields) => {
                let kind = fields["type"]["const"].as_str().unwrap_or_default();
                text.push_str(&format!("\nWhere `type` is `{kind}`: {said}\n"));
                if fields.len() > 1 {
                    text.push_str(&table(fields, "type"));
                }
            }
        }
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn table(fields: &Map<String, Value>, without: &str) -> String {
    let mut text = "\n| field | type | |\n|---|---|---|\n".to_owned();
    for (name, schema) in fields.iter().filter(|(name, _)| *name != without) {
        let said = schema["description"].as_str().unwrap_or_default();
        text.push_str(&format!("| `{name}` | {} | {said} |\n", kind(schema)));
    }
    text
}

/// A type in words.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.trim_start_matches("#/$defs/");
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(several) = schema["anyOf"].as_array() {
        return several.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let word = |word: &str| match word {
        "array" => format!("array of {}", kind(&schema["items"])),
        "object" => "object of strings".to_owned(),
        word => word.to_owned(),
    };
    match &schema["type"] {
        Value::String(one) => word(one),
        Value::Array(several) => {
            several.iter().filter_map(Value::as_str).map(word).collect::<Vec<_>>().join(" or ")
        }
        // No type is every type.
        Value::Null => "any".to_owned(),
        other => panic!("no words for {other} of {schema}"),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[test]
fn fixtures_are_of_one_moment() {
    let now = jiff::Timestamp::new(fixtures::NOW, 0).unwrap();
    assert_eq!(now.to_string(), "2026-03-14T15:09:26Z");
}
