//! Pure. Man pages, all in one form.
//!
//! Texts are written as Markdown has them: what stands between backticks is set in bold, and of a link only its words
//! are kept. Lines are broken at 80 columns, as the sources of man pages have them.

use roff::Roff;
pub use roff::{Inline, bold, italic, roman};

/// The longest line of the source, in bytes, escapes and all.
const WIDTH: usize = 78;

/// The date all pages bear: that of the release they are written for, to be changed with the version.
const DATE: &str = "2026-11-26";

/// A man page being made.
#[derive(Debug)]
pub struct Page {
    roff: Roff,
}

impl Page {
    /// A page such as `maglevd(8)`. `source` is the program with its version, `manual` the title of the part, such as
    /// "System Administration".
    pub fn new(name: &str, section: &str, source: &str, manual: &str) -> Page {
        let mut roff = Roff::new();
        roff.control("TH", [name.to_uppercase().as_str(), section, DATE, source, manual]);
        Page { roff }
    }

    /// Begins a section, such as `OPTIONS`.
    pub fn section(&mut self, title: &str) {
        self.roff.control("SH", [title]);
    }

    /// Begins a part of a section.
    pub fn subsection(&mut self, title: &str) {
        self.roff.control("SS", [title]);
    }

    /// Adds a paragraph after the first, which needs none before it.
    pub fn break_paragraph(&mut self) {
        self.roff.control("PP", []);
    }

    /// Adds text to the present paragraph.
    pub fn text(&mut self, text: &str) {
        self.inlines(&inlines(text));
    }

    /// A term and what there is to say of it, indented below.
    pub fn tagged(&mut self, tag: Vec<Inline>, text: &str) {
        self.roff.control("TP", []);
        self.roff.text(tag);
        self.text(text);
    }

    /// Rows of terms in bold.
    pub fn rows(&mut self, rows: &[(&str, &str)]) {
        rows.iter().for_each(|(tag, text)| self.tagged(vec![bold(*tag)], text));
    }

    /// One more paragraph of what was said of the last term.
    pub fn more(&mut self, text: &str) {
        self.roff.control("IP", []);
        self.text(text);
    }

    /// An item of a list.
    pub fn bullet(&mut self, text: &str) {
        self.roff.control("IP", ["*", "2"]);
        self.text(text);
    }

    /// What follows is indented one step further, until [`outdent`](Page::outdent).
    pub fn indent(&mut self) {
        self.roff.control("RS", []);
    }

    /// Ends an [`indent`](Page::indent).
    pub fn outdent(&mut self) {
        self.roff.control("RE", []);
    }

    /// Lines that stay as they are, such as a configuration.
    pub fn verbatim(&mut self, text: &str) {
        self.roff.control("RS", ["4"]);
        self.roff.control("nf", []);
        for line in text.lines() {
            self.roff.text([roman(line)]);
        }
        self.roff.control("fi", []);
        self.roff.control("RE", []);
    }

    /// The usage of a program: its flags, each with the name of its value or none, and what stands after them.
    pub fn synopsis(&mut self, program: &str, flags: &[(String, Option<String>)], rest: Option<&str>) {
        self.section("SYNOPSIS");
        self.roff.control("SY", [program]);
        for (flag, value) in flags {
            let mut option = vec![roman("["), bold(flag)];
            if let Some(value) = value {
                option.extend([roman(" "), italic(value)]);
            }
            option.push(roman("]"));
            self.roff.text(option);
        }
        if let Some(rest) = rest {
            self.roff.text([roman("["), italic(rest), roman("...]")]);
        }
        self.roff.control("YS", []);
    }

    /// The source of the page.
    pub fn render(&self) -> String {
        self.roff.render()
    }

    fn inlines(&mut self, inlines: &[(String, bool)]) {
        let mut line: Vec<Inline> = Vec::new();
        let mut used = 0;
        for (word, is_code, glued) in words(inlines) {
            let length = source_length(&word, is_code);
            if !glued && used > 0 && used + 1 + length > WIDTH {
                self.roff.text(std::mem::take(&mut line));
                used = 0;
            }
            if !glued && used > 0 {
                line.push(roman(" "));
                used += 1;
            }
            used += length;
            line.push(if is_code { bold(word) } else { roman(word) });
        }
        if !line.is_empty() {
            self.roff.text(line);
        }
    }
}

/// How long a word is in the source: hyphens and backslashes are escaped, and bold is switched on and off.
fn source_length(word: &str, is_code: bool) -> usize {
    let escapes = word.chars().filter(|letter| matches!(letter, '-' | '\\' | '\'' | '`')).count();
    word.len() + 4 * escapes + if is_code { 6 } else { 0 }
}

/// Stretches of a text, each with whether it is code.
fn inlines(text: &str) -> Vec<(String, bool)> {
    let text = without_links(text);
    text.split('`').enumerate().map(|(index, part)| (part.to_owned(), index % 2 == 1)).collect()
}

/// Words, each with whether it is code and whether no blank stands before it.
fn words(inlines: &[(String, bool)]) -> Vec<(String, bool, bool)> {
    let mut words = Vec::new();
    let mut blank_before = true;
    for (part, is_code) in inlines {
        for (index, word) in part.split([' ', '\n']).enumerate() {
            blank_before |= index > 0;
            if !word.is_empty() {
                words.push((word.to_owned(), *is_code, !blank_before));
                blank_before = false;
            }
        }
    }
    words
}

/// `[words](target)` without its target.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let Some((head, words)) = before.rsplit_once('[') else {
            plain.push_str(before);
            plain.push_str("](");
            rest = after;
            continue;
        };
        plain.push_str(head);
        plain.push_str(words);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

#[cfg(test)]
mod tests;
