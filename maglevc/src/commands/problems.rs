//! Edge. `show problems`: what the server lists, and its severity as an exit code for a monitoring system.

use maglev_api::v1::ListProblemsRequest;

use crate::args::Format;
use crate::failure::Failure;
use crate::render::help::Well;
use crate::render::problem::Summary;
use crate::session::Session;
use crate::tree::{Arguments, Flow};
use crate::view::problem::{Problem, worst};

/// The option that makes the severity an exit code.
pub(crate) const EXIT_STATUS: &str = "exit-status";

pub(super) async fn show(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let answer = session.client.call(async |mut c| c.list_problems(ListProblemsRequest {}).await).await?;
    let found: Vec<Problem> = answer.problems.into_iter().map(Into::into).collect();
    let status = arguments.has(EXIT_STATUS);
    if status && session.output.format == Format::Text {
        // The first line is what a monitoring system shows.
        session.output.write(&Summary(&found))?;
    }
    session.output.show(&found)?;
    if status {
        return match worst(&found) {
            None => Ok(Flow::Next),
            Some(severity) => Err(Failure::Status(severity.exit_status())),
        };
    }
    if found.is_empty() && session.editor.is_some() {
        // Who reads along wants a word; whoever reads the output wants none.
        session.output.write(&Well)?;
    }
    Ok(Flow::Next)
}
