//! Pure. The request of an http probe.

use std::net::{IpAddr, SocketAddr};

use http::header::{CONNECTION, HOST, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Empty;
use hyper::body::Bytes;
use maglev_core::check::HttpSpec;

use crate::Finding;
use crate::text::Quoted;

#[cfg(test)]
mod tests;

/// The request that `spec` describes, to `port` of `address`.
///
/// What cannot be sent is our fault: the backend has not been asked.
pub(super) fn build(
    spec: &HttpSpec,
    address: IpAddr,
    port: u16,
    secure: bool,
    user_agent: &str,
) -> Result<Request<Empty<Bytes>>, Finding> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() =
        Method::from_bytes(spec.method.as_bytes()).map_err(|_| invalid("method", &spec.method))?;
    *request.uri_mut() = origin_form(&spec.path).ok_or_else(|| invalid("path", &spec.path))?;
    let host = match &spec.host {
        Some(host) => host.clone(),
        None => authority(address, port, secure),
    };
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(&host).map_err(|_| invalid("host", &host))?);
    let agent = HeaderValue::from_str(user_agent).map_err(|_| invalid("user agent", user_agent))?;
    headers.insert(USER_AGENT, agent);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

fn origin_form(path: &str) -> Option<Uri> {
    let path = PathAndQuery::try_from(path).ok().filter(|_| path.starts_with('/'))?;
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).ok()
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
