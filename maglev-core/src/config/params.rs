//! Pure. Reading the params of the built-in probe types.

use std::net::{IpAddr, Ipv4Addr};

use super::probe::absolute_path;
use super::report::{At, Report};
use super::section::{Cursor, Section};
use super::suggest::quoted;
use super::value::{boolean, text};
use crate::check::{
    BodyPattern, ClientCertificate, HttpSpec, StatusSet, TlsSpec, is_method, is_target_character,
};

/// The request of an http or https check.
pub(super) fn http(params: &mut Section<'_, '_>) -> HttpSpec {
    let method = params.or("method", "GET".to_owned(), method).value;
    let body = params.optional("response-regexp", pattern);
    if let (Some(At { place, .. }), "HEAD") = (&body, method.as_str()) {
        let message = "the answer to HEAD has no body to find anything in";
        params.report().meaning(place, message, "write `method: GET`, or remove this");
    }
    let status = params.or("response-code", StatusSet::default(), status_set);
    if let Some(At { value: pattern, place }) = &body
        && status.value.codes().all(|code| matches!(code, 204 | 304))
        && !pattern.is_match(b"")
    {
        let message = "answers with the status codes that are wanted have no body to find anything in";
        params.report().meaning(place, message, "remove this, or want another `response-code`");
    }
    HttpSpec {
        path: params.or("path", "/".to_owned(), path).value,
        host: params.optional("host", host).map(|host| host.value),
        method,
        status: status.value,
        body: body.map(|body| body.value),
    }
}

/// The TLS session of a tcp check, if it is to have one.
pub(super) fn tcp(params: &mut Section<'_, '_>) -> Option<TlsSpec> {
    let decided = params.has("tls");
    let wanted = params.optional("tls", boolean);
    if decided && wanted.is_none() {
        tls(params);
        return None;
    }
    if wanted.is_some_and(|wanted| wanted.value) {
        return Some(tls(params));
    }
    for key in ["server-name", "insecure-skip-verify", "ca-file", "client-cert", "client-key"] {
        if let Some(cursor) = params.child(key).filter(|cursor| !cursor.is_null()) {
            let hint = "write `tls: true` beside it, or remove it";
            params.report().meaning(cursor.key(), "this is about TLS, which is off", hint);
        }
    }
    None
}

/// How to set up TLS.
pub(super) fn tls(params: &mut Section<'_, '_>) -> TlsSpec {
    let verify = !params.or("insecure-skip-verify", false, boolean).value;
    let server_name = params.optional("server-name", server_name).map(|name| name.value);
    let ca_file = params.optional("ca-file", absolute_path);
    if let (false, Some(At { place, .. })) = (verify, &ca_file) {
        let message = "no certificate is verified, so these authorities are not asked";
        params.report().warning(place, message, "remove `insecure-skip-verify`, or remove this");
    }
    let client = client_certificate(params);
    for file in ca_file.iter() {
        params.report().file(&file.place, &file.value);
    }
    TlsSpec { server_name, verify, ca_file: ca_file.map(|file| file.value), client }
}

/// The certificate to show to servers and its key, which go together.
fn client_certificate(params: &mut Section<'_, '_>) -> Option<ClientCertificate> {
    let (has_certificate, has_key) = (params.has("client-cert"), params.has("client-key"));
    let certificate = params.optional("client-cert", absolute_path);
    let key = params.optional("client-key", absolute_path);
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            params.report().file(&certificate.place, &certificate.value);
            params.report().file(&key.place, &key.value);
            Some(ClientCertificate { certificate: certificate.value, key: key.value })
        }
        (Some(At { place, .. }), None) if !has_key => {
            let hint = "write `client-key` beside it, with the file of its key";
            params.report().meaning(&place, "there is a certificate and no key", hint);
            None
        }
        (None, Some(At { place, .. })) if !has_certificate => {
            let hint = "write `client-cert` beside it, with the file of its certificate";
            params.report().meaning(&place, "there is a key and no certificate", hint);
            None
        }
        (Some(_) | None, Some(_) | None) => None,
    }
}

/// The longest request target. Servers need not take a longer request line than 8000 bytes (RFC 9112, section 3).
const MAX_TARGET: usize = 8000;

/// A request target in origin form (RFC 9112, section 3.2.1): what can stand between two spaces of a request line.
fn path(cursor: &Cursor<'_>, report: &mut Report) -> Option<String> {
    let written = text(cursor, report)?;
    let hint = if !written.starts_with('/') {
        format!("write a path that begins with `/`, such as /{}", written.trim_start().escape_debug())
    } else if written.contains('#') {
        "remove the `#` and what follows; no server ever sees it".to_owned()
    } else if let Some(character) = written.chars().find(|&character| !is_target_character(character)) {
        let encoded: String = character.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("write {} percent-encoded, as {encoded}", quoted(&character.to_string()))
    } else if written.len() > MAX_TARGET {
        format!("write one of at most {MAX_TARGET} bytes; servers refuse longer ones")
    } else {
        return Some(written);
    };
    report.meaning(&cursor.place(), format!("{} is not a request path", quoted(&written)), hint);
    None
}

