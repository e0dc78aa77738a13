//! Edge. The line editor, on a thread of its own: it waits for keys, and the shell must not.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::time::Duration;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Context, Event, EventContext,
    EventHandler, Helper, KeyEvent, RepeatCount,
};
use tokio::sync::{mpsc, oneshot};

use super::screen::Screen;
use crate::names::{self, Continuation};
use crate::tree::Node;
use crate::tree::parse::{Parsed, parse};
use crate::tree::problem::What;
use crate::tree::token::Line;

/// A TAB waits this long for names: a key that does nothing for longer feels broken. Names that come later are there for
/// the next TAB.
const PATIENCE: Duration = Duration::from_millis(200);

/// Lines kept in the history.
const HISTORY: usize = 1000;

/// What a line is asked for with.
#[derive(Clone)]
pub(crate) struct Prompt {
    /// The prompt.
    pub(crate) plain: String,
    /// The prompt with colours.
    pub(crate) styled: String,
    /// An answer and no command: it is not completed and not kept.
    pub(crate) answer: bool,
}

/// What was typed.
pub(crate) enum Typed {
    /// A line.
    Line(String),
    /// Ctrl-C.
    Cancelled,
    /// Ctrl-D on an empty line, or a terminal that is gone.
    End,
    /// The terminal cannot be read.
    Failed(io::Error),
}

/// What the editor wants to know while somebody types. The line is the part before the cursor, with a question mark.
pub(super) enum Ask {
    /// What can be typed there.
    Complete { line: String, reply: SyncSender<Vec<String>> },
    /// What can be typed there, for the screen.
    Explain { line: String },
}

/// How an editor is set up.
pub(super) struct Settings {
    /// Every command there is.
    pub(super) tree: Arc<Node>,
    /// Where the history is kept.
    pub(super) history: Option<PathBuf>,
    /// Whether to colour.
    pub(super) color: bool,
}

/// Reads lines from the terminal.
#[derive(Clone)]
pub(crate) struct Editor {
    prompts: Sender<(Prompt, oneshot::Sender<Typed>)>,
}

impl Editor {
    /// An editor at work, what it asks, and the screen it shares.
    pub(super) fn start(settings: Settings) -> io::Result<(Self, mpsc::Receiver<Ask>, Screen)> {
        /// One for each key that can ask, with room for hasty fingers; more are dropped.
        const WAITING: usize = 8;
        let (ask, asks) = mpsc::channel(WAITING);
        let answer = Arc::new(AtomicBool::new(false));
        let color = if settings.color { ColorMode::Forced } else { ColorMode::Disabled };
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .history_ignore_space(true)
            .color_mode(color)
            .max_history_size(HISTORY)
            .map_err(io::Error::other)?
            .build();
        let mut lines: rustyline::Editor<Keys, FileHistory> =
            rustyline::Editor::with_config(config).map_err(io::Error::other)?;
        let keys = Keys { tree: settings.tree, ask, answer: answer.clone() };
        lines.set_helper(Some(keys.clone()));
        let screen = match lines.create_external_printer() {
            Ok(printer) => {
                lines.bind_sequence(KeyEvent::from('?'), EventHandler::Conditional(Box::new(keys)));
                Screen::start(printer)
            }
            Err(_) => Screen::plain(),
        };
        let (prompts, waiting) = std::sync::mpsc::channel();
        std::thread::Builder::new()
            .name("editor".to_owned())
            .spawn(move || read(lines, &waiting, settings.history.as_deref(), &answer))?;
        Ok((Self { prompts }, asks, screen))
    }

    /// Reads a line. Dropping the future gives up on what is typed, not on the terminal.
    pub(crate) async fn read(&self, prompt: Prompt) -> Typed {
        let (reply, typed) = oneshot::channel();
        let gone = || Typed::Failed(io::Error::other("the line editor ended"));
        if self.prompts.send((prompt, reply)).is_err() {
            return gone();
        }
        typed.await.unwrap_or_else(|_| gone())
    }
}

