//! Pure. The request of an http probe, as bytes.

use std::net::{IpAddr, SocketAddr};

use maglev_core::check::{HttpSpec, is_method, is_request_target};

use crate::Finding;
use crate::text::Quoted;

#[cfg(test)]
mod tests;

/// Methods whose requests usually have a body. Without `Content-Length: 0` some servers answer 411 or wait for one
/// (RFC 9110, section 8.6).
const METHODS_WITH_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];

/// The request that `spec` describes, to `port` of `address`, without a body.
///
/// # Errors
/// `SOCKERR` for what cannot be sent: the fault is ours, and the backend has not been asked.
pub(super) fn build(
    spec: &HttpSpec,
    address: IpAddr,
    port: u16,
    secure: bool,
    user_agent: &str,
) -> Result<Vec<u8>, Finding> {
    let HttpSpec { path, method, .. } = spec;
    if !is_method(method) {
        return Err(invalid("method", method));
    }
    if !is_request_target(path) {
        return Err(invalid("path", path));
    }
    let host = match &spec.host {
        Some(host) => host.clone(),
        None => authority(address, port, secure),
    };
    if !is_field_value(&host) {
        return Err(invalid("host", &host));
    }
    if !is_field_value(user_agent) {
        return Err(invalid("user agent", user_agent));
    }
    // Field names begin with a capital: some servers of appliances know `Host` by no other.
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {user_agent}\r\nConnection: close\r\n"
    );
    if METHODS_WITH_BODY.contains(&method.as_str()) {
        request += "Content-Length: 0\r\n";
    }
    request += "\r\n";
    Ok(request.into_bytes())
}

/// Whether `text` can be the value of a header field. A line break in it would begin another field.
fn is_field_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

/// The address as a Host header: with the port if it is not the scheme's own, IPv6 in brackets (RFC 9110, 7.2).
fn authority(address: IpAddr, port: u16, secure: bool) -> String {
    let own = if secure { 443 } else { 80 };
    match address {
        _ if port != own => SocketAddr::new(address, port).to_string(),
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn invalid(what: &str, text: &str) -> Finding {
    Finding::local(format!("the {what} {} cannot be sent in an HTTP request", Quoted(text.as_bytes())))
}
