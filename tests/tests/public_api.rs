//! Edge. What the libraries promise to those who build on them, so that no promise changes unseen.
//!
//! Each library has its public API in `public-api.txt`, an item a line. A line that goes or changes breaks somebody's
//! build and wants a new minor version before 1.0 and a new major one after; a new line wants a patch or a minor one.
//! `UPDATE=1 cargo test -p maglev-tests --test public_api -- --ignored` writes the files anew.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot get what it needs has failed, and should say so where it stands"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the rustdoc of the pinned toolchain with its JSON output, which is not stable yet, let out. Only rustdoc sees the
/// variable: cargo would take it for a reason to build every dependency again.
const RUSTDOC: &str = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";

#[test]
#[ignore = "documents five crates, which takes a minute; CI runs it"]
fn the_public_api_is_what_was_promised() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let directory = tempfile::tempdir().expect("a directory");
    let rustdoc = directory.path().join("rustdoc");
    fs::write(&rustdoc, RUSTDOC).expect("a script");
    fs::set_permissions(&rustdoc, fs::Permissions::from_mode(0o755)).expect("a script that runs");

    let changes: Vec<String> = ["maglev-core", "maglev-file", "maglev-probe", "maglev-vpp", "maglev-api"]
        .into_iter()
        .filter_map(|library| {
            let found = public_api(root, library, &rustdoc);
            let file = root.join(library).join("public-api.txt");
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&file, found).expect("a file that can be written");
                return None;
            }
            let promised = fs::read_to_string(&file).unwrap_or_default();
            (found != promised).then(|| difference(library, &promised, &found))
        })
        .collect();
    assert!(changes.is_empty(), "{}\nUPDATE=1 takes this as the new promise", changes.concat());
}

/// The public items of a library with all its features, one a line.
fn public_api(root: &Path, library: &str, rustdoc: &Path) -> String {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["rustdoc", "--quiet", "--lib", "--all-features", "--package", library, "--target-dir"]);
    cargo.arg(target()).current_dir(root).env("RUSTDOC", rustdoc);
    cargo.args(["--", "-Zunstable-options", "--output-format=json", "--cap-lints=allow"]);
    let output = cargo.output().expect("cargo, to document the libraries");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{library} cannot be documented:\n{words}");
    let json = target().join("doc").join(library.replace('-', "_")).with_extension("json");
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .expect("the public API");
    api.items().map(|item| format!("{item}\n")).collect()
}

/// Where the documentation goes, in which the dependencies are there already.
fn target() -> PathBuf {
    // This program is <target>/<profile>/deps/<name>-<hash>.
    let this = std::env::current_exe().expect("the path of this program");
    this.ancestors().nth(3).expect("a target directory").to_owned()
}

fn difference(library: &str, promised: &str, found: &str) -> String {
    let lost = promised.lines().filter(|line| !found.lines().any(|other| other == *line));
    let won = found.lines().filter(|line| !promised.lines().any(|other| other == *line));
    let lines = lost.map(|line| format!("  - {line}\n")).chain(won.map(|line| format!("  + {line}\n")));
    format!("{library}:\n{}", lines.collect::<String>())
}
