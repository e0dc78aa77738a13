//! Pure. What an error of hyper means for the backend.

use std::error::Error as StdError;
use std::io;

use maglev_core::outcome::Code;

use super::wire::Endless;
use super::{MAX_FIELDS, MAX_HEAD};
use crate::{Finding, fault, tls};

/// The finding for an exchange that broke off.
pub(super) fn failure(error: &hyper::Error) -> Finding {
    if let Some(io) = io_cause(error) {
        return broken_off(io);
    }
    let detail = if error.is_parse_too_large() {
        format!("the header of the answer is over {} KiB or {MAX_FIELDS} fields", MAX_HEAD >> 10)
    } else if error.is_parse() {
        "the answer is not HTTP".to_owned()
    } else if error.is_user() {
        return Finding::local(format!("the request could not be sent: {error}"));
    } else if error.is_incomplete_message() {
        "the server closed the connection before a complete answer".to_owned()
    } else {
        // Only hyper's own words are in its errors, nothing of the server's.
        format!("the answer broke off: {error}")
    };
    Finding::new(Code::L7Rsp, detail)
}

fn broken_off(error: &io::Error) -> Finding {
    if tls::cause(error).is_some() {
        // TLS 1.3 lets a client finish before the server has looked at what it got.
        return Finding::new(Code::L6Rsp, tls::words(error));
    }
    if fault::is_local(error) {
        return Finding::local(fault::words(error));
    }
    if let Some(endless) = error.get_ref().and_then(|inner| inner.downcast_ref::<Endless>()) {
        return Finding::new(Code::L7Rsp, endless.to_string());
    }
    let detail = match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "the server closed the connection before a complete answer".to_owned()
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the server reset the connection before a complete answer".to_owned()
        }
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            "the answer has a body that is not HTTP".to_owned()
        }
        _ => format!("the answer broke off: {}", fault::words(error)),
    };
    Finding::new(Code::L7Rsp, detail)
}

fn io_cause(error: &hyper::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        source = error.source();
    }
    None
}
