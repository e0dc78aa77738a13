//! Driver. Keeps the service manager informed: when we are ready, and in one line how things stand.

use std::fmt::Write;
use std::time::Duration;

use maglev_core::desired::{BackendState, FrontendState};
use maglev_core::engine::Engine;
use tokio_util::sync::CancellationToken;

use crate::control::{Control, Stopped};
use crate::notify::ServiceManager;
use crate::reload::ConfigStatus;
use crate::vpp::{Link, Status};

/// How often to look whether the status line is another. What it is for is read by people, and a server that comes and
/// goes all the time must not keep the manager busy.
const PERIOD: Duration = Duration::from_secs(1);

/// Tells the service manager of a running daemon. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Supervision {
    manager: ServiceManager,
    control: Control,
    config: ConfigStatus,
    /// Absent without VPP.
    link: Option<Link>,
}

impl Supervision {
    /// Of the engine that `control` speaks to.
    pub const fn new(
        manager: ServiceManager,
        control: Control,
        config: ConfigStatus,
        link: Option<Link>,
    ) -> Self {
        Supervision { manager, control, config, link }
    }

    /// Says that the daemon serves, once the engine has answered.
    pub async fn ready(&self) {
        if self.manager.is_there()
            && let Ok(line) = self.line().await
        {
            self.manager.ready(&line).await;
        }
    }

    /// Says that a reload begins. [`ready`](Self::ready) ends it, however it went.
    pub async fn reloading(&self) {
        self.manager.reloading().await;
    }

    /// Says that the daemon ends.
    pub async fn stopping(&self) {
        self.manager.stopping().await;
    }

    /// Keeps the status line current until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        if !self.manager.is_there() {
            return;
        }
        let mut told = String::new();
        let keep = async {
            loop {
                let Ok(line) = self.line().await else { return };
                // One that was not taken is tried again the next time.
                if line != told && self.manager.status(&line).is_ok() {
                    told = line;
                }
                tokio::time::sleep(PERIOD).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = keep => {}
        }
    }

    async fn line(&self) -> Result<String, Stopped> {
        let vpp = self.link.as_ref().map(Link::status);
        let mut line = self.control.read(|seen| counts(&seen.engine)).await?;
        line.push_str(match vpp {
            None => "; without VPP",
            Some(Status::Connected(_)) => "; VPP connected",
            Some(Status::Disconnected { .. }) => "; VPP not connected",
            Some(Status::Unsupported { .. }) => "; VPP connected but not supported",
        });
        if !self.config.read().last_reload_successful {
            line.insert_str(0, "Last reload refused, the configuration before it is in force; ");
        }
        Ok(line)
    }
}

/// "3 of 4 backends up, 1 down; 2 of 2 frontends up".
fn counts(engine: &Engine) -> String {
    let backends: Vec<_> = engine.backends().map(|backend| backend.state()).collect();
    let frontends: Vec<_> = engine.frontends().map(|frontend| frontend.decision().state).collect();
    let backend_states = [
        BackendState::Up,
        BackendState::Down,
        BackendState::Unknown,
        BackendState::Paused,
        BackendState::Disabled,
    ];
    let frontend_states = [FrontendState::Up, FrontendState::Down, FrontendState::Unknown];
    let mut line = String::new();
    let backend_states = backend_states.map(|state| (state.as_str(), number(&backends, state)));
    let frontend_states = frontend_states.map(|state| (state.as_str(), number(&frontends, state)));
    describe(&mut line, "backends", backends.len(), &backend_states);
    line.push_str("; ");
    describe(&mut line, "frontends", frontends.len(), &frontend_states);
    line
}

fn number<S: PartialEq + Copy>(all: &[S], state: S) -> usize {
    all.iter().filter(|&&one| one == state).count()
}

/// The first of `states` is shown always, the others where there are any.
fn describe(line: &mut String, what: &str, total: usize, states: &[(&str, usize)]) {
    let Some(((good, number), others)) = states.split_first() else { return };
    // Writing to a string does not fail.
    let _ = write!(line, "{number} of {total} {what} {good}");
    for (state, number) in others.iter().filter(|(_, number)| *number > 0) {
        let _ = write!(line, ", {number} {state}");
    }
}

#[cfg(test)]
mod tests;
