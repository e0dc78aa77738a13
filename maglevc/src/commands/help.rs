//! Driver. The commands that need no server.

use crate::failure::Failure;
use crate::render::help::Overview;
use crate::session::Session;
use crate::tree::{Arguments, Flow};

/// Lists the commands.
pub(super) async fn overview(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let tree = session.tree.clone();
    session.output.write(&Overview { tree: &tree, prefix: &arguments.text("words") })?;
    Ok(Flow::Next)
}

/// Ends a script or the shell.
pub(super) async fn leave() -> Result<Flow, Failure> {
    Ok(Flow::Leave)
}
