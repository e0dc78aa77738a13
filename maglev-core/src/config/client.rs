//! Pure. The configuration file of a client: servers by name, from YAML, every error at once.

use std::collections::BTreeMap;

use super::diagnostic::{Errors, Position};
use super::keys;
use super::report::{At, Report};
use super::section::{Cursor, Section};
use super::suggest::quoted;
use super::value::{named, text};
use super::{syntax, tree};
use crate::names::ServerName;

/// A valid file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientConfig {
    /// The server that is meant where none is named, and where that is written. It may be one of another file.
    pub default: Option<(ServerName, Position)>,
    /// The servers.
    pub servers: BTreeMap<ServerName, ClientServer>,
}

/// A server, as a client reaches it. Paths are as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientServer {
    /// Its address.
    pub address: String,
    /// A file of the CAs that sign its certificate.
    pub tls_ca: Option<String>,
    /// A file of the client's certificate; there is a key where there is one.
    pub tls_cert: Option<String>,
    /// A file of the key of that certificate.
    pub tls_key: Option<String>,
    /// The name that its certificate is for.
    pub tls_server_name: Option<String>,
    /// A file of a token.
    pub token_file: Option<String>,
}

/// Reads the configuration file of a client: YAML, as `docs/maglevc.md` has it. A file without anything in it names no
/// server. `address` says whether an address can have TLS, or what is wrong with it.
///
/// # Errors
/// Everything that is wrong with the file, so that it can be mended in one go.
pub fn parse(
    bytes: impl AsRef<[u8]>,
    address: impl Fn(&str) -> Result<bool, String>,
) -> Result<ClientConfig, Errors> {
    let mut report = Report::new();
    let config = syntax::decode(bytes.as_ref(), &mut report).and_then(|text| {
        if text.lines().all(|line| matches!(line.trim_start().chars().next(), None | Some('#'))) {
            return Some(ClientConfig::default());
        }
        let root = tree::build(text, &mut report)?;
        Some(Reader { address: &address }.file(&Cursor::root(&root), &mut report))
    });
    match config {
        Some(config) if !report.has_errors() => Ok(config),
        Some(_) | None => Err(report.into_errors()),
    }
}

struct Reader<'a> {
    address: &'a dyn Fn(&str) -> Result<bool, String>,
}

impl Reader<'_> {
    fn file(&self, root: &Cursor<'_>, report: &mut Report) -> ClientConfig {
        let mut file = Section::open(root, &keys::CLIENT_FILE, report);
        let default =
            file.optional("default", |cursor, report| named(&text(cursor, report)?, &cursor.place(), report));
        let cursor = file.child("servers");
        let report = file.report();
        let entries = cursor.and_then(|cursor| cursor.entries("`ams:` and its address below it", report));
        let mut servers = BTreeMap::new();
        for (key, cursor) in entries.unwrap_or_default() {
            let server = self.server(&cursor, report);
            if let Some(name) = named(key, cursor.key(), report) {
                servers.insert(name, server);
            }
        }
        ClientConfig { default: default.map(|At { value, place }| (value, place.position)), servers }
    }

    fn server(&self, cursor: &Cursor<'_>, report: &mut Report) -> ClientServer {
        let mut section = Section::open(cursor, &keys::CLIENT_SERVER, report);
        let address = section.required("address", "lb1.example.org:9090", text);
        let has_tls = address.as_ref().is_none_or(|At { value, place }| {
            (self.address)(value).unwrap_or_else(|hint| {
                let message = format!("{} is no address of a server", quoted(value));
                section.report().meaning(place, message, hint);
                true
            })
        });
        let of_tls = |section: &mut Section<'_, '_>, key: &str| {
            let found = section.optional(key, text)?;
            if !has_tls {
                let hint = "remove it: a Unix socket and an address with http:// have no TLS";
                section.report().meaning(&found.place, "this server has no TLS", hint);
            }
            Some(found)
        };
        let tls_ca = of_tls(&mut section, "tls-ca");
        let tls_cert = of_tls(&mut section, "tls-cert");
        let tls_key = of_tls(&mut section, "tls-key");
        let tls_server_name = of_tls(&mut section, "tls-server-name");
        let token_file = section.optional("token-file", text);
        for (there, key, missing) in [(&tls_cert, "tls-key", &tls_key), (&tls_key, "tls-cert", &tls_cert)] {
            if let (Some(At { place, .. }), None) = (there, missing) {
                let message = format!("`{key}` is missing beside this");
                section.report().meaning(place, message, "a certificate and its key go together");
            }
        }
        let value = |found: Option<At<String>>| found.map(|found| found.value);
        ClientServer {
            address: value(address).unwrap_or_default(),
            tls_ca: value(tls_ca),
            tls_cert: value(tls_cert),
            tls_key: value(tls_key),
            tls_server_name: value(tls_server_name),
            token_file: value(token_file),
        }
    }
}

#[cfg(test)]
mod tests;
