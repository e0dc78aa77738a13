//! Pure. A line of the audit log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use maglev_core::access::Role;
use maglev_core::text::is_unprintable;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tonic::Status;

use crate::access::Caller;
use crate::grpc::{code_name, not_taken};
use crate::reload::ConfigError;

/// The longest text that is kept of a request, in bytes. Names have 253 and reasons 1024 at most; longer ones are refused.
const LONGEST: usize = 1024;

/// One change that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it was answered: RFC 3339, UTC.
    pub at: String,
    /// Who asked.
    pub by: String,
    /// Where from: an address, or a user id on a Unix socket.
    pub from: String,
    /// The call.
    pub call: String,
    /// What was asked.
    pub request: Value,
    /// What was so before; null where it does not apply.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// What is so after.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
    /// `ok`, `unchanged`, or the name of the gRPC code.
    pub result: String,
    /// For a refusal the sentence the caller was given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Refusals like this that were left out before it, since there were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// Refused to somebody who may change nothing.
    #[serde(skip)]
    limited: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Where whoever makes a change notes what it was, for the record of the call. All clones are one note.
#[derive(Clone, Debug, Default)]
pub struct Note(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    before: Value,
    after: Value,
    unchanged: bool,
}

impl Note {
    /// What was so before and is so after, and whether that is the same.
    pub fn set(&self, before: Value, after: Value, unchanged: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Noted { before, after, unchanged };
    }

    /// Keeps whoever makes the change from noting anything, until dropped.
    #[cfg(test)]
    pub(crate) fn block(&self) -> impl Sized {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    /// Of a call that was made. `claimed` is the name that the client gave.
    pub fn new(caller: &Caller, claimed: &str, call: &str, request: Value) -> Self {
        Record {
            at: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            by: caller.by(&shortened(claimed)),
            from: caller.origin.to_string(),
            call: call.to_owned(),
            request: bounded(request),
            before: Value::Null,
            after: Value::Null,
            result: String::new(),
            message: String::new(),
            left_out: 0,
            limited: caller.role < Role::Admin,
        }
    }

    /// Of a reload that a signal asked for.
    pub fn of_signal(error: Option<&ConfigError>, note: &Note) -> Self {
        let record = Record {
            at: String::new(),
            by: "SIGHUP".to_owned(),
            from: "SIGHUP".to_owned(),
            call: "ReloadConfig".to_owned(),
            request: Value::Object(serde_json::Map::new()),
            before: Value::Null,
            after: Value::Null,
            result: String::new(),
            message: String::new(),
            left_out: 0,
            limited: false,
        };
        record.ended(error.map(not_taken).as_ref(), note)
    }

    /// With how it ended.
    #[must_use]
    pub fn ended(mut self, status: Option<&Status>, note: &Note) -> Self {
        let noted = std::mem::take(&mut *note.0.lock().unwrap_or_else(PoisonError::into_inner));
        (self.before, self.after) = (bounded(noted.before), bounded(noted.after));
        self.at = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        match status {
            None => {
                self.limited = false;
                self.result = if noted.unchanged { "unchanged" } else { "ok" }.to_owned();
            }
            Some(status) => {
                self.result = code_name(status.code()).to_owned();
                self.message = status.message().to_owned();
            }
        }
        self
    }

    /// Whether only so many of these are written: whoever may change nothing must not fill the disk.
    pub(super) const fn is_limited(&self) -> bool {
        self.limited
    }

    /// Whether it names a backend.
    pub(super) fn names_backend(&self, backend: &str) -> bool {
        let keys: &[&str] = if self.call.ends_with("Backend") { &["name", "backend"] } else { &["backend"] };
        keys.iter().any(|key| self.request[key] == backend)
    }

    /// Whether it names a frontend.
    pub(super) fn names_frontend(&self, frontend: &str) -> bool {
        self.request["frontend"] == frontend
    }

    /// The line with its end.
    pub(super) fn line(&self) -> Vec<u8> {
        // Texts and numbers only: nothing that could not be written.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// With every text in it cut to what is kept.
fn bounded(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(shortened(&text)),
        Value::Array(items) => items.into_iter().map(bounded).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, bounded(value))).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

/// Cut to what is kept, and without what would rearrange the line it is shown in.
fn shortened(text: &str) -> String {
    let text = &text.replace(is_unprintable, "\u{fffd}");
    match text.get(..text.floor_char_boundary(LONGEST)) {
        Some(start) if start.len() < text.len() => format!("{start}…"),
        Some(_) | None => text.clone(),
    }
}