impl Editor {
    /// Asks a question, and says whether the answer was yes. Anything else is a no.
    pub(crate) async fn agrees(&self, question: &str) -> bool {
        let prompt = Prompt { plain: question.to_owned(), styled: question.to_owned(), answer: true };
        matches!(self.read(prompt).await, Typed::Line(line) if matches!(line.trim(), "y" | "yes"))
    }
}

/// Reads a line for each prompt, and keeps the history.
fn read(
    mut lines: rustyline::Editor<Keys, FileHistory>,
    prompts: &Receiver<(Prompt, oneshot::Sender<Typed>)>,
    history: Option<&Path>,
    answer: &AtomicBool,
) {
    // A history that cannot be read or kept is no reason to refuse a shell.
    if let Some(path) = history {
        let _ = path.parent().map(std::fs::create_dir_all);
        let _ = lines.load_history(path);
    }
    while let Ok((prompt, reply)) = prompts.recv() {
        answer.store(prompt.answer, Ordering::Relaxed);
        let typed = match lines.readline(&(&prompt.plain, &prompt.styled)) {
            Ok(line) => {
                if !prompt.answer
                    && !line.trim().is_empty()
                    && matches!(lines.add_history_entry(&line), Ok(true))
                    && let Some(path) = history
                {
                    let _ = lines.append_history(path);
                }
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Cancelled,
            Err(ReadlineError::Eof) => Typed::End,
            Err(ReadlineError::Io(error)) => Typed::Failed(error),
            Err(error) => Typed::Failed(io::Error::other(error)),
        };
        if reply.send(typed).is_err() {
            return;
        }
    }
}

/// What special keys do.
#[derive(Clone)]
struct Keys {
    tree: Arc<Node>,
    ask: mpsc::Sender<Ask>,
    /// Whether an answer is being typed and no command.
    answer: Arc<AtomicBool>,
}

impl ConditionalEventHandler for Keys {
    /// A question mark where something can follow asks and leaves the line as it is; elsewhere it is a letter.
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        if self.answer.load(Ordering::Relaxed) {
            return None;
        }
        let line = format!("{}?", context.line().get(..context.pos())?);
        let split = Line::split(&line);
        let letter = match split.and_then(|line| parse(&self.tree, &line)) {
            Ok(Parsed::Question(_)) => false,
            Ok(Parsed::Command(..)) => true,
            Err(problem) => problem.what == What::OpenQuote,
        };
        if letter {
            return None;
        }
        // Who types faster than answers come is not waiting for them.
        let _ = self.ask.try_send(Ask::Explain { line });
        Some(Cmd::Noop)
    }
}

impl Completer for Keys {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let nothing = Ok((pos, Vec::new()));
        let Some(before) = line.get(..pos).filter(|_| !self.answer.load(Ordering::Relaxed)) else {
            return nothing;
        };
        let line = format!("{before}?");
        let Ok(Parsed::Question(question)) = Line::split(&line).and_then(|line| parse(&self.tree, &line))
        else {
            return nothing;
        };
        let (reply, answer) = sync_channel(1);
        let sent = self.ask.try_send(Ask::Complete { line: line.clone(), reply });
        let found = sent.ok().and_then(|()| answer.recv_timeout(PATIENCE).ok());
        let found = found.unwrap_or_else(|| candidates(&names::words(&question)));
        let pairs = found.into_iter().map(|text| Pair { replacement: format!("{text} "), display: text });
        Ok((pos - question.prefix.len(), pairs.collect()))
    }
}

/// What can be typed, of what can follow.
pub(super) fn candidates(all: &[Continuation]) -> Vec<String> {
    all.iter().flat_map(Continuation::texts).collect()
}

impl Highlighter for Keys {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Hinter for Keys {
    type Hint = String;
}

impl Validator for Keys {}

impl Helper for Keys {}
