//! Edge. Who asks for a change, and in which words.

use maglev_core::text::is_unprintable;
use tonic::{Request, Status};

use crate::access::Caller;

/// The most text an operator can give with a change, in bytes, so that it fits log lines and tables.
const REASON_LIMIT: usize = 1024;
const NAME_LIMIT: usize = 128;

/// Who calls. The judge let it pass and said so.
pub(super) fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| Status::internal("nobody has judged this call"))
}

/// Who asks for a change. `claimed` is the name the client gave, which is kept but proves nothing.
pub(super) fn by<T>(request: &Request<T>, claimed: &str) -> Result<String, Status> {
    Ok(caller(request)?.by(&words("by", claimed, NAME_LIMIT)?))
}

/// An operator's reason.
pub(super) fn reason(text: &str) -> Result<String, Status> {
    words("reason", text, REASON_LIMIT)
}

fn words(field: &str, text: &str, limit: usize) -> Result<String, Status> {
    if text.len() > limit {
        return Err(Status::invalid_argument(format!(
            "{field} has at most {limit} bytes, not {}",
            text.len()
        )));
    }
    if let Some(c) = text.chars().find(|&c| is_unprintable(c)) {
        return Err(Status::invalid_argument(format!(
            "{field} is one line of text without control characters and invisible ones: U+{:04X} cannot stand in it",
            u32::from(c)
        )));
    }
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests;
