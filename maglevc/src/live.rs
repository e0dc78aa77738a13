//! Driver. The full-screen view of what the daemon watches: looks at the server every second, and listens to keys.

use std::io;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures_util::StreamExt as _;
use maglev_api::v1::{
    GetVppInfoRequest, GetVpplbStateRequest, ListBackendsRequest, ListFrontendsRequest, VppStatus,
};
use ratatui::DefaultTerminal;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use crate::client::Client;
use crate::failure::Failure;
use crate::output::Paper;
use crate::view::Time;
use crate::view::vpp::LbState;

mod draw;
mod key;
mod model;

pub(crate) use model::{Look, Subject};

use key::Then;
use model::Model;

/// Between two looks at the server: what people can follow.
pub(crate) const EVERY: Duration = Duration::from_secs(1);

/// A look that takes long is followed by a pause this many times as long, so that watching never is the server's main work.
const RESTS: u32 = 4;

/// Shows the view until the operator has seen enough. Dropping the future restores the terminal.
///
/// # Errors
/// What the first look fails with; [`Failure::Output`] when the terminal fails; [`Failure::Ended`] on a signal.
pub(crate) async fn run(client: &Client, paper: &Paper, subject: Subject) -> Result<(), Failure> {
    let began = Instant::now();
    let first = look(client, paper).await?;
    let mut due = Instant::now() + pause(began.elapsed());
    let mut model = Model::new(subject, client.called(), first);
    let mut ends =
        [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit()]
            .into_iter()
            .map(signal)
            .collect::<Result<Vec<Signal>, _>>()
            .map_err(Failure::Output)?;
    let mut screen = Screen::enter().map_err(Failure::Output)?;
    let mut keys = EventStream::new();
    let mut looking = Box::pin(next(client, paper, due));
    loop {
        screen.draw(&mut model, paper).map_err(Failure::Output)?;
        tokio::select! {
            (looked, took) = &mut looking => {
                match looked {
                    Ok(look) => model.look(look),
                    Err(failure) => model.miss(failure.to_string()),
                }
                due = Instant::now() + pause(took);
                looking = Box::pin(next(client, paper, due));
            }
            event = keys.next() => match event {
                Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => {
                    if model.key(key) == Then::Leave {
                        return Ok(());
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Failure::Output(error)),
                None => return Ok(()),
            },
            () = any(&mut ends) => return Err(Failure::Ended),
        }
    }
}

/// How long to wait after a look that took so long.
fn pause(took: Duration) -> Duration {
    EVERY.max(took * RESTS)
}

/// The look that is due at a time, and how long it took.
async fn next(client: &Client, paper: &Paper, due: Instant) -> (Result<Look, Failure>, Duration) {
    tokio::time::sleep_until(due).await;
    let began = Instant::now();
    (look(client, paper).await, began.elapsed())
}

/// Waits for the first of some signals.
async fn any(signals: &mut [Signal]) {
    futures_util::future::select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
}

/// Everything as it is now.
///
/// # Errors
/// As [`Client::call`]. A server that tells nothing of VPP is no failure.
pub(crate) async fn look(client: &Client, paper: &Paper) -> Result<Look, Failure> {
    let (frontends, backends, lb) = tokio::join!(
        client.call(async |mut c| c.list_frontends(ListFrontendsRequest {}).await),
        client.call(async |mut c| c.list_backends(ListBackendsRequest {}).await),
        lb(client),
    );
    Ok(Look {
        at: Time((paper.clock)()),
        frontends: frontends?.frontends.into_iter().map(Into::into).collect(),
        backends: backends?.backends.into_iter().map(Into::into).collect(),
        lb: lb?,
    })
}

/// What VPP has, where the server tells.
async fn lb(client: &Client) -> Result<Option<LbState>, Failure> {
    let told = async {
        let info = client.call(async |mut c| c.get_vpp_info(GetVppInfoRequest {}).await).await?;
        if info.status() != VppStatus::Connected {
            return Ok(None);
        }
        let state = client.call(async |mut c| c.get_vpplb_state(GetVpplbStateRequest {}).await).await?;
        Ok(Some(state.into()))
    };
    match told.await {
        Err(Failure::Refused(_)) => Ok(None),
        told => told,
    }
}

/// The terminal in the hands of the view. Dropping it gives the terminal back, as does a panic.
struct Screen(DefaultTerminal);

impl Screen {
    fn enter() -> io::Result<Self> {
        // What was entered before something failed is left again.
        ratatui::try_init().map(Self).inspect_err(|_| ratatui::restore())
    }

    fn draw(&mut self, model: &mut Model, paper: &Paper) -> io::Result<()> {
        self.0.draw(|frame| draw::draw(frame, model, paper))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.0.show_cursor();
        ratatui::restore();
    }
}
