//! Driver. The commands that need no server.

use crate::failure::Failure;
use crate::render::help::{Manual, Overview};
use crate::session::Session;
use crate::tree::help::usages;
use crate::tree::{Arguments, Flow};

/// Lists the commands.
pub(super) async fn overview(session: &mut Session) -> Result<Flow, Failure> {
    let tree = session.tree.clone();
    session.output.write(&Overview(&tree))?;
    Ok(Flow::Next)
}

/// Says all there is to say of the commands that begin with some words.
pub(super) async fn manual(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let tree = session.tree.clone();
    let words = arguments.text("words");
    let mut meant = usages(&tree);
    meant.retain(|usage| usage.begins_with(&words));
    if meant.is_empty() {
        return Err(Failure::NoSuchCommand(words));
    }
    session.output.write(&Manual(meant))?;
    Ok(Flow::Next)
}

/// Ends a script or the shell.
pub(super) async fn leave() -> Result<Flow, Failure> {
    Ok(Flow::Leave)
}
