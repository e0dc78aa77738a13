//! Pure. What can go wrong, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::retval::Retval;
use crate::wire::{DecodeError, FrameError, TableError};

/// No connection to VPP's API socket came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The socket did not let us in.
    #[error("cannot connect to VPP's API socket {path}; is VPP running, and may this user open the socket?")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It let us in and then said nothing.
    #[error("VPP did not answer on {path} within {after:?}")]
    Timeout {
        /// The socket.
        path: PathBuf,
        /// How long it was given.
        after: Duration,
    },
    /// The connection broke while registering.
    #[error("the connection to {path} ended while registering with VPP")]
    Closed {
        /// The socket.
        path: PathBuf,
        /// How.
        #[source]
        source: CloseReason,
    },
    /// The answer to the registration is another message.
    #[error("{path} answered message {id} to the registration; is this VPP's API socket?")]
    NotVpp {
        /// The socket.
        path: PathBuf,
        /// The number of what came.
        id: u16,
    },
    /// The answer to the registration is cut short.
    #[error("VPP's answer to the registration on {path} cannot be read")]
    Reply {
        /// The socket.
        path: PathBuf,
        /// Why not.
        #[source]
        source: DecodeError,
    },
    /// VPP did not want this client.
    #[error("VPP refused to register this client: {retval}")]
    Refused {
        /// Why not.
        retval: Retval,
    },
    /// The message table makes no sense.
    #[error("{path} sent a message table that cannot be read; is this VPP's API socket?")]
    Table {
        /// The socket.
        path: PathBuf,
        /// Why not.
        #[source]
        source: TableError,
    },
    /// This VPP lacks a message without which there is no talking to it.
    #[error(
        "the VPP on {path} has no message {name_crc}, which every VPP since 20.01 has; is this VPP's API socket?"
    )]
    Missing {
        /// The socket.
        path: PathBuf,
        /// The message.
        name_crc: &'static str,
    },
    /// Registered, but the first questions failed.
    #[error("VPP on {path} did not say who it is")]
    Introduction {
        /// The socket.
        path: PathBuf,
        /// What failed.
        #[source]
        source: CallError,
    },
}

/// Why a connection is no more.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CloseReason {
    /// VPP closed it: it stopped, or dropped this client.
    #[error("VPP closed the connection")]
    ByPeer,
    /// This side closed it.
    #[error("the connection was closed on this side")]
    ByUs,
    /// The socket failed.
    #[error("the socket failed")]
    Io(#[source] Arc<io::Error>),
    /// What came is not made of messages.
    #[error("the connection was given up over a malformed message")]
    Frame(#[source] FrameError),
}

impl From<io::Error> for CloseReason {
    fn from(error: io::Error) -> CloseReason {
        CloseReason::Io(Arc::new(error))
    }
}

/// A request that came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// VPP answered that it will not.
    #[error("VPP refused {message} with {retval}")]
    Refused {
        /// The request.
        message: &'static str,
        /// Why.
        retval: Retval,
    },
    /// This VPP does not have the message in the layout this client speaks.
    #[error("this VPP has no {name_crc}; it is older or newer than this client can use")]
    Unsupported {
        /// The message, with the CRC of its layout.
        name_crc: &'static str,
    },
    /// No answer in time. VPP may still carry the request out.
    #[error("VPP did not answer {message} within {after:?}")]
    Timeout {
        /// The request.
        message: &'static str,
        /// How long it was given.
        after: Duration,
    },
    /// The connection ended before the answer came. VPP may have carried the request out.
    #[error("the connection ended before VPP answered {message}")]
    Closed {
        /// The request.
        message: &'static str,
        /// How it ended.
        #[source]
        source: CloseReason,
    },
    /// Not sent, because VPP stopped answering the requests before it.
    #[error("{message} was not sent because VPP stopped answering")]
    NotSent {
        /// The request.
        message: &'static str,
    },
    /// Not sent, because VPP would not survive it.
    #[error("{message} was not sent: {reason}")]
    Withheld {
        /// The request.
        message: &'static str,
        /// What would happen, and what to send instead.
        reason: &'static str,
    },
    /// The answer cannot be read.
    #[error("VPP's answer to {message} cannot be read")]
    Decode {
        /// The request.
        message: &'static str,
        /// Why not.
        #[source]
        source: DecodeError,
    },
    /// The answer is another message than VPP's API says.
    #[error("VPP answered {message} with message {id}, which is not its reply")]
    Unexpected {
        /// The request.
        message: &'static str,
        /// The number of what came.
        id: u16,
    },
    /// A dump is longer than a VPP could have objects.
    #[error("VPP's answer to {message} passed {limit} bytes and was given up")]
    TooLong {
        /// The request.
        message: &'static str,
        /// What was accepted.
        limit: usize,
    },
}

/// What a failed request means for what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// The connection is gone or VPP hangs: reconnect, then observe and plan again.
    Gone,
    /// It may work another time.
    Retry,
    /// VPP understood and refused: another time gives the same answer unless the world changes.
    Rejected,
    /// This VPP cannot do it.
    Unsupported,
}

impl CallError {
    /// What to do next.
    pub fn class(&self) -> ErrorClass {
        match self {
            CallError::Refused { .. } | CallError::Withheld { .. } => ErrorClass::Rejected,
            CallError::Unsupported { .. } => ErrorClass::Unsupported,
            CallError::Closed { .. } | CallError::NotSent { .. } => ErrorClass::Gone,
            CallError::Timeout { .. }
            | CallError::Decode { .. }
            | CallError::Unexpected { .. }
            | CallError::TooLong { .. } => ErrorClass::Retry,
        }
    }

    /// The return value, if VPP refused.
    pub fn retval(&self) -> Option<Retval> {
        match self {
            CallError::Refused { retval, .. } => Some(*retval),
            _ => None,
        }
    }
}
