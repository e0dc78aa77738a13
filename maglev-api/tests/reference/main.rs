//! Pure. The reference of the API in `docs/api.md`, made from the descriptors and their comments. An addition to the proto
//! file needs nothing here.
//!
//! `UPDATE=1 cargo test -p maglev-api` writes the file anew.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "this is a test, which fails by panicking")]

mod contract;
mod example;

use maglev_docs::golden::assert_written;

use contract::{Contract, Enum, Message, Method};

/// What no descriptor says.
const PREFACE: &str = include_str!("preface.md");

#[test]
fn the_reference_in_docs_is_what_the_descriptors_say() {
    assert_written("docs/api.md", &page(&Contract::read()), "cargo test -p maglev-api");
}

#[test]
fn everything_is_explained() {
    let contract = Contract::read();
    let methods = contract.methods.iter().map(|method| (&method.name, &method.comment));
    let fields = contract
        .messages
        .iter()
        .flat_map(|message| &message.fields)
        .map(|field| (&field.name, &field.comment));
    let values = contract.enums.iter().flat_map(|one| &one.values).map(|value| (&value.name, &value.comment));
    let silent: Vec<&String> = methods
        .chain(fields)
        .chain(values)
        .filter(|(_, comment)| comment.is_empty())
        .map(|(name, _)| name)
        .collect();
    assert!(silent.is_empty(), "nothing is said of {silent:?}");
}

fn page(contract: &Contract) -> String {
    let mut text = String::from(
        "<!-- Made by `UPDATE=1 cargo test -p maglev-api` from maglev-api/proto/maglev/v1/maglev.proto. Do not edit. -->\n",
    );
    text.push_str(PREFACE);
    text.push_str("\n## Calls\n\n| call | role | |\n|---|---|---|\n");
    for method in &contract.methods {
        let (description, role) = (method.description(), method.role());
        let first = first_sentence(&description);
        text.push_str(&format!("| {} | {role} | {first} |\n", link(&method.name)));
    }
    contract.methods.iter().for_each(|method| text.push_str(&call(contract, method)));
    text.push_str("\n## Messages\n");
    contract.messages.iter().for_each(|message| text.push_str(&fields(message)));
    text.push_str("\n## Enumerations\n");
    contract.enums.iter().for_each(|one| text.push_str(&values(one)));
    text
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", name.to_lowercase())
}

fn first_sentence(comment: &str) -> &str {
    comment.split_inclusive(". ").next().unwrap_or_default().trim()
}

fn call(contract: &Contract, method: &Method) -> String {
    let mut text = format!("\n### {}\n\n{}\n\n| | |\n|---|---|\n", method.name, method.description());
    let stream = if method.streams { "a stream of " } else { "" };
    text.push_str(&format!("| request | {} |\n", link(&method.input)));
    text.push_str(&format!("| response | {stream}{} |\n", link(&method.output)));
    text.push_str(&format!("| role | {} |\n", method.role()));
    let errors = method.errors();
    let errors = if errors.is_empty() { "none but [those of every call](#errors)" } else { &errors };
    text.push_str(&format!("| errors | {errors} |\n\n```console\n"));
    if let Some(words) = example::command(&method.name) {
        text.push_str(&format!("$ maglevc {words}\n"));
    }
    text.push_str(&format!("$ {}\n```\n", example::grpcurl(contract, method)));
    text
}

fn fields(message: &Message) -> String {
    let mut text = format!("\n### {}\n", message.name);
    if !message.comment.is_empty() {
        text.push_str(&format!("\n{}\n", message.comment));
    }
    if message.fields.is_empty() {
        text.push_str("\nNo fields.\n");
        return text;
    }
    text.push_str("\n| field | number | type | |\n|---|---|---|---|\n");
    for field in &message.fields {
        let choice = match &field.choice {
            Some(choice) => format!(" One of `{choice}`."),
            None => String::new(),
        };
        text.push_str(&format!(
            "| `{}` | {} | {} | {}{choice} |\n",
            field.name,
            field.number,
            field.kind.describe(link),
            field.comment
        ));
    }
    text
}

fn values(one: &Enum) -> String {
    let mut text = format!("\n### {}\n\n{}\n\n| value | number | |\n|---|---|---|\n", one.name, one.comment);
    for value in &one.values {
        text.push_str(&format!("| `{}` | {} | {} |\n", value.name, value.number, value.comment));
    }
    text
}
