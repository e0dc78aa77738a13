use super::{ClientConfig, parse};
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
