//! Driver. The shell: one line after the other from a terminal, until the operator leaves.

use std::io::Write as _;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{ENDED, Failure};
use crate::names;
use crate::output::Paper;
use crate::render::help::continuations;
use crate::render::{FAINT, Page, Span, TITLE, Text};
use crate::session::Session;
use crate::tree::parse::{Parsed, parse};
use crate::tree::token::Line;
use crate::tree::{Flow, Node};

pub(crate) mod editor;
mod link;
mod screen;

use editor::{Ask, Editor, Prompt, Settings, Typed};
use link::Link;
use screen::{Saved, Screen};

/// The first prompt waits this long for the first sign of the server, to tell the truth about it.
const FIRST_SIGN: Duration = Duration::from_secs(1);

/// Where the history is kept: in `$XDG_STATE_HOME`, else in `~/.local/state`. `None` for who has no home.
pub(crate) fn history(environment: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name| environment(name).filter(|path| path.starts_with('/')).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(state.join("maglevc").join("history"))
}

/// Reads and runs lines until `quit`, the end of the input or a signal to end, and says the exit code.
///
/// # Errors
/// [`Failure::Input`] when the terminal cannot be read, [`Failure::Output`] when it cannot be written. What stops a
/// command stops no shell.
pub(crate) async fn run(session: &mut Session, history: Option<PathBuf>) -> Result<u8, Failure> {
    let _saved = Saved::now();
    let settings = Settings { tree: session.tree.clone(), history, color: session.output.paper.color };
    let (editor, mut asks, screen) = Editor::start(settings).map_err(Failure::Input)?;
    session.editor = Some(editor.clone());
    let mut interrupts = signal(SignalKind::interrupt()).map_err(Failure::Input)?;
    let mut ends = [SignalKind::terminate(), SignalKind::hangup()]
        .into_iter()
        .map(signal)
        .collect::<Result<Vec<Signal>, _>>()
        .map_err(Failure::Input)?;
    fit(&mut session.output.paper);
    session.output.write(&Greeting)?;
    let link = Link::keep(session.client.clone(), screen.clone(), session.output.paper.clone());
    link.settled(FIRST_SIGN).await;
    screen.is_written().await;
    loop {
        fit(&mut session.output.paper);
        let prompt = link.prompt(session.output.paper.color);
        let asker = Asker::new(session, &screen, &prompt);
        let mut reading = pin!(editor.read(prompt));
        let typed = loop {
            tokio::select! {
                typed = &mut reading => break typed,
                Some(ask) = asks.recv() => asker.answer(ask),
                () = any(&mut ends) => return Ok(ENDED),
            }
        };
        let line = match typed {
            Typed::Line(line) => line,
            Typed::Cancelled => continue,
            Typed::End => return Ok(0),
            Typed::Failed(error) => return Err(Failure::Input(error)),
        };
        // An interrupt that came before the command is not meant for it.
        while interrupts.recv().now_or_never().is_some() {}
        // News of the server would tear a table, or a full screen, apart.
        let reserved = screen.reserve();
        let ran = tokio::select! {
            ran = run_line(session, &line) => ran,
            _ = interrupts.recv() => {
                session.output.write(&Cancelled)?;
                continue;
            }
            () = any(&mut ends) => return Ok(ENDED),
        };
        drop(reserved);
        match ran {
            Ok(Flow::Next) => {}
            Ok(Flow::Leave) => return Ok(0),
            Err(failure @ Failure::Output(_)) => return Err(failure),
            Err(failure) => {
                let text = session.output.paper.print(&failure);
                session.errors.write_all(text.as_bytes()).map_err(Failure::Output)?;
            }
        }
    }
}

async fn run_line(session: &mut Session, line: &str) -> Result<Flow, Failure> {
    session.run(&Line::split(line)?).await
}

/// Waits for the first of some signals.
async fn any(signals: &mut [Signal]) {
    futures_util::future::select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
}

/// Takes on the present width of the terminal.
fn fit(paper: &mut Paper) {
    if let Some((width, _)) = terminal_size::terminal_size() {
        paper.width = width.0.into();
    }
}

/// Answers what the editor asks while somebody types, each in a task of its own.
struct Asker {
    tree: Arc<Node>,
    names: names::Names,
    paper: Paper,
    screen: Screen,
    prompt: String,
}

impl Asker {
    fn new(session: &Session, screen: &Screen, prompt: &Prompt) -> Self {
        Self {
            tree: session.tree.clone(),
            names: session.names.clone(),
            paper: session.output.paper.clone(),
            screen: screen.clone(),
            prompt: prompt.plain.clone(),
        }
    }

    fn answer(&self, ask: Ask) {
        let (tree, names) = (self.tree.clone(), self.names.clone());
        match ask {
            Ask::Complete { line, reply } => {
                tokio::spawn(async move {
                    let Ok(line) = Line::split(&line) else { return };
                    if let Ok(Parsed::Question(question)) = parse(&tree, &line) {
                        let all = names::continuations(&names, &question).await;
                        // Nobody waits any more when the names came late.
                        let _ = reply.try_send(editor::candidates(&all));
                    }
                });
            }
            Ask::Explain { line } => {
                let (mut paper, screen) = (self.paper.clone(), self.screen.clone());
                let asked = format!("{}{line}\n", self.prompt);
                tokio::spawn(async move {
                    fit(&mut paper);
                    let Ok(line) = Line::split(&line) else { return };
                    let said = match parse(&tree, &line) {
                        Ok(Parsed::Question(question)) => {
                            let all = names::continuations(&names, &question).await;
                            paper.print(&continuations(&all))
                        }
                        Ok(Parsed::Command(..)) => return,
                        Err(problem) => paper.print(&Failure::Usage(problem)),
                    };
                    screen.print(format!("{asked}{said}"));
                });
            }
        }
    }
}

/// What the shell begins with.
struct Greeting;

impl Text for Greeting {
    fn text(&self, page: &mut Page) {
        page.line(&[
            Span::new(TITLE, format!("maglevc {}", env!("CARGO_PKG_VERSION"))),
            Span::new(FAINT, ": ? lists what can follow, TAB completes, Ctrl-D leaves"),
        ]);
    }
}

/// What a command ends with that is interrupted.
struct Cancelled;

impl Text for Cancelled {
    fn text(&self, page: &mut Page) {
        // After the terminal's own ^C.
        page.end_line();
        page.line(&[Span::new(FAINT, "cancelled; a change that was sent may be made all the same")]);
    }
}

#[cfg(test)]
mod tests;
