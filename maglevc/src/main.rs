//! Edge. `maglevc`, the operator's command line for maglevd.

use std::io::{IsTerminal as _, stdin, stdout};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use jiff::Timestamp;
use jiff::tz::TimeZone;

mod args;
#[cfg(test)]
mod canned;
mod client;
mod commands;
mod complete;
mod dial;
mod entry;
mod explain;
mod failure;
mod flags;
mod impact;
mod live;
mod names;
mod output;
mod render;
mod script;
mod server;
mod servers;
mod session;
mod shell;
mod target;
mod tls;
mod tree;
mod view;

use entry::{Surroundings, Terminal};

/// Columns where the output is no terminal: a file or a program has room for whole names and sentences.
const UNLIMITED: usize = u16::MAX as usize;

fn main() -> ExitCode {
    let surroundings = Surroundings {
        arguments: std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect(),
        environment: Box::new(|name| std::env::var(name).ok()),
        commands: (!stdin().is_terminal()).then(|| Box::new(std::io::BufReader::new(stdin())) as _),
        out: Box::new(stdout()),
        errors: Box::new(std::io::stderr()),
        terminal: Terminal {
            out_color: AutoStream::choice(&stdout()) != ColorChoice::Never,
            errors_color: AutoStream::choice(&std::io::stderr()) != ColorChoice::Never,
            interactive: stdin().is_terminal() && stdout().is_terminal(),
            width: terminal_size::terminal_size_of(stdout()).map_or(UNLIMITED, |(width, _)| width.0.into()),
        },
        clock: Timestamp::now,
        zone: TimeZone::system(),
        deadlines: client::Deadlines::default(),
    };
    // One thread: there is one thing to wait for, and a second thread would only take time to start.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("maglevc cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(entry::run(surroundings));
    // A name being looked up is not waited for.
    runtime.shutdown_background();
    ExitCode::from(code)
}
