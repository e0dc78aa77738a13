use std::fs;

use super::super::tests::{compare, golden, name};
use super::super::{Config, Options, parse};

/// Reads what was written. GRE sources are asked for only with VPP.
fn read(text: &str) -> Config {
    parse(text, &Options::default()).unwrap_or_else(|errors| panic!("{errors}\n{text}")).config
}

#[test]
fn golden_configuration_is_written_with_every_default() {
    let mut different = Vec::new();
    for file in golden("good") {
        let config = read(&fs::read_to_string(&file).unwrap());
        let written = config.to_yaml();
        assert_eq!(read(&written), config, "{}\n{written}", name(&file));
        compare(&file.with_extension("written"), &written, &mut different);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn texts_are_read_as_they_were() {
    for text in [
        "",
        " ",
        "yes",
        "No",
        "1",
        "1e3",
        "0x10",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#b",
        "'",
        "\"",
        "\\",
        "{a}",
        "[a]",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
        "?",
        "~",
        "12:30:00",
        "a\u{2028}b",
        "\u{202e}evil",
        "ünï",
        "<<",
        "1.5.2",
        "2001:db8::1",
        "192.0.2.1",
        "1m30s",
    ] {
        let written = format!(
            "maglev: {{backends: {{b: {{address: 192.0.2.1}}}}, frontends: {{f: {{description: {}, address: 192.0.2.1, \
             pools: [{{name: p, backends: {{b: {{}}}}}}]}}}}}}",
            super::Node::text(text).to_line()
        );
        assert_eq!(read(&written).frontends["f"].description, text, "{written}");
    }
}
