//! Tells the program which commit it was built from.

use std::process::Command;

fn main() {
    // Absent in a source package: then the program says "unknown".
    println!("cargo:rerun-if-changed=../.git/HEAD");
    println!("cargo:rerun-if-changed=../.git/refs/heads");
    for (variable, arguments) in [
        ("MAGLEV_BUILD_COMMIT", ["show", "-s", "--format=%h", "HEAD"]),
        ("MAGLEV_BUILD_DATE", ["show", "-s", "--format=%cs", "HEAD"]),
    ] {
        let output =
            Command::new("git").args(arguments).output().ok().filter(|output| output.status.success());
        let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
        println!("cargo:rustc-env={variable}={}", text.as_deref().map_or("unknown", str::trim));
    }
}
