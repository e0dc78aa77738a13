//! Pure. The names and labels in a query. That it is a query at all is for promtool to say.

use std::collections::BTreeSet;

/// Words that are no names.
const KEYWORDS: [&str; 9] = ["and", "or", "unless", "bool", "offset", "inf", "nan", "start", "end"];

/// Words before a list of labels.
const GROUPINGS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// What a query asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Each selector: the metric, and the labels in its braces.
    pub selectors: Vec<(String, BTreeSet<String>)>,
    /// Labels that are grouped by or matched on.
    pub grouped: BTreeSet<String>,
}

/// Finds the names in a query.
pub fn names(query: &str) -> Names {
    let tokens = tokens(query);
    let mut names = Names::default();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let Token::Word(word) = token else { continue };
        let next = tokens.get(at);
        if GROUPINGS.contains(&word.as_str()) {
            if next == Some(&Token::Sign('(')) {
                names.grouped.extend(words_until(&tokens, &mut at, ')'));
            }
        } else if next == Some(&Token::Sign('{')) {
            let labels = words_until(&tokens, &mut at, '}').into_iter().collect();
            names.selectors.push((word.clone(), labels));
        } else if !is_function(next) && !KEYWORDS.contains(&word.as_str()) {
            names.selectors.push((word.clone(), BTreeSet::new()));
        }
    }
    names
}

/// Whether the word before is a function or an aggregation: `rate (…)`, `sum by (…) (…)`.
fn is_function(next: Option<&Token>) -> bool {
    match next {
        Some(Token::Sign(sign)) => *sign == '(',
        Some(Token::Word(word)) => ["by", "without"].contains(&word.as_str()),
        None => false,
    }
}

/// The words up to a sign, which is passed too.
fn words_until(tokens: &[Token], at: &mut usize, end: char) -> Vec<String> {
    let mut words = Vec::new();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match token {
            Token::Sign(sign) if *sign == end => break,
            Token::Sign(_) => {}
            Token::Word(word) => words.push(word.clone()),
        }
    }
    words
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Sign(char),
}

/// Words and signs; texts, numbers, durations and comments are left out.
fn tokens(query: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = query.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            '"' | '\'' | '`' => {
                while let Some(char) = rest.next() {
                    match char {
                        '\\' if first != '`' => drop(rest.next()),
                        _ if char == first => break,
                        _ => {}
                    }
                }
            }
            _ if first.is_alphanumeric() || first == '_' || first == ':' => {
                let mut word = String::from(first);
                while let Some(char) = rest.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '.')) {
                    word.push(char);
                }
                if !first.is_numeric() && word != ":" {
                    tokens.push(Token::Word(word));
                }
            }
            _ if first.is_whitespace() => {}
            '#' => drop(rest.by_ref().find(|char| *char == '\n')),
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    tokens
}

#[cfg(test)]
mod tests;
