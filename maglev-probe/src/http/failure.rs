//! Pure. What the end of a connection means for the backend.

use std::io;

use maglev_core::outcome::Code;

use crate::{Finding, fault, tls};

/// The finding for a connection that ended before the answer did, with or without an error.
pub(super) fn failure(error: Option<&io::Error>) -> Finding {
    let Some(error) = error else { return closed() };
    if tls::cause(error).is_some() {
        // A TLS 1.3 handshake is complete for the client before the server has looked at the client's certificate.
        return Finding::new(Code::L6Rsp, tls::words(error));
    }
    if fault::is_shortage(error) {
        return Finding::local(fault::words(error));
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => closed(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            Finding::new(Code::L7Rsp, "the server reset the connection before a complete answer")
        }
        _ => Finding::new(Code::L7Rsp, format!("the answer broke off: {}", fault::words(error))),
    }
}

fn closed() -> Finding {
    Finding::new(Code::L7Rsp, "the server closed the connection before a complete answer")
}
