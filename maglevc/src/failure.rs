//! Pure. How a command can fail, in words for a person and in an exit code for a script.

use std::io;
use std::time::Duration;

use crate::server::Server;
use crate::tls::Mistrust;
use crate::tree::problem::Problem;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line could not be understood.
    #[error(transparent)]
    Usage(#[from] Problem),
    /// What was given besides the words could not be understood.
    #[error("{0}")]
    Flags(String),
    /// The client's configuration file cannot be used, in lines that say where and why.
    #[error("{0}")]
    Config(String),
    /// Help was asked for on words that begin no command.
    #[error("no command begins with {0:?}; `help` lists them")]
    NoSuchCommand(String),
    /// The server said no, in its own words.
    #[error("{0}")]
    Refused(String),
    /// The command ran, and its output says that not all is well: an invalid configuration, a write that VPP refused.
    #[error("{0}")]
    Unwell(String),
    /// The command ran, and its exit code is part of its answer.
    #[error("")]
    Status(u8),
    /// A change that takes more than it seems to, and nobody said that this is meant.
    #[error("{0}; add `force` to do it all the same")]
    NeedsForce(String),
    /// Somebody was asked and did not say yes.
    #[error("nothing was changed")]
    NotConfirmed,
    /// There is no server, or no way to it.
    #[error("cannot connect to {server}: {reason}")]
    Unreachable {
        /// Where.
        server: Server,
        /// Why.
        reason: String,
        /// Where the address can be changed, as a sentence.
        hint: String,
    },
    /// There is a server, and no connection to it that both sides trust.
    #[error("cannot connect to {server}: {why}")]
    Mistrusted {
        /// Where.
        server: Server,
        /// Why, and what to do.
        why: Mistrust,
    },
    /// The server took a call and did not answer. What it was asked to change may be changed.
    #[error("no answer from {server} within {within:?}")]
    Silent {
        /// Where.
        server: Server,
        /// How long it had.
        within: Duration,
    },
    /// The server went away in the middle of a call.
    #[error("lost the connection to {server}: {reason}")]
    Lost {
        /// Where.
        server: Server,
        /// Why.
        reason: String,
    },
    /// A live view, and nobody to look at it.
    #[error("a live view needs a terminal; `watch events` and `--output json` write lines")]
    NoTerminal,
    /// A signal to end came while the terminal was in use.
    #[error("ended by a signal")]
    Ended,
    /// Commands could not be read.
    #[error("cannot read commands: {0}")]
    Input(io::Error),
    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
}

/// What a process ends with that a signal ended, as shells count: 128 and the number of SIGTERM.
pub(crate) const ENDED: u8 = 143;

impl Failure {
    /// What the process ends with: 1 refused, 2 usage, 3 no server. A reader that has seen enough is no failure.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_)
            | Self::Unwell(_)
            | Self::NeedsForce(_)
            | Self::NotConfirmed
            | Self::Input(_) => 1,
            Self::Usage(_) | Self::Flags(_) | Self::Config(_) | Self::NoSuchCommand(_) | Self::NoTerminal => {
                2
            }
            Self::Status(code) => *code,
            Self::Ended => ENDED,
            Self::Unreachable { .. } | Self::Mistrusted { .. } | Self::Silent { .. } | Self::Lost { .. } => 3,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Output(_) => 1,
        }
    }
}
