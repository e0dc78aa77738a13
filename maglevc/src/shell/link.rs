//! Driver. Keeps an eye on the server, so that the prompt can tell, and says when it is lost and found.

use std::time::Duration;

use maglev_api::v1::GetVersionRequest;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::editor::Prompt;
use super::screen::Screen;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Paper;
use crate::render::{BAD, FAINT, GOOD, NOTICE, Page, Span, Text};
use crate::server::Server;
use crate::view::daemon::Version;

/// Between two looks at the server: soon enough to be noticed before the next command is typed.
const EVERY: Duration = Duration::from_secs(2);

/// What is known of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Nothing yet.
    Open,
    /// It answers.
    Good,
    /// It does not.
    Bad,
}

/// An eye on the server. Dropping it closes it.
pub(super) struct Link {
    called: String,
    signs: watch::Receiver<Sign>,
    task: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// Begins to look, and tells the screen of every change.
    pub(super) fn keep(client: Client, screen: Screen, paper: Paper) -> Self {
        let called = client.called();
        let (sign, signs) = watch::channel(Sign::Open);
        let task = tokio::spawn(look(client, sign, screen, paper));
        Self { called, signs, task }
    }

    /// Waits for the first sign, but not longer than this.
    pub(super) async fn settled(&self, patience: Duration) {
        let mut signs = self.signs.clone();
        let _ = tokio::time::timeout(patience, signs.wait_for(|sign| *sign != Sign::Open)).await;
    }

    /// The prompt: the server, and whether it can be reached.
    pub(super) fn prompt(&self, color: bool) -> Prompt {
        let (words, style) = match *self.signs.borrow() {
            Sign::Good => ("", GOOD),
            Sign::Open => (" (connecting)", NOTICE),
            Sign::Bad => (" (not connected)", BAD),
        };
        let shown = format!("{}{words}", self.called);
        let plain = format!("{shown}> ");
        let styled = if color { format!("{style}{shown}{style:#}> ") } else { plain.clone() };
        Prompt { plain, styled, answer: false }
    }
}

async fn look(client: Client, sign: watch::Sender<Sign>, screen: Screen, paper: Paper) {
    loop {
        let answer = client.call(async |mut c| c.get_version(GetVersionRequest {}).await).await;
        let before = *sign.borrow();
        let (now, news) = match answer {
            Ok(version) => {
                let version = Version::new(client.server().to_string(), version);
                (Sign::Good, News::Found(Ok(Box::new(version))))
            }
            // Whoever refuses is there: an older daemon, or one that wants to know who asks.
            Err(Failure::Refused(sentence)) => (Sign::Good, News::Found(Err(sentence))),
            Err(failure) => (Sign::Bad, News::Lost(failure)),
        };
        if now != before {
            // Before the sign: who waits for that wants the news on the screen.
            screen.print(paper.print(&Told { server: client.server(), news }));
            sign.send_replace(now);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What is told of a server.
struct Told<'a> {
    server: &'a Server,
    news: News,
}

enum News {
    Found(Result<Box<Version>, String>),
    Lost(Failure),
}

impl Text for Told<'_> {
    fn text(&self, page: &mut Page) {
        match &self.news {
            News::Found(version) => {
                let mut spans = vec![Span::new(GOOD, format!("connected to {}", self.server))];
                match version {
                    Ok(version) => {
                        let running = page.age(version.started_at);
                        spans.push(Span::new(FAINT, format!(": maglevd {}", version.version)));
                        if !running.is_empty() {
                            spans.push(Span::new(FAINT, format!(", running for {running}")));
                        }
                    }
                    Err(sentence) => spans.push(Span::new(NOTICE, format!(": {sentence}"))),
                }
                page.line(&spans);
            }
            News::Lost(failure) => {
                page.line(&[Span::new(BAD, failure.to_string()), Span::new(FAINT, "; trying on")]);
            }
        }
    }
}
