use std::collections::BTreeMap;

use super::{BackendName, InvalidName, MAX_LEN};

fn parse(text: &str) -> Result<BackendName, InvalidName> {
    text.parse()
}

#[test]
fn a_name_is_one_word() {
    for text in ["nginx0", "nginx0.example.org:80", "größe", "a/b", "-", "🦀"] {
        assert_eq!(parse(text).unwrap().as_str(), text);
    }
    let table = [
        ("", InvalidName::Empty),
        ("a b", InvalidName::Character(' ')),
        ("tab\t", InvalidName::Character('\t')),
        ("line\n", InvalidName::Character('\n')),
        ("wide\u{3000}space", InvalidName::Character('\u{3000}')),
        ("bell\u{7}", InvalidName::Character('\u{7}')),
    ];
    for (text, error) in table {
        assert_eq!(parse(text).unwrap_err(), error, "{text:?}");
    }
}

#[test]
fn length_is_counted_in_bytes() {
    assert!(parse(&"x".repeat(MAX_LEN)).is_ok());
    assert_eq!(parse(&"x".repeat(MAX_LEN + 1)), Err(InvalidName::TooLong(254)));
    assert_eq!(parse(&"ö".repeat(127)), Err(InvalidName::TooLong(254)));
}

#[test]
fn reading_a_name_checks_it() {
    assert_eq!(serde_json::from_str::<BackendName>("\"nginx0\"").unwrap(), parse("nginx0").unwrap());
    let error = serde_json::from_str::<BackendName>("\"two words\"").unwrap_err();
    assert!(error.to_string().contains("a name is one word: ' ' cannot be part of it"), "{error}");
    assert_eq!(serde_json::to_string(&parse("nginx0").unwrap()).unwrap(), "\"nginx0\"");
}

#[test]
fn a_map_can_be_asked_with_plain_text() {
    let map = BTreeMap::from([(parse("b").unwrap(), 1), (parse("a").unwrap(), 2)]);
    assert_eq!(map.get("a"), Some(&2));
    assert_eq!(map.keys().map(BackendName::as_str).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn it_lines_up_in_columns() {
    assert_eq!(format!("[{:>4}]", parse("ab").unwrap()), "[  ab]");
}
