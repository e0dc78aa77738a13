//! Driver. Commands from a file or a pipe, one a line, up to the first that fails.

use std::io::{self, BufRead, Read as _};

use crate::failure::Failure;
use crate::session::Session;
use crate::tree::Flow;
use crate::tree::token::Line;

/// No command is longer; a file that is something else ends here and not in all our memory.
const LONGEST_LINE: u64 = 64 << 10;

type Commands = Box<dyn BufRead + Send>;

/// Runs each line until the end, `quit`, or a failure.
///
/// # Errors
/// The first failure; what follows it is not read.
pub(crate) async fn run(session: &mut Session, mut commands: Commands) -> Result<(), Failure> {
    loop {
        // On a thread of its own, so that the connection stays alive while a pipe is silent.
        let read = tokio::task::spawn_blocking(move || {
            let line = read_line(&mut *commands);
            (commands, line)
        });
        let (rest, line) = read.await.map_err(|error| Failure::Input(io::Error::other(error)))?;
        commands = rest;
        let Some(line) = line.map_err(Failure::Input)? else { return Ok(()) };
        if session.run(&Line::split(&line)?).await? == Flow::Leave {
            return Ok(());
        }
    }
}

/// The next line without its end; `None` after the last.
fn read_line(commands: &mut dyn BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    commands.take(LONGEST_LINE).read_line(&mut line)?;
    if line.len() as u64 == LONGEST_LINE && !line.ends_with('\n') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a line is longer than {LONGEST_LINE} bytes"),
        ));
    }
    Ok((!line.is_empty()).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
}
