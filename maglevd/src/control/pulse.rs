//! Driver. The sign of life of the engine's task.

use std::time::Duration;

use tokio::time::Instant;

use crate::notify::ServiceManager;

/// Feeds the service manager's watchdog. It lives in the loop of the engine's task and nowhere else, so that a loop that
/// does not come round any more feeds nobody, however well all else is.
#[derive(Debug)]
pub(super) struct Pulse {
    manager: ServiceManager,
    due: Option<Instant>,
}

impl Pulse {
    pub(super) fn new(manager: ServiceManager) -> Self {
        Pulse { due: manager.watchdog().map(|_| Instant::now()), manager }
    }

    /// When the next sign of life is due; absent without a watchdog.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Gives a sign of life.
    pub(super) fn beat(&mut self) {
        let Some(watchdog) = self.manager.watchdog() else { return };
        // Half of the time, as sd_watchdog_enabled(3) has it. A manager that did not take it is soon told again.
        let (pause, missed) = match self.manager.feed() {
            Ok(()) => (watchdog / 2, None),
            Err(error) => (watchdog / 10, Some(error)),
        };
        if let Some(error) = missed {
            tracing::debug!(%error, "the watchdog is not fed");
        }
        self.due = Some(Instant::now() + pause.max(Duration::from_millis(1)));
    }
}

#[cfg(test)]
mod tests;
