//! Pure. What a line of another shell asks to be completed: what stands before the cursor, flags and all.

use crate::names::Continuation;
use crate::tree::token::{Line, Token};

/// What there is to complete.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One of these that begins so.
    Choice(&'static [(&'static str, &'static str)], String),
    /// What can follow these words: a line that ends in a question mark.
    Words(Line),
    /// Nothing that anybody knows.
    Nothing,
}

/// The flags, and whether a value follows.
const FLAGS: &[(&str, &str)] = &[
    ("--server", "where maglevd listens"),
    ("--color", "when to colour"),
    ("--output", "text or json"),
    ("--version", "print the version and exit"),
    ("--help", "list the flags"),
];
const COLORS: &[(&str, &str)] =
    &[("auto", "on a terminal unless NO_COLOR is set"), ("true", "always"), ("false", "never")];
const OUTPUTS: &[(&str, &str)] = &[("text", "for people"), ("json", "for programs")];

/// Understands a line up to the cursor, which begins with the name of the program, and says which server it names.
pub(crate) fn understand(line: &str) -> (Option<String>, Wanted) {
    let Ok(Line { tokens, .. }) = Line::split(line) else { return (None, Wanted::Nothing) };
    let mut texts: Vec<String> = tokens.into_iter().skip(1).map(|token| token.text).collect();
    // After a blank a new word begins.
    let current =
        if line.ends_with(char::is_whitespace) { String::new() } else { texts.pop().unwrap_or_default() };
    let mut server = None;
    let mut words = Vec::new();
    let mut flags = true;
    let mut texts = texts.into_iter();
    while let Some(text) = texts.next() {
        let (flag, value) = match text.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (text.as_str(), None),
        };
        match flag {
            _ if !flags => words.push(text),
            "--" => flags = false,
            "--server" | "--color" | "--output" => match value.or_else(|| texts.next()) {
                Some(value) if flag == "--server" => server = Some(value),
                Some(_) => {}
                None => return (server, choice(flag, current)),
            },
            _ if flag.starts_with('-') => {}
            _ => words.push(text),
        }
    }
    if flags && current.starts_with('-') {
        return match current.split_once('=') {
            // Shells complete the whole word, of which the flag is a part.
            Some(_) => (server, Wanted::Nothing),
            None => (server, Wanted::Choice(FLAGS, current)),
        };
    }
    let mut line = Line::from_arguments(&words);
    if !line.text.is_empty() {
        line.text.push(' ');
    }
    let start = line.text.len();
    line.text.push_str(&current);
    line.text.push('?');
    line.tokens.push(Token { text: format!("{current}?"), span: start..line.text.len(), quoted: false });
    (server, Wanted::Words(line))
}

/// The values of a flag.
fn choice(flag: &str, current: String) -> Wanted {
    match flag {
        "--color" => Wanted::Choice(COLORS, current),
        "--output" => Wanted::Choice(OUTPUTS, current),
        _ => Wanted::Nothing,
    }
}

/// Lines for a shell: what can be typed, a tab, its help. What could upset a shell is left out.
pub(crate) fn lines(all: &[Continuation]) -> String {
    let mut text = String::new();
    for one in all {
        for typed in one
            .texts()
            .into_iter()
            .filter(|typed| !typed.contains(|c: char| c.is_control() || c.is_whitespace()))
        {
            text.push_str(&format!("{typed}\t{}\n", one.help));
        }
    }
    text
}

/// Lines for a shell: those of these that begin so.
pub(crate) fn choices(all: &[(&str, &str)], prefix: &str) -> String {
    let begun = all.iter().filter(|(typed, _)| typed.starts_with(prefix));
    begun.map(|(typed, help)| format!("{typed}\t{help}\n")).collect()
}

#[cfg(test)]
mod tests;
