//! Edge. What the packages bring is what the daemon takes.

use std::collections::BTreeSet;
use std::path::Path;

use maglev_tests::daemon::{file, run, run_with};

fn packaged(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Standard error of `maglevd --check`, which has to find the text valid.
#[track_caller]
fn taken(text: &str) -> String {
    let (_directory, path) = file(text);
    let output = run(&["--check", "--config", &path]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    errors
}

#[test]
fn the_configuration_is_valid_as_it_is_installed() {
    assert_eq!(taken(&packaged("config/maglev.yaml")), "", "and there is nothing to say about it");
}

#[test]
fn the_configuration_is_valid_once_its_example_is_taken() {
    let uncommented = packaged("config/maglev.yaml")
        .lines()
        .map(|line| line.strip_prefix('#').filter(|line| !line.starts_with('#')).unwrap_or(line))
        .fold(String::new(), |text, line| text + line + "\n");
    assert!(uncommented.contains("\n    site:\n"), "{uncommented}");
    assert_eq!(taken(&uncommented), "");
}

#[test]
fn the_configuration_of_the_composed_demonstration_is_valid() {
    assert_eq!(taken(&packaged("docker/maglev.yaml")), "");
}

fn variables(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_ascii_uppercase() && character != '_');
    words.filter(|word| word.starts_with("MAGLEV_")).map(str::to_owned).collect()
}

#[test]
fn every_variable_is_in_the_file_for_them() {
    let help = run(&["--help"]);
    let known = variables(&String::from_utf8_lossy(&help.stdout));
    assert!(known.contains("MAGLEV_CONFIG"), "{known:?}");
    let settings = packaged("config/vpp-maglev.default");
    let missing: Vec<_> = known.difference(&variables(&settings)).cloned().collect();
    assert!(missing.is_empty(), "/etc/default/vpp-maglev does not mention {missing:?}");
}

#[test]
fn the_settings_are_taken_as_they_are_installed() {
    // The unit makes this directory (`RuntimeDirectory=`).
    let runtime = tempfile::tempdir().unwrap();
    let settings = packaged("config/vpp-maglev.default")
        .replace("/run/vpp-maglev", &runtime.path().display().to_string());
    let set: Vec<_> = settings
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .collect();
    assert!(!set.is_empty());
    let (_directory, path) = file("maglev: {}\n");
    let output = run_with(&set, &["--check", "--config", &path]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
