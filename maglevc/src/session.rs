//! Driver. Understands and runs one line after the other, for one-shot use, scripts and the shell alike.

use std::io::Write;
use std::sync::Arc;

use crate::client::Client;
use crate::failure::Failure;
use crate::names::{self, Names};
use crate::output::Output;
use crate::render::help::continuations;
use crate::shell::editor::Editor;
use crate::tree::parse::{Parsed, parse};
use crate::tree::token::Line;
use crate::tree::{Flow, Node};

/// What commands work with.
pub(crate) struct Session {
    /// The server.
    pub(crate) client: Client,
    /// The names it knows.
    pub(crate) names: Names,
    /// Where to write what it said.
    pub(crate) output: Output,
    /// Where to write what goes wrong.
    pub(crate) errors: Box<dyn Write>,
    /// Whether somebody types and reads.
    pub(crate) interactive: bool,
    /// Where to ask back; nowhere outside the shell.
    pub(crate) editor: Option<Editor>,
    /// Who asks, as the environment has it.
    pub(crate) operator: String,
    /// Every command there is.
    pub(crate) tree: Arc<Node>,
}

impl Session {
    /// Runs one line. An empty one does nothing. Dropping the future gives the command up; what the server was asked to
    /// change may be changed all the same.
    ///
    /// # Errors
    /// Whatever stopped the command.
    pub(crate) async fn run(&mut self, line: &Line) -> Result<Flow, Failure> {
        if line.tokens.is_empty() {
            return Ok(Flow::Next);
        }
        let tree = self.tree.clone();
        match parse(&tree, line)? {
            Parsed::Command(command, mut arguments) => {
                names::complete(&self.client, &mut arguments).await?;
                (command.run)(self, &arguments).await
            }
            Parsed::Question(question) => {
                let answers = names::continuations(&self.names, &question).await;
                self.output.write(&continuations(&answers))?;
                Ok(Flow::Next)
            }
        }
    }
}