/// The value of a Host header: a name or an address, perhaps with a port.
fn host(cursor: &Cursor<'_>, report: &mut Report) -> Option<String> {
    let written = text(cursor, report)?;
    let (name, port) = match written.rsplit_once(':') {
        // An IPv6 address is in brackets, so that a colon after them begins the port.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        Some(_) | None => (written.as_str(), None),
    };
    let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let name_is_good = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host_name(name),
    };
    if name_is_good && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0)) {
        return Some(written);
    }
    let hint = "write a name such as example.org, if need be with a port: example.org:8080";
    report.meaning(&cursor.place(), format!("{} is not a host", quoted(&written)), hint);
    None
}

/// What a certificate can be valid for: a name or an address.
fn server_name(cursor: &Cursor<'_>, report: &mut Report) -> Option<String> {
    let written = text(cursor, report)?;
    if is_host_name(&written) || written.parse::<IpAddr>().is_ok() {
        return Some(written);
    }
    let hint = "write a name such as example.org, without a port, or an IP address";
    report.meaning(&cursor.place(), format!("{} is not a server name", quoted(&written)), hint);
    None
}

/// Letters, digits, hyphens and underscores, in labels of at most 63 bytes and at most 253 in all (RFC 1035), or an IPv4
/// address. What ends in a number is a name to nobody: it is an address or a mistake, and can be in no certificate.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let relative = name.strip_suffix('.').unwrap_or(name);
    let labels = name.len() <= 253 && relative.split('.').all(label);
    let last = relative.rsplit('.').next().unwrap_or_default();
    labels && (!is_number(last) || name.parse::<Ipv4Addr>().is_ok())
}

/// Decimal digits, or hexadecimal ones after `0x`, which programs read as part of an IPv4 address.
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// A method: a token (RFC 9110, section 5.6.2) in capital letters.
fn method(cursor: &Cursor<'_>, report: &mut Report) -> Option<String> {
    let written = text(cursor, report)?;
    let hint = if !is_method(&written) {
        "write one such as GET, HEAD or OPTIONS".to_owned()
    } else if written.bytes().any(|b| b.is_ascii_lowercase()) {
        format!("write {}", written.to_ascii_uppercase())
    } else if written == "CONNECT" {
        "write another, such as GET: after CONNECT there is no HTTP to look at".to_owned()
    } else {
        return Some(written);
    };
    report.meaning(&cursor.place(), format!("{} is not a method for a check", quoted(&written)), hint);
    None
}

/// A status code, a range, several of them with commas, or a list of all that.
fn status_set(cursor: &Cursor<'_>, report: &mut Report) -> Option<StatusSet> {
    const EXAMPLE: &str = "`200`, `200-204` or `[200, 301-302]`";
    let parts = match cursor.scalar() {
        Some(_) => vec![cursor.clone()],
        None => cursor.items(EXAMPLE, report)?,
    };
    if parts.is_empty() {
        let message = "no status code would be good";
        report.meaning(&cursor.place(), message, format!("write {EXAMPLE}"));
        return None;
    }
    let codes: Vec<Option<String>> = parts
        .iter()
        .map(|part| {
            let written = text(part, report)?;
            match written.parse::<StatusSet>() {
                Ok(codes) => Some(codes.to_string()),
                Err(error) => {
                    report.meaning(&part.place(), error.to_string(), format!("write {EXAMPLE}"));
                    None
                }
            }
        })
        .collect();
    let codes: Option<Vec<String>> = codes.into_iter().collect();
    let codes: StatusSet = codes?.join(",").parse().ok()?;
    if codes.codes().all(|code| code < 200) {
        let message = "no check passes: an answer with a status code below 200 is not the last one";
        report.meaning(&cursor.place(), message, format!("write {EXAMPLE}"));
        return None;
    }
    Some(codes)
}

/// A regular expression.
fn pattern(cursor: &Cursor<'_>, report: &mut Report) -> Option<BodyPattern> {
    let written = text(cursor, report)?;
    match written.parse::<BodyPattern>() {
        Ok(pattern) => {
            if written.ends_with(['\n', '\r']) {
                let message = "the pattern ends in a line break, which the body must then have in this place";
                let hint = "write `|-` or `>-` in place of `|` or `>`, or the pattern in quotes; a line break that is \
                            meant can be written `\\n` in single quotes";
                report.warning(&cursor.place(), message, hint);
            }
            Some(pattern)
        }
        Err(error) => {
            let hint = match error {
                regex::Error::CompiledTooBig(_) => "ask for less: repetitions of repetitions grow fast",
                _ => "write it in the syntax of RE2, which has no look-around and no back-references",
            };
            // The library draws the pattern with a caret over several lines; the last one says what is wrong.
            let all = error.to_string();
            let last = all.lines().last().unwrap_or_default();
            let reason = last.strip_prefix("error: ").unwrap_or(last);
            let message = format!("{} is not a regular expression: {reason}", quoted(&written));
            report.meaning(&cursor.place(), message, hint);
            None
        }
    }
}
