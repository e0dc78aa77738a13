//! Access files and what becomes of them: the text beside each in `golden/access`. `UPDATE=1` writes it.

use crate::access::{Access, Role};
use crate::config::tests::{compare, golden, name};

use super::*;

const REFERENCE: &str = include_str!("../../../../docs/security.md");

fn uid_of(name: &str) -> Option<u32> {
    (name == "alice").then_some(1000)
}

#[test]
fn golden_access_files_are_read_or_refused_with_what_to_write_instead() {
    let mut different = Vec::new();
    for file in golden("access") {
        let text = match parse(std::fs::read(&file).unwrap(), uid_of) {
            Ok(ParsedAccess { access, warnings }) => {
                let warnings: String =
                    warnings.iter().map(|warning| format!("{}\n", warning.in_file(name(&file)))).collect();
                format!("{}\n{warnings}", serde_json::to_string_pretty(&access).unwrap())
            }
            Err(errors) => format!("{}\n", errors.in_file(name(&file))),
        };
        compare(&file.with_extension("expected"), &text, &mut different);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn what_may_be_a_token_is_not_repeated() {
    let text = "access: {users: {alice: {role: admin, token: hunter2}}}";
    let errors = parse(text, uid_of).unwrap_err().to_string();
    assert!(!errors.contains("hunter2"), "{errors}");
}

#[test]
fn an_empty_file_says_what_no_file_says() {
    assert_eq!(parse("access: {}", uid_of).unwrap().access, Access::default());
    assert_eq!(Access::default().anonymous, Role::Viewer);
}

#[test]
fn the_reference_has_every_key() {
    for key in keys::ALL_OF_ACCESS.iter().flat_map(|section| section.keys) {
        assert!(REFERENCE.contains(&format!("| `{key}` |")) || *key == "access", "no row for {key}");
    }
}

#[test]
fn the_example_of_the_reference_is_valid() {
    let example = REFERENCE.split("```yaml\n").find(|block| block.starts_with("access:")).unwrap();
    let example = example.split("```").next().unwrap();
    let parsed = parse(example, |_| Some(1000)).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(parsed.warnings, []);
    assert!(!parsed.access.users.is_empty());
}

proptest::proptest! {
    #[test]
    fn whatever_the_bytes_there_is_an_answer(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = parse(bytes, uid_of);
    }
}
