//! Edge. Pages that are made, beside those that are in the repository.

use std::path::{Path, PathBuf};

/// The top of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Compares `text` with the file at `path`, which is relative to the top of the repository. With `UPDATE=1` in the
/// environment it is written there first. `command` is what writes it, for the message.
///
/// # Panics
/// When they differ, with the first line that does, or when the file cannot be written.
pub fn assert_written(path: &str, text: &str, command: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE").is_some()
        && let Err(error) = write(&file, text)
    {
        panic!("{path}: {error}");
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    if written == text {
        return;
    }
    let pairs = written.lines().map(Some).chain([None]).zip(text.lines().map(Some).chain([None]));
    let differs = pairs.enumerate().find(|(_, (written, made))| written != made);
    let (line, (written, made)) = differs.unwrap_or((0, (None, None)));
    panic!(
        "{path} is old: run `UPDATE=1 {command}` and read the difference.\nline {}\n  there is {written:?}\n  and belongs \
         {made:?}",
        line + 1
    );
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(file, text)
}
