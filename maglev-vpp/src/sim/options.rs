//! Pure. How to start a simulated VPP.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::journal::Mutation;
use super::messages::Release;
use super::world::OnMutation;

/// How to start a simulated VPP.
#[derive(Clone)]
pub struct SimOptions {
    pub(super) api_socket: PathBuf,
    pub(super) stats_socket: PathBuf,
    pub(super) release: Release,
    pub(super) turn: Duration,
    pub(super) pid: u32,
    pub(super) on_mutation: Option<OnMutation>,
}

impl SimOptions {
    /// Sockets at these paths; whatever is there is replaced.
    pub fn new(api_socket: impl Into<PathBuf>, stats_socket: impl Into<PathBuf>) -> SimOptions {
        SimOptions {
            api_socket: api_socket.into(),
            stats_socket: stats_socket.into(),
            release: Release::Current,
            turn: Duration::ZERO,
            pid: std::process::id(),
            on_mutation: None,
        }
    }

    /// `api.sock` and `stats.sock` in a directory that exists.
    pub fn in_dir(directory: impl AsRef<Path>) -> SimOptions {
        let directory = directory.as_ref();
        SimOptions::new(directory.join("api.sock"), directory.join("stats.sock"))
    }

    /// Which VPP to be. Default [`Release::Current`].
    pub fn release(self, release: Release) -> SimOptions {
        SimOptions { release, ..self }
    }

    /// How long each turn of the main loop takes before requests read in it are answered; see [`Sim::set_turn`](super::Sim::set_turn).
    /// Default 0.
    pub fn turn(self, turn: Duration) -> SimOptions {
        SimOptions { turn, ..self }
    }

    /// The process id to report. Default the real one; each restart adds 1.
    pub fn pid(self, pid: u32) -> SimOptions {
        SimOptions { pid, ..self }
    }

    /// Calls this for each request to change something, after it was dealt with. It must not block, nor use the [`Sim`](super::Sim).
    pub fn on_mutation(self, call: impl Fn(&Mutation) + Send + Sync + 'static) -> SimOptions {
        SimOptions { on_mutation: Some(Arc::new(call)), ..self }
    }
}
