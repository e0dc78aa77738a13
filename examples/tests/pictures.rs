//! Edge. The pictures in the handbook are what the examples draw.

#![expect(clippy::unwrap_used, reason = "this is a test, which fails by panicking")]

use std::path::PathBuf;
use std::process::Command;

use maglev_docs::markdown::pages;

/// How the handbook runs the example that draws shares.
const RUN: &str = "$ cargo run -q -p maglev-examples --example shares -- ";

/// The example, which cargo builds beside this test.
fn shares() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.ancestors().nth(2).unwrap().join("examples/shares")
}

#[test]
fn the_pictures_of_shares_are_true() {
    let mut tried = 0;
    for page in pages() {
        for block in page.blocks_of("console") {
            let Some((command, shown)) = block.text.split_once('\n') else { continue };
            let Some(arguments) = command.strip_prefix(RUN) else { continue };
            tried += 1;
            let output = Command::new(shares()).args(arguments.split(' ')).output().unwrap();
            assert!(output.status.success(), "{command}");
            assert_eq!(String::from_utf8(output.stdout).unwrap(), shown, "{}:{}", page.path, block.line);
        }
    }
    assert!(tried >= 2, "{tried}");
}
