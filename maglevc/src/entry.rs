//! Driver. From arguments and surroundings to an exit code: one line, a script, or the shell.

use std::io::{BufRead, Write};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::args::{Args, Color, Early, operator};
use crate::client::{Client, Deadlines};
use crate::commands::completions;
use crate::commands::problems::EXIT_STATUS;
use crate::complete::{self, Wanted};
use crate::failure::Failure;
use crate::names::Names;
use crate::output::{Output, Paper};
use crate::render::help::Overview;
use crate::render::problem::Unknown;
use crate::render::{Page, Text};
use crate::session::Session;
use crate::tree::token::Line;
use crate::{commands, script, shell};

/// The value of a variable, where it is set.
pub(crate) type Environment = Box<dyn Fn(&str) -> Option<String>>;

/// What a process has around it. Tests bring their own.
pub(crate) struct Surroundings {
    /// The arguments, the first of which is the name of the program.
    pub(crate) arguments: Vec<String>,
    /// The environment.
    pub(crate) environment: Environment,
    /// The standard input, unless it is a terminal.
    pub(crate) commands: Option<Box<dyn BufRead + Send>>,
    /// The standard output.
    pub(crate) out: Box<dyn Write>,
    /// The standard error output.
    pub(crate) errors: Box<dyn Write>,
    /// What the outputs can do.
    pub(crate) terminal: Terminal,
    /// What time it is.
    pub(crate) clock: fn() -> Timestamp,
    /// Where the operator is.
    pub(crate) zone: TimeZone,
    /// How long to wait for a server.
    pub(crate) deadlines: Deadlines,
}

/// What the outputs can do.
#[derive(Clone, Copy)]
pub(crate) struct Terminal {
    /// Whether the standard output takes colours.
    pub(crate) out_color: bool,
    /// Whether the standard error output takes colours.
    pub(crate) errors_color: bool,
    /// Whether somebody types and reads: the standard input and output are terminals.
    pub(crate) interactive: bool,
    /// Columns.
    pub(crate) width: usize,
}

/// Does what the arguments ask for, and says what the process ends with.
pub(crate) async fn run(mut surroundings: Surroundings) -> u8 {
    let Surroundings { clock, ref zone, terminal, .. } = surroundings;
    let monitored = is_monitored(&surroundings.arguments);
    let zone = zone.clone();
    let args = match Args::parse(&surroundings.arguments) {
        Ok(args) => args,
        Err(Early::Print(text)) => {
            // Nobody is left to tell when the output is closed.
            let _ = surroundings.out.write_all(format!("{}\n", text.trim_end()).as_bytes());
            return 0;
        }
        Err(Early::Usage(text)) => {
            let page = Page::new(terminal.width, clock(), zone);
            let failure = Failure::Flags(text);
            if monitored {
                return unknown(&failure, &mut *surroundings.out, page);
            }
            return fail(&failure, &mut *surroundings.errors, page, terminal.errors_color);
        }
    };
    let colored = |detected| match args.color {
        Color::Auto => detected,
        Color::True => true,
        Color::False => false,
    };
    let mut output = Output {
        out: surroundings.out,
        format: args.format,
        paper: Paper { color: colored(terminal.out_color), width: terminal.width, clock, zone: zone.clone() },
    };
    if let Some(Wanted::Server(prefix)) = args.complete.as_deref().map(|line| complete::understand(line).1) {
        // What is wrong with a file is no news to somebody who types.
        let all = args.meant.all(&surroundings.environment).unwrap_or_default();
        return u8::from(output.put(&complete::servers(&all, &prefix)).is_err());
    }
    let found = match args.lists_servers {
        true => args.meant.all(&surroundings.environment).and_then(|all| output.show(&all)).map(|()| None),
        false => args.meant.target(&surroundings.environment).map(Some),
    };
    let target = match found {
        Ok(Some(target)) => target,
        Ok(None) => return 0,
        // Nor is what is wrong with the flags.
        Err(_) if args.complete.is_some() => return 0,
        Err(failure) => {
            let page = Page::new(terminal.width, clock(), zone);
            if monitored {
                return unknown(&failure, &mut *output.out, page);
            }
            return fail(&failure, &mut *surroundings.errors, page, colored(terminal.errors_color));
        }
    };
    let client = Client::new(target, surroundings.deadlines);
    let mut session = Session {
        names: Names::new(client.clone()),
        client,
        output,
        errors: surroundings.errors,
        interactive: terminal.interactive,
        editor: None,
        operator: operator(&surroundings.environment),
        tree: Arc::new(commands::tree()),
    };
    let done = match (surroundings.commands, &args.complete) {
        (_, Some(line)) => completions::complete(&mut session, line).await.map(|()| 0),
        _ if !args.words.is_empty() => session.run(&Line::from_arguments(&args.words)).await.map(|_| 0),
        (Some(commands), None) => script::run(&mut session, commands).await.map(|()| 0),
        (None, None) if terminal.interactive => {
            shell::run(&mut session, shell::history(&surroundings.environment)).await
        }
        (None, None) => session.output.write(&Overview(&session.tree)).map(|()| 0),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            let page = Page::new(terminal.width, clock(), zone);
            if monitored && !matches!(failure, Failure::Status(_)) {
                return unknown(&failure, &mut *session.output.out, page);
            }
            fail(&failure, &mut *session.errors, page, colored(terminal.errors_color))
        }
    }
}

/// Whether a monitoring system runs the command, and takes every failure for an unknown status.
fn is_monitored(arguments: &[String]) -> bool {
    arguments.last().is_some_and(|last| last.len() > 1 && EXIT_STATUS.starts_with(last.as_str()))
        && arguments.iter().any(|word| word.starts_with("pr") && "problems".starts_with(word.as_str()))
}

/// Reports a failure as monitoring plugins do: on the standard output, with the exit code for an unknown status.
fn unknown(failure: &Failure, out: &mut dyn Write, mut page: Page) -> u8 {
    Unknown(&failure.to_string()).text(&mut page);
    // When it cannot be written, the exit code has to do.
    let _ = out.write_all(page.finish(false).as_bytes());
    3
}

/// Says what went wrong, unless that is only that nobody reads on.
fn fail(failure: &Failure, errors: &mut dyn Write, mut page: Page, color: bool) -> u8 {
    let code = failure.exit_code();
    if code != 0 {
        failure.text(&mut page);
        // When errors cannot be written either, the exit code has to do.
        let _ = errors.write_all(page.finish(color).as_bytes());
    }
    code
}

#[cfg(test)]
pub(crate) mod tests;
