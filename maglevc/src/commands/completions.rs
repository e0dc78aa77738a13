//! Driver. Completions for other shells: scripts that ask this program, which asks the tree and the server.

use crate::complete::{Wanted, choices, lines, understand};
use crate::failure::Failure;
use crate::names;
use crate::session::Session;
use crate::tree::Flow;
use crate::tree::parse::{Parsed, parse};

pub(super) const BASH: &str = include_str!("completions/maglevc.bash");
pub(super) const ZSH: &str = include_str!("completions/maglevc.zsh");
pub(super) const FISH: &str = include_str!("completions/maglevc.fish");

/// Writes a script.
pub(super) async fn script(session: &mut Session, script: &str) -> Result<Flow, Failure> {
    session.output.put(script)?;
    Ok(Flow::Next)
}

/// Writes what can stand at the end of another shell's line, one a line with its help. What is wrong with the line, or
/// with the server, is no news to somebody who types.
///
/// # Errors
/// [`Failure::Output`].
pub(crate) async fn complete(session: &mut Session, line: &str) -> Result<(), Failure> {
    let found = match understand(line).1 {
        Wanted::Choice(all, prefix) => choices(all, &prefix),
        Wanted::Words(line) => match parse(&session.tree, &line) {
            Ok(Parsed::Question(question)) => lines(&names::continuations(&session.names, &question).await),
            Ok(Parsed::Command(..)) | Err(_) => String::new(),
        },
        // Servers are listed before there is a session with one of them.
        Wanted::Server(_) | Wanted::Nothing => String::new(),
    };
    session.output.put(&found)
}
