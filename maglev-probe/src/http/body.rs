//! Edge. Looking for a pattern in the body of an answer.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use maglev_core::check::BodyPattern;
use maglev_core::outcome::Code;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, timeout_at};

use super::Driver;
use super::failure::failure;
use crate::Finding;
use crate::text::Quoted;

/// How much of a body is looked at.
const MAX_BODY: usize = 64 * 1024;

/// How often a growing body is searched. Each search begins at the start, so searching for every byte that trickles
/// in would cost time in the square of the length, which a server could make seconds of a processor.
const SEARCH_EVERY: Duration = Duration::from_millis(10);

/// Searches the first [`MAX_BODY`] bytes of `body`, and stops as soon as `pattern` is found. `got` begins the sentence.
pub(super) async fn search<S>(
    driver: &mut Driver<S>,
    mut body: Incoming,
    pattern: &BodyPattern,
    got: &str,
) -> Result<Finding, Finding>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let found = || Finding::new(Code::L7Ok, format!("{got}, the body matches"));
    let mut seen = Vec::new();
    let mut searched = None;
    let mut next_search = Instant::now();
    let end = loop {
        // Small chunks that are there already never make us wait, and others want their turn.
        consume_budget().await;
        let frame = if searched == Some(seen.len()) {
            driver.with(body.frame()).await
        } else {
            match timeout_at(next_search, driver.with(body.frame())).await {
                Ok(frame) => frame,
                Err(_elapsed) => {
                    if pattern.is_match(&seen) {
                        return Ok(found());
                    }
                    searched = Some(seen.len());
                    next_search = Instant::now() + SEARCH_EVERY;
                    continue;
                }
            }
        };
        match frame {
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                seen.extend_from_slice(&data[..data.len().min(MAX_BODY - seen.len())]);
                if seen.len() == MAX_BODY {
                    break Ok(());
                }
            }
            Some(Err(error)) => break Err(failure(&error)),
            None => break Ok(()),
        }
    };
    // Also in what came before the answer broke off: it is there.
    if pattern.is_match(&seen) {
        return Ok(found());
    }
    end.map_err(|failure| Finding::new(failure.code, format!("{got}, {}", failure.detail)))?;
    let what = if seen.len() == MAX_BODY { "first 64 KiB of the body do" } else { "body does" };
    let begin =
        if seen.is_empty() { "it is empty".to_owned() } else { format!("it begins {}", Quoted(&seen)) };
    let pattern = Quoted(pattern.as_str().as_bytes());
    Err(Finding::new(Code::L7Rsp, format!("{got}, the {what} not match {pattern}: {begin}")))
}
