//! Pure. What a line of another shell asks to be completed: what stands before the cursor, flags and all.

use crate::names::Continuation;
use crate::servers::Meant;
use crate::tree::token::{Line, Token};
use crate::view::server::NamedServer;

/// What there is to complete.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One of these that begins so.
    Choice(&'static [(&'static str, &'static str)], String),
    /// What can follow these words: a line that ends in a question mark.
    Words(Line),
    /// A server whose name begins so.
    Server(String),
    /// Nothing that anybody knows.
    Nothing,
}

/// The flags.
const FLAGS: &[(&str, &str)] = &[
    ("--server", "where maglevd listens"),
    ("--tls-ca", "the CAs that sign the server's certificate"),
    ("--tls-cert", "your certificate"),
    ("--tls-key", "the key of your certificate"),
    ("--tls-server-name", "the name that the server's certificate is for"),
    ("--token-file", "a file with your token"),
    ("--client-config", "the file that gives servers names"),
    ("--color", "when to colour"),
    ("--output", "text or json"),
    ("--version", "print the version and exit"),
    ("--help", "list the flags"),
];
const COLORS: &[(&str, &str)] =
    &[("auto", "on a terminal unless NO_COLOR is set"), ("true", "always"), ("false", "never")];
const OUTPUTS: &[(&str, &str)] = &[("text", "for people"), ("json", "for programs")];

/// Understands a line up to the cursor, which begins with the name of the program, and says which server it means.
pub(crate) fn understand(line: &str) -> (Meant, Wanted) {
    let mut meant = Meant::default();
    let Ok(Line { tokens, .. }) = Line::split(line) else { return (meant, Wanted::Nothing) };
    let mut texts: Vec<String> = tokens.into_iter().skip(1).map(|token| token.text).collect();
    // After a blank a new word begins.
    let current =
        if line.ends_with(char::is_whitespace) { String::new() } else { texts.pop().unwrap_or_default() };
    let mut words: Vec<String> = Vec::new();
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
            "--version" | "--help" => {}
            _ if FLAGS.iter().any(|(known, _)| *known == flag) => match value.or_else(|| texts.next()) {
                Some(value) => take(&mut meant, flag, value),
                None => return (meant, choice(flag, current)),
            },
            _ if flag.starts_with('-') => {}
            _ => words.push(text),
        }
    }
    if words.is_empty()
        && let Some(prefix) = current.strip_prefix('@')
    {
        return (meant, Wanted::Server(prefix.to_owned()));
    }
    if let Some(name) = words.first().and_then(|word| word.strip_prefix('@')) {
        meant.name = Some(name.to_owned());
        words.remove(0);
    }
    if flags && current.starts_with('-') {
        return match current.split_once('=') {
            // Shells complete the whole word, of which the flag is a part.
            Some(_) => (meant, Wanted::Nothing),
            None => (meant, Wanted::Choice(FLAGS, current)),
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
    (meant, Wanted::Words(line))
}

/// Keeps the value of a flag that says which server is meant.
fn take(meant: &mut Meant, flag: &str, value: String) {
    let flags = &mut meant.flags;
    let kept = match flag {
        "--server" => &mut flags.server,
        "--tls-ca" => &mut flags.tls_ca,
        "--tls-cert" => &mut flags.tls_cert,
        "--tls-key" => &mut flags.tls_key,
        "--tls-server-name" => &mut flags.tls_server_name,
        "--token-file" => &mut flags.token_file,
        "--client-config" => &mut meant.file,
        _ => return,
    };
    *kept = Some(value);
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

/// Lines for a shell: the servers whose names begin so.
pub(crate) fn servers(all: &[NamedServer], prefix: &str) -> String {
    let begun = all.iter().filter(|server| server.name.starts_with(prefix));
    begun.map(|server| format!("@{}\t{}\n", server.name, server.address)).collect()
}

/// Lines for a shell: those of these that begin so.
pub(crate) fn choices(all: &[(&str, &str)], prefix: &str) -> String {
    let begun = all.iter().filter(|(typed, _)| typed.starts_with(prefix));
    begun.map(|(typed, help)| format!("{typed}\t{help}\n")).collect()
}

#[cfg(test)]
mod tests;
