use proptest::prelude::*;

use super::{ClientConfig, parse};
use crate::config::keys::{CLIENT_FILE, CLIENT_SERVER};
use crate::config::tests::{compare, golden, name};

/// As maglevc does, in short.
fn address(text: &str) -> Result<bool, String> {
    match text {
        "" | "nonsense!" => Err("write host:port".to_owned()),
        text => Ok(!text.starts_with("unix:")),
    }
}

#[test]
fn golden_files_are_read_or_refused_with_what_to_write_instead() {
    let mut different = Vec::new();
    let mut refused = 0;
    for file in golden("client") {
        let said = match parse(std::fs::read(&file).unwrap(), address) {
            Ok(config) => format!("{config:#?}\n"),
            Err(errors) => {
                refused += 1;
                format!("{}\n", errors.in_file(name(&file)))
            }
        };
        compare(&file.with_extension("expected"), &said, &mut different);
    }
    assert!(refused >= 3, "there are bad files");
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn a_file_without_anything_names_no_server() {
    for text in ["", "\n", "# nothing yet\n  # at all", "\u{feff}"] {
        assert_eq!(parse(text, address).unwrap(), ClientConfig::default(), "{text:?}");
    }
}

const REFERENCE: &str = include_str!("../../../../docs/maglevc.md");

#[test]
fn the_reference_has_every_key_and_its_example_is_valid() {
    let section = REFERENCE.split("\n## ").find(|section| section.starts_with("Servers by name")).unwrap();
    for key in CLIENT_FILE.keys.iter().chain(CLIENT_SERVER.keys) {
        let written = section.contains(&format!("`{key}`")) || section.contains(&format!(".{key}`"));
        assert!(written || *key == "servers", "{key} is not documented");
    }
    let (_, example) = section.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let config = parse(example, address).unwrap();
    assert_eq!(config.servers.len(), 3);
}

proptest! {
    #[test]
    fn no_file_is_too_strange_to_be_answered(
        words in prop::collection::vec(
            prop_oneof![
                Just("servers"), Just("default"), Just("address"), Just("tls-ca"), Just("tls-cert"), Just(": "),
                Just("\n"), Just("  "), Just("{"), Just("}"), Just("ams"), Just("- "), Just("&a "), Just("*a"), Just("<<"),
                Just("\""), Just("\u{0}"), Just("null"),
            ],
            0..40,
        )
    ) {
        let text = words.concat();
        if let Err(errors) = parse(&text, address) {
            prop_assert!(!errors.diagnostics().is_empty());
        }
    }
}
