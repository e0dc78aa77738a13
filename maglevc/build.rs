//! Tells the program which commit it was built from.

use std::process::Command;

fn main() {
    // Without a repository, as in a source package or a container, the environment can say it; else it is "unknown".
    println!("cargo:rerun-if-changed=../.git/HEAD");
    println!("cargo:rerun-if-changed=../.git/refs/heads");
    for (variable, arguments) in [
        ("MAGLEV_BUILD_COMMIT", ["show", "-s", "--format=%h", "HEAD"]),
        ("MAGLEV_BUILD_DATE", ["show", "-s", "--format=%cs", "HEAD"]),
    ] {
        println!("cargo:rerun-if-env-changed={variable}");
        let told = std::env::var(variable).ok().filter(|text| !text.is_empty());
        let text = told.or_else(|| {
            let output = Command::new("git").args(arguments).output().ok()?;
            String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
        });
        println!("cargo:rustc-env={variable}={}", text.as_deref().map_or("unknown", str::trim));
    }
}
