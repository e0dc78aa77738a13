//! Edge. The terminal besides its lines: writing above a line that is being typed, and leaving the terminal as it was.

use std::io::stdin;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use rustyline::ExternalPrinter;
use tokio::sync::oneshot;

/// What the thread of the printer does.
enum Job {
    Print(String),
    Tell(oneshot::Sender<()>),
}

/// Writes above the line that is being typed.
#[derive(Clone)]
pub(super) struct Screen {
    texts: Option<SyncSender<Job>>,
    held: Arc<Held>,
}

/// Whether the screen belongs to a command, which nothing may write into.
#[derive(Default)]
struct Held {
    now: Mutex<bool>,
    over: Condvar,
}

impl Held {
    fn set(&self, now: bool) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
        self.over.notify_all();
    }

    fn wait(&self) {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.over.wait_while(now, |now| *now));
    }
}

/// The screen in the hands of a command. Dropping it lets others write what they have meanwhile.
pub(super) struct Reserved(Arc<Held>);

impl Drop for Reserved {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Screen {
    /// Writes with this printer, on a thread of its own: printers wait for editors.
    pub(super) fn start(mut printer: impl ExternalPrinter + Send + 'static) -> Self {
        /// More texts than an editor leaves waiting: it takes them between two keys.
        const WAITING: usize = 16;
        let (texts, waiting) = sync_channel(WAITING);
        let held = Arc::new(Held::default());
        let free = held.clone();
        std::thread::spawn(move || {
            while let Ok(job) = waiting.recv() {
                free.wait();
                match job {
                    Job::Print(text) => {
                        if printer.print(text).is_err() {
                            return;
                        }
                    }
                    // Whoever gave up waiting needs no word.
                    Job::Tell(done) => drop(done.send(())),
                }
            }
        });
        Self { texts: Some(texts), held }
    }

    /// A terminal that can only go on: writes as it comes.
    pub(super) fn plain() -> Self {
        Self { texts: None, held: Arc::default() }
    }

    /// Keeps others from writing until the value is dropped.
    pub(super) fn reserve(&self) -> Reserved {
        self.held.set(true);
        Reserved(self.held.clone())
    }

    /// Writes whole lines. An editor that takes none loses them.
    pub(super) fn print(&self, text: String) {
        match &self.texts {
            Some(texts) => {
                let _ = texts.try_send(Job::Print(text));
            }
            None => print!("{text}"),
        }
    }

    /// Waits until what was to be written is.
    pub(super) async fn is_written(&self) {
        let (done, written) = oneshot::channel();
        if let Some(texts) = &self.texts
            && texts.try_send(Job::Tell(done)).is_ok()
        {
            let _ = written.await;
        }
    }
}

/// The settings of the terminal as they were. Dropping it brings them back, whatever an editor was doing.
pub(super) struct Saved(Option<Termios>);

impl Saved {
    /// The settings as they are.
    pub(super) fn now() -> Self {
        Self(tcgetattr(stdin()).ok())
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        if let Some(settings) = &self.0 {
            // A terminal that is gone needs nothing.
            let _ = tcsetattr(stdin(), SetArg::TCSANOW, settings);
        }
    }
}
