//! Edge. What is refused, as a gRPC status with one sentence for a person.

use maglev_api::attach_would_empty;
use tonic::{Code, Status};

use crate::control::{ChangeError, Stopped};
use crate::reload::{Chain, ConfigError};

/// The longest text in a status, in bytes. It travels in an HTTP/2 header, where a byte can take three, and clients take
/// 16 KiB of headers; beyond that they see a broken connection and no text at all.
const LIMIT: usize = 4096;

/// Nothing has that name.
pub(super) fn no_such(kind: &str, name: &str) -> Status {
    status(Code::NotFound, &format!("there is no {kind} {name}"))
}

/// The daemon is ending.
pub(super) fn unavailable(stopped: &Stopped) -> Status {
    Status::unavailable(stopped.to_string())
}

/// An operator's change was not made.
pub(super) fn refused(error: &ChangeError) -> Status {
    use maglev_core::engine::CommandError;
    let code = match error {
        ChangeError::Refused(
            CommandError::NoBackend(_)
            | CommandError::NoFrontend(_)
            | CommandError::NoPool { .. }
            | CommandError::NotInPool { .. },
        ) => Code::NotFound,
        ChangeError::Refused(
            CommandError::WouldEmpty { .. }
            | CommandError::Disabled { .. }
            | CommandError::HasNoEnd { .. }
            | CommandError::ConfiguredWeight { .. },
        ) => Code::FailedPrecondition,
        ChangeError::NotKept(_) => Code::Internal,
        ChangeError::Slow => Code::DeadlineExceeded,
        ChangeError::Stopped(stopped) => return unavailable(stopped),
    };
    match error {
        ChangeError::Refused(CommandError::WouldEmpty { frontends }) => {
            let mut status = status(code, &format!("{error}; set `force` to do it all the same"));
            attach_would_empty(&mut status, frontends.iter().map(ToString::to_string).collect());
            status
        }
        _ => status(code, &Chain(error).to_string()),
    }
}

/// A configuration file was not taken.
pub(crate) fn not_taken(error: &ConfigError) -> Status {
    match error {
        ConfigError::Stopped(stopped) => unavailable(stopped),
        ConfigError::Reader(_) => status(Code::Unavailable, &Chain(error).to_string()),
        ConfigError::Read { .. }
        | ConfigError::Invalid { .. }
        | ConfigError::Tokens(_)
        | ConfigError::NeedsForce(_)
        | ConfigError::Both { .. } => status(Code::FailedPrecondition, &Chain(error).to_string()),
    }
}

/// What was asked for makes no sense.
pub(super) fn invalid(text: &str) -> Status {
    status(Code::InvalidArgument, text)
}

pub(super) fn status(code: Code, text: &str) -> Status {
    Status::new(code, shortened(text))
}

/// As much of a text as fits, in whole lines where it has several, and how many more there are.
fn shortened(text: &str) -> String {
    if text.len() <= LIMIT {
        return text.to_owned();
    }
    let fits = text.get(..text.floor_char_boundary(LIMIT)).unwrap_or_default();
    match fits.rfind('\n').and_then(|end| text.split_at_checked(end)) {
        Some((lines, rest)) => {
            format!(
                "{lines}\n… and {} more lines: a check of the configuration lists all",
                rest.trim().lines().count()
            )
        }
        None => format!("{fits}…"),
    }
}

#[cfg(test)]
mod tests;
