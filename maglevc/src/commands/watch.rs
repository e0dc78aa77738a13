//! Driver. Follows events until there were enough of them.

use maglev_api::v1::{LogLevel, WatchEventsRequest};

use crate::failure::Failure;
use crate::render::event::Lines;
use crate::session::Session;
use crate::tree::{Arguments, Flow};

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
