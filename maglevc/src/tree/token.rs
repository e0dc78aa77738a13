//! Pure. Lines and arguments into tokens that know where they stand, so that errors can underline them.

use std::ops::Range;

use crate::tree::problem::{Problem, What};

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Its text, without quotes.
    pub(crate) text: String,
    /// Where it stands in the line, in bytes.
    pub(crate) span: Range<usize>,
    /// Whether it was quoted: then it is never a question mark that asks for help.
    pub(crate) quoted: bool,
}

/// A line in tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// The line as it was typed.
    pub(crate) text: String,
    /// Its tokens.
    pub(crate) tokens: Vec<Token>,
}

impl Line {
    /// Splits a line at blanks. A quote, single or double, at the start of a token reaches to the next such quote; in the
    /// middle of a token it is an ordinary character, so that `it's` needs no care. A token that starts with `#` begins a
    /// comment.
    ///
    /// # Errors
    /// A quote that is not closed.
    pub(crate) fn split(text: &str) -> Result<Self, Problem> {
        let mut tokens = Vec::new();
        let mut rest = text.char_indices().peekable();
        while let Some((start, first)) = rest.next() {
            match first {
                blank if blank.is_whitespace() => {}
                '#' => break,
                quote @ ('"' | '\'') => {
                    let Some((end, _)) = rest.by_ref().find(|(_, c)| *c == quote) else {
                        return Err(Problem::new(text, start..text.len(), What::OpenQuote));
                    };
                    tokens.push(Token {
                        text: text[start + 1..end].to_owned(),
                        span: start..end + 1,
                        quoted: true,
                    });
                }
                _ => {
                    while rest.next_if(|(_, c)| !c.is_whitespace()).is_some() {}
                    let end = rest.peek().map_or(text.len(), |(end, _)| *end);
                    tokens.push(Token { text: text[start..end].to_owned(), span: start..end, quoted: false });
                }
            }
        }
        Ok(Self { text: text.to_owned(), tokens })
    }

    /// The line that these arguments of a process would be.
    pub(crate) fn from_arguments(arguments: &[String]) -> Self {
        let mut line = Self::default();
        for argument in arguments {
            if !line.text.is_empty() {
                line.text.push(' ');
            }
            let start = line.text.len();
            let quoted = argument.is_empty() || argument.contains(char::is_whitespace);
            if quoted {
                line.text.push('"');
                line.text.push_str(argument);
                line.text.push('"');
            } else {
                line.text.push_str(argument);
            }
            line.tokens.push(Token { text: argument.clone(), span: start..line.text.len(), quoted });
        }
        line
    }
}
