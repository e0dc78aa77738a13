//! Pure. From the tokens of a line to the command that is meant.
//!
//! At each place an exact word wins, then a word that alone begins so, then the slot if there is one. [`Walk`] is the
//! place that was reached: it knows what may follow, which is all that help and completion need.

use std::borrow::Cow;
use std::time::Duration;

use crate::tree::arguments::{Arguments, Value};
use crate::tree::problem::{Problem, What, nearest};
use crate::tree::token::{Line, Token as Written};
use crate::tree::{Command, End, Kind, Node, Slot, Token};

/// What a line asks for.
pub(crate) enum Parsed<'t> {
    /// To run a command.
    Command(&'t Command, Arguments),
    /// What can follow: the line ends in `?`.
    Question(Question<'t>),
}

/// What can follow the words before a `?`.
pub(crate) struct Question<'t> {
    /// The place that was reached.
    pub(crate) walk: Walk<'t>,
    /// What the word at the question mark begins with; empty when it stands alone.
    pub(crate) prefix: String,
}

/// Understands a line.
///
/// # Errors
/// The first word that cannot stand where it stands, or what is missing at the end.
pub(crate) fn parse<'t>(tree: &'t Node, line: &Line) -> Result<Parsed<'t>, Problem> {
    let tokens = spelled_out(&line.tokens);
    let mut walk = Walk::new(tree, &line.text);
    if let Some((last, before)) = tokens.split_last()
        && !last.quoted
        && let Some(prefix) = last.text.strip_suffix('?')
    {
        let mut question = Walk::new(tree, &line.text);
        before.iter().try_for_each(|token| question.step(token))?;
        // In the middle of a sentence a question mark is punctuation.
        if !question.takes_text() || (prefix.is_empty() && question.text_is_empty()) {
            return Ok(Parsed::Question(Question { walk: question, prefix: prefix.to_owned() }));
        }
    }
    tokens.iter().try_for_each(|token| walk.step(token))?;
    walk.finish()
}

/// The words with those of older programs in their present form: `vpp lbstate` is `vpp lb state`.
fn spelled_out(tokens: &[Written]) -> Cow<'_, [Written]> {
    /// Each with its two words.
    const OLD: [(&str, [&str; 2]); 2] = [("lbstate", ["lb", "state"]), ("lbcounters", ["lb", "counters"])];
    let is_old = |word: &str, old: &str| word.len() > "lb".len() && old.starts_with(word);
    if let [verb, vpp, old, rest @ ..] = tokens
        && vpp.text.starts_with('v')
        && "vpp".starts_with(vpp.text.as_str())
        && let Some((_, new)) = OLD.iter().find(|(word, _)| is_old(&old.text, word))
    {
        let new = new.map(|text| Written { text: text.to_owned(), ..old.clone() });
        return Cow::Owned([&[verb.clone(), vpp.clone()][..], &new, rest].concat());
    }
    Cow::Borrowed(tokens)
}

/// A place in the tree, reached by the words of a line.
pub(crate) struct Walk<'t> {
    /// What may follow because of the last word.
    next: &'t [Node],
    /// The command that is complete, or was before the options that follow it.
    command: Option<&'t Command>,
    /// Whether the line may end here.
    complete: bool,
    /// The options that were given: none may be given twice.
    given: Vec<Token>,
    /// The slot that takes all the rest of the line, once it has begun.
    text: Option<Slot>,
    /// What was understood so far.
    pub(crate) arguments: Arguments,
}

impl<'t> Walk<'t> {
    /// The start of a line.
    pub(crate) fn new(tree: &'t Node, line: &str) -> Self {
        let arguments = Arguments { line: line.to_owned(), ..Arguments::default() };
        Self { next: &tree.next, command: None, complete: false, given: Vec::new(), text: None, arguments }
    }

    /// Whether the line may end here.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// What may stand next: what belongs to the last word first, then the options that are left.
    pub(crate) fn continuations(&self) -> impl Iterator<Item = &'t Node> + '_ {
        let options = self.command.filter(|_| self.complete).map_or(&[][..], |command| &command.options);
        self.next.iter().chain(options.iter().filter(|option| !self.given.contains(&option.token)))
    }

    /// Whether the next word is part of a text.
    fn takes_text(&self) -> bool {
        self.text.is_some()
            || self
                .continuations()
                .any(|node| matches!(node.token, Token::Slot(Slot { kind: Kind::Text, .. })))
    }

    /// Whether no word of a text was given yet.
    fn text_is_empty(&self) -> bool {
        self.text.is_none()
    }

