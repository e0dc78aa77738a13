//! Pure. Files and what becomes of them.
//!
//! `golden/bad/*.yaml` are refused with the text beside them, `golden/good/*.yaml` are read as the JSON beside them and
//! with the warnings beside them. A new case is a new file: `UPDATE=1 cargo test -p maglev-core golden` writes what
//! belongs beside it, to be looked at before it is committed.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Errors, Options, Parsed, ProbeType, parse};

mod proptests;
mod reference;
mod rules;

pub(in crate::config) fn golden(kind: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/golden").join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Compares `text` with the file, or writes it there.
pub(in crate::config) fn compare(file: &Path, text: &str, different: &mut Vec<String>) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, text).unwrap();
    } else {
        let expected = fs::read_to_string(file).unwrap_or_default();
        if expected != text {
            different.push(format!("{}:\n--- expected\n{expected}--- found\n{text}", file.display()));
        }
    }
}

pub(in crate::config) fn name(file: &Path) -> &str {
    file.file_name().unwrap().to_str().unwrap()
}

/// A file whose first line is `# with vpp` is read for a daemon that drives VPP.
fn read(file: &Path) -> Result<Parsed, Errors> {
    let bytes = fs::read(file).unwrap();
    let vpp = bytes.starts_with(b"# with vpp");
    parse(bytes, &Options { vpp, ..Options::default() })
}

#[test]
fn golden_bad_files_are_refused_with_what_to_write_instead() {
    let mut different = Vec::new();
    for file in golden("bad") {
        let errors = match read(&file) {
            Err(errors) => errors,
            Ok(_) => panic!("{} should be refused", file.display()),
        };
        let text = format!("{}\nexit {}\n", errors.in_file(name(&file)), errors.exit_code());
        compare(&file.with_extension("expected"), &text, &mut different);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn golden_good_files_are_read() {
    let mut different = Vec::new();
    for file in golden("good") {
        let parsed = read(&file).unwrap_or_else(|errors| panic!("{}", errors.in_file(name(&file))));
        let warnings: String =
            parsed.warnings.iter().map(|warning| format!("{}\n", warning.in_file(name(&file)))).collect();
        compare(&file.with_extension("warnings"), &warnings, &mut different);
        let json = serde_json::to_string_pretty(&parsed.config).unwrap() + "\n";
        compare(&file.with_extension("json"), &json, &mut different);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
