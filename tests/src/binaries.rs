//! Edge. The binaries under test, built from this tree.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The daemon. `MAGLEV_TESTS_MAGLEVD` names another one to test, such as an installed package's.
pub fn maglevd() -> PathBuf {
    binary("maglevd")
}

/// The command line client. `MAGLEV_TESTS_MAGLEVC` names another one to test.
pub fn maglevc() -> PathBuf {
    binary("maglevc")
}

fn binary(name: &str) -> PathBuf {
    match std::env::var_os(format!("MAGLEV_TESTS_{}", name.to_uppercase())) {
        Some(path) => path.into(),
        None => built().join(name),
    }
}

/// The directory of the binaries, brought up to date once a test program: `cargo test -p maglev-tests` does not build
/// the binaries of other packages, and a stale one would answer for yesterday's code.
fn built() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        // This program is <target>/<profile>/deps/<name>-<hash>.
        let this = std::env::current_exe().expect("the path of this program");
        let profile = this.ancestors().nth(2).expect("a directory for the profile");
        let target = profile.parent().expect("a target directory");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--package", "maglevd", "--package", "maglevc", "--bins"]);
        cargo.arg("--target-dir").arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let output = cargo.output().expect("cargo, to build the binaries under test");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the binaries under test do not build:\n{words}");
        profile.to_owned()
    })
}