    /// Goes on by one word.
    fn step(&mut self, written: &Written) -> Result<(), Problem> {
        if self.text.is_some()
            && let Some(value) = self.arguments.values.last_mut()
        {
            value.text.push(' ');
            value.text.push_str(&written.text);
            value.span.end = written.span.end;
            return Ok(());
        }
        let node = self.choose(written)?;
        match node.token {
            Token::Word(word) => self.arguments.words.push(word),
            Token::Slot(slot) => {
                let text = check(slot, written).map_err(|what| self.problem(written, what))?;
                self.arguments.values.push(Value { slot, text, span: written.span.clone() });
                self.text = Some(slot).filter(|slot| slot.kind == Kind::Text);
            }
        }
        // Only the first word of an option is among the options of its command.
        if self.command.is_some_and(|command| command.options.iter().any(|option| std::ptr::eq(option, node)))
        {
            self.given.push(node.token);
        }
        match &node.end {
            End::No => self.complete = false,
            End::Option => self.complete = true,
            End::Command(command) => {
                self.complete = true;
                self.command = Some(command);
            }
        }
        self.next = &node.next;
        Ok(())
    }

    /// The continuation that a word means.
    fn choose(&self, written: &Written) -> Result<&'t Node, Problem> {
        let words = || {
            self.continuations().filter_map(|node| match node.token {
                Token::Word(word) => Some((word, node)),
                Token::Slot(_) => None,
            })
        };
        if let Some((_, node)) = words().find(|(word, _)| *word == written.text) {
            return Ok(node);
        }
        let begun: Vec<_> =
            words().filter(|(word, _)| !written.text.is_empty() && word.starts_with(&written.text)).collect();
        match begun.as_slice() {
            [(_, node)] => return Ok(node),
            [] => {}
            several => {
                let matches = several.iter().map(|(word, _)| (*word).to_owned()).collect();
                return Err(self.problem(written, What::Ambiguous { found: written.text.clone(), matches }));
            }
        }
        if let Some(slot) = self.continuations().find(|node| matches!(node.token, Token::Slot(_))) {
            return Ok(slot);
        }
        let found = written.text.clone();
        let what = if self.continuations().next().is_none() {
            What::Extra { found }
        } else {
            let nearest = nearest(&found, words().map(|(word, _)| word)).map(str::to_owned);
            What::Wrong { found, nearest }
        };
        Err(self.problem(written, what))
    }

    /// The end of the line.
    fn finish(self) -> Result<Parsed<'t>, Problem> {
        match self.command {
            Some(command) if self.complete => Ok(Parsed::Command(command, self.arguments)),
            _ => {
                let end = self.arguments.line.len();
                let expected = self.expected();
                Err(Problem { expected, ..Problem::new(&self.arguments.line, end..end, What::Incomplete) })
            }
        }
    }

    fn problem(&self, written: &Written, what: What) -> Problem {
        let expected = match &what {
            What::Ambiguous { matches, .. } => {
                self.expected().into_iter().filter(|(label, _)| matches.contains(label)).collect()
            }
            _ => self.expected(),
        };
        Problem { expected, ..Problem::new(&self.arguments.line, written.span.clone(), what) }
    }

    /// What may stand next, with its help.
    fn expected(&self) -> Vec<(String, String)> {
        let labels = |node: &'t Node| match node.token {
            Token::Slot(Slot { kind: Kind::Choice(choices), .. }) => choices.to_vec(),
            token => vec![token.label()],
        };
        self.continuations()
            .flat_map(|node| labels(node).into_iter().map(|label| (label.to_owned(), node.help.to_owned())))
            .collect()
    }
}

/// The value a slot takes from a word.
fn check(slot: Slot, written: &Written) -> Result<String, What> {
    let text = &written.text;
    match slot.kind {
        Kind::Name(_) | Kind::Mention(_) | Kind::Text => Ok(text.clone()),
        Kind::Number(min, max) => match text.parse::<u64>() {
            Ok(number) if (min..=max).contains(&number) => Ok(number.to_string()),
            _ => Err(What::NotInRange { found: text.clone(), min, max }),
        },
        Kind::Duration => match duration(text) {
            Some(_) => Ok(text.clone()),
            None => Err(What::NotADuration { found: text.clone() }),
        },
        Kind::Choice(choices) => choose_word(text, choices.iter().copied()).map(str::to_owned),
    }
}

/// A span of time, more than nothing and at most 366 days, which is the most a server takes.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
    let span: jiff::Span = text.parse().ok()?;
    let span = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(span).ok().filter(|span| !span.is_zero() && *span <= LONGEST)
}

/// The one among these that a word means: itself, or the only one that begins so.
///
/// # Errors
/// None, or several.
pub(crate) fn choose_word<'a>(
    found: &str,
    choices: impl Iterator<Item = &'a str> + Clone,
) -> Result<&'a str, What> {
    if let Some(exact) = choices.clone().find(|choice| *choice == found) {
        return Ok(exact);
    }
    let begun: Vec<&str> =
        choices.clone().filter(|choice| !found.is_empty() && choice.starts_with(found)).collect();
    match begun.as_slice() {
        [only] => Ok(only),
        [] => {
            Err(What::Wrong { found: found.to_owned(), nearest: nearest(found, choices).map(str::to_owned) })
        }
        several => Err(What::Ambiguous {
            found: found.to_owned(),
            matches: several.iter().map(|choice| (*choice).to_owned()).collect(),
        }),
    }
}
