//! Pure. Changes that were asked for, from the audit log.

use maglev_api::v1;
use serde_json::Value;

use crate::view::{Time, filled, time, view};

view! {
    /// The last changes that were asked for.
    pub(crate) struct Audit {
        /// The changes, oldest first.
        pub(crate) records: Vec<AuditRecord>,
        /// Whether there are more, older ones.
        pub(crate) more: bool,
    }

    /// One change that was asked for.
    pub(crate) struct AuditRecord {
        /// When it was answered.
        pub(crate) at: Option<Time>,
        /// Who asked, with how they came in.
        pub(crate) by: String,
        /// Where from: an address, or a user id on a Unix socket.
        pub(crate) from: String,
        /// The call, such as `DisableBackend`.
        pub(crate) call: String,
        /// What was asked.
        pub(crate) request: Value,
        /// What was so before; null where it does not apply.
        pub(crate) before: Value,
        /// What is so after; null where it does not apply.
        pub(crate) after: Value,
        /// `ok`, `unchanged`, or the name of the gRPC code of a refusal, such as `PERMISSION_DENIED`.
        pub(crate) result: String,
        /// For a refusal, the sentence that was given.
        pub(crate) message: Option<String>,
    }
}

impl From<v1::ListAuditResponse> for Audit {
    fn from(audit: v1::ListAuditResponse) -> Self {
        Self { records: audit.records.into_iter().map(Into::into).collect(), more: audit.more }
    }
}

impl From<v1::AuditRecord> for AuditRecord {
    fn from(record: v1::AuditRecord) -> Self {
        Self {
            at: time(record.at),
            by: record.by,
            from: record.from,
            call: record.call,
            request: json(record.request),
            before: json(record.before),
            after: json(record.after),
            result: record.result,
            message: filled(record.message),
        }
    }
}

/// JSON that came as text. What is none stays a text: a record is evidence, and nothing of it is dropped.
fn json(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(_) if text.is_empty() => Value::Null,
        Err(_) => Value::String(text),
    }
}
