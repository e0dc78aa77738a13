//! Pure. What is said of a key, and how what is said is tried.

use crate::config::keys::Keys;
use crate::config::{Errors, Options, Parsed, parse};

/// What stands for a key that is not written.
pub(super) enum Fallback {
    /// The file is refused.
    Needed,
    /// This value.
    Value(&'static str),
    /// In words.
    Words(&'static str),
}

/// All that is said of a key.
pub(super) struct Entry {
    pub(super) key: &'static str,
    /// The types of check it is for; empty for a key that is no param.
    pub(super) types: &'static [&'static str],
    pub(super) kind: &'static str,
    /// What a number counts; empty for what counts nothing.
    pub(super) unit: &'static str,
    pub(super) fallback: Fallback,
    /// Which values it can have, where the type does not say.
    pub(super) range: &'static str,
    pub(super) says: &'static str,
    /// Lines of its section, the first of them its own.
    pub(super) example: &'static str,
    /// More that is right, such as both ends of the range.
    pub(super) right: &'static [&'static str],
    /// What is refused: the messages come from the parser.
    pub(super) wrong: &'static [&'static str],
}

/// A key that has to be written.
pub(super) const fn needed(key: &'static str, kind: &'static str, says: &'static str) -> Entry {
    Entry {
        key,
        types: &[],
        kind,
        unit: "",
        fallback: Fallback::Needed,
        range: "",
        says,
        example: "",
        right: &[],
        wrong: &[],
    }
}

/// A key that stands for `value` when it is not written.
pub(super) const fn or(
    key: &'static str,
    kind: &'static str,
    value: &'static str,
    says: &'static str,
) -> Entry {
    Entry { fallback: Fallback::Value(value), ..needed(key, kind, says) }
}

/// A key whose default takes words to say.
pub(super) const fn otherwise(
    key: &'static str,
    kind: &'static str,
    words: &'static str,
    says: &'static str,
) -> Entry {
    Entry { fallback: Fallback::Words(words), ..needed(key, kind, says) }
}

impl Entry {
    pub(super) const fn of(self, types: &'static [&'static str]) -> Entry {
        Entry { types, ..self }
    }

    pub(super) const fn says(self, says: &'static str) -> Entry {
        Entry { says, ..self }
    }

    pub(super) const fn unit(self, unit: &'static str) -> Entry {
        Entry { unit, ..self }
    }

    pub(super) const fn range(self, range: &'static str, ends: &'static [&'static str]) -> Entry {
        Entry { range, right: ends, ..self }
    }

    pub(super) const fn example(self, example: &'static str) -> Entry {
        Entry { example, ..self }
    }

    /// The example on one line.
    pub(super) fn shown(&self) -> String {
        format!("`{}`", self.example.replace('\n', "`, `"))
    }

    pub(super) const fn wrong(self, wrong: &'static [&'static str]) -> Entry {
        Entry { wrong, ..self }
    }
}

/// Something that is said beside keys, with a file that shows it.
pub(super) struct Shown {
    pub(super) says: &'static str,
    pub(super) file: &'static str,
}

/// A section of the file.
pub(super) struct Chapter {
    pub(super) path: &'static str,
    pub(super) keys: &'static Keys,
    pub(super) says: &'static str,
    pub(super) entries: &'static [Entry],
    /// A file around the section, which stands where `@` does.
    pub(super) around: &'static str,
    /// What else the section needs: lines whose keys are left out where an entry has them.
    pub(super) base: &'static [&'static str],
    /// What several keys must not say together.
    pub(super) rules: &'static [Shown],
    /// A whole file.
    pub(super) example: &'static str,
}

impl Chapter {
    /// A file with these lines in this section. `key` itself is only in it if a line has it.
    pub(super) fn file(&self, entry: &Entry, lines: &str) -> String {
        let written: Vec<&str> = lines.lines().filter_map(key_of).collect();
        let base = self.base.iter().copied().filter(|line| {
            let key = key_of(line).unwrap_or_default();
            key != entry.key && !written.contains(&key)
        });
        let mut file = String::new();
        for line in self.around.lines() {
            let Some(indent) = line.strip_suffix('@') else {
                file.push_str(&line.replace("TYPE", entry.types.first().copied().unwrap_or("http")));
                file.push('\n');
                continue;
            };
            for line in base.clone().chain(lines.lines()) {
                file.push_str(&format!("{indent}{line}\n"));
            }
        }
        file
    }
}

/// The key of a line, unless the line belongs to one before it.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(':')?;
    (!line.starts_with([' ', '-', '#'])).then_some(key)
}

/// Reads a file as a daemon does that drives VPP, if the file has sources for its packets.
pub(super) fn read(file: &str) -> Result<Parsed, Errors> {
    parse(file, &Options { vpp: file.contains("vpp:"), ..Options::default() })
}

/// The only message for a file that is refused.
pub(super) fn refusal(file: &str) -> String {
    let errors = match read(file) {
        Err(errors) => errors,
        Ok(_) => panic!("this should be refused:\n{file}"),
    };
    match errors.diagnostics() {
        [only] => format!("{}; {}", only.message, only.hint),
        several => panic!("one message is wanted, not {several:#?}\n{file}"),
    }
}
