//! Edge. Every block of Rust in the handbook is compiled somewhere.

use maglev_docs::markdown::pages;
use maglev_docs::root;

/// Where doctests of pages are.
const DOCTESTS: &str = "examples/src/lib.rs";
/// Tests that pages quote.
const TESTS: &str = "tests/tests";

#[test]
fn every_block_of_rust_is_compiled() {
    let doctests = std::fs::read_to_string(root().join(DOCTESTS)).unwrap();
    let tests: Vec<String> = std::fs::read_dir(root().join(TESTS))
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
        .collect();
    let mut loose = Vec::new();
    for page in pages() {
        let is_doctest = doctests.contains(&format!("include_str!(\"../../{}\")", page.path));
        for block in page.blocks().into_iter().filter(|block| block.language.starts_with("rust")) {
            if !is_doctest && !tests.iter().any(|test| test.contains(&block.text)) {
                loose.push(format!("{}:{}", page.path, block.line));
            }
        }
    }
    assert!(loose.is_empty(), "neither a doctest of {DOCTESTS} nor from a file of {TESTS}: {loose:?}");
}
