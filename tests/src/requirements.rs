//! Edge. What a test needs of the machine, and what to do where that is not there.

use std::io::Write;
use std::path::Path;

/// Set to 1 where every test must run, as in CI: what is missing is a failure then.
const REQUIRE: &str = "MAGLEV_TESTS_REQUIRE";

/// Where programs for root are too, which not every PATH has.
const SBIN: &str = "/usr/local/sbin:/usr/sbin:/sbin";

/// Says that a test is skipped and why, past the test runner's capture of output. Panics where nothing may be skipped.
#[track_caller]
pub fn skip(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os(REQUIRE).is_none_or(|value| value != "1"), "{test} cannot run: {reason}");
    // Written to directly: the test runner shows what is printed only for tests that fail.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {reason} (an error with {REQUIRE}=1)");
}

/// What is missing of `programs`, each with the Debian package it comes in.
pub fn missing(programs: &[(&str, &str)]) -> Option<String> {
    let absent: Vec<String> = programs
        .iter()
        .filter(|(program, _)| !is_installed(program))
        .map(|(program, package)| format!("there is no {program}; apt install {package}"))
        .collect();
    (!absent.is_empty()).then(|| absent.join(", and "))
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(SBIN.split(':')).any(|directory| Path::new(directory).join(program).is_file())
}
