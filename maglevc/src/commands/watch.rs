//! Driver. Follows events until there were enough of them, or shows the present on a full screen.

use maglev_api::v1::{LogLevel, WatchEventsRequest};
use serde::Serialize;

use crate::args::Format;
use crate::failure::Failure;
use crate::live::{self, Look, Subject};
use crate::render::event::Lines;
use crate::session::Session;
use crate::tree::{Arguments, Flow};
use crate::view::look::{BackendsLook, FrontendsLook};

/// Writes a line an event. Dropping the future ends the watch.
pub(super) async fn events(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let level = match arguments.find("level") {
        Some("error") => LogLevel::Error,
        Some("warn") => LogLevel::Warn,
        Some("debug") => LogLevel::Debug,
        _ => LogLevel::Info,
    };
    let request = WatchEventsRequest {
        log: arguments.has("log"),
        log_level: level.into(),
        backend: arguments.has("backend"),
        frontend: arguments.has("frontend"),
    };
    let mut events = session.client.call(async |mut c| c.watch_events(request).await).await?;
    let mut lines = Lines::new();
    let mut left: u64 = arguments.number("num").unwrap_or(u64::MAX);
    while let Some(event) = session.client.next(&mut events).await? {
        session.output.line(&lines.next(event.into()))?;
        left -= 1;
        if left == 0 {
            return Ok(Flow::Next);
        }
    }
    Err(session.client.ended())
}

/// The live view of frontends.
pub(super) async fn frontends(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let looks = |look: Look| FrontendsLook { at: look.at, frontends: look.frontends };
    watch(session, arguments, Subject::Frontends, looks).await
}

/// The live view of backends.
pub(super) async fn backends(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let looks = |look: Look| BackendsLook { at: look.at, backends: look.backends };
    watch(session, arguments, Subject::Backends, looks).await
}

/// A full screen for people, a line a second for programs.
async fn watch<T: Serialize>(
    session: &mut Session,
    arguments: &Arguments,
    subject: Subject,
    view: impl Fn(Look) -> T,
) -> Result<Flow, Failure> {
    if session.output.format == Format::Text {
        if !session.interactive {
            return Err(Failure::NoTerminal);
        }
        live::run(&session.client, &session.output.paper, subject).await?;
        return Ok(Flow::Next);
    }
    let mut left: u64 = arguments.number("num").unwrap_or(u64::MAX);
    loop {
        let look = live::look(&session.client, &session.output.paper).await?;
        session.output.object(&view(look))?;
        left -= 1;
        if left == 0 {
            return Ok(Flow::Next);
        }
        tokio::time::sleep(live::EVERY).await;
    }
}
