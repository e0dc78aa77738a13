//! Pure. The access file: from YAML to [`Access`], every error at once.

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, Errors};
use super::keys;
use super::report::{At, Report};
use super::section::{Cursor, Section};
use super::suggest::quoted;
use super::value::{named, one_of, text};
use super::{syntax, tree};
use crate::access::{Access, Role, TokenDigest, User};
use crate::names::UserName;
use crate::pattern::Pattern;
use crate::text::is_unprintable;

/// A valid access file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedAccess {
    /// What it says.
    pub access: Access,
    /// What in it is rarely meant, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

/// Reads an access file: YAML, as `docs/security.md` has it. `uid_of` knows the users of the system by name.
///
/// # Errors
/// Everything that is wrong with the file, so that it can be mended in one go.
pub fn parse(bytes: impl AsRef<[u8]>, uid_of: impl Fn(&str) -> Option<u32>) -> Result<ParsedAccess, Errors> {
    let mut report = Report::new();
    let root = syntax::decode(bytes.as_ref(), &mut report).and_then(|text| tree::build(text, &mut report));
    let access = root.map(|root| Reader { uid_of: &uid_of }.file(&Cursor::root(&root), &mut report));
    match access {
        Some(access) if !report.has_errors() => Ok(ParsedAccess { access, warnings: report.into_warnings() }),
        Some(_) | None => Err(report.into_errors()),
    }
}

/// Which user has a thing, for things that only one can have.
type Owners = BTreeMap<String, UserName>;

struct Reader<'a> {
    uid_of: &'a dyn Fn(&str) -> Option<u32>,
}

impl Reader<'_> {
    fn file(&self, root: &Cursor<'_>, report: &mut Report) -> Access {
        let mut file = Section::open(root, &keys::ACCESS_FILE, report);
        file.require("access", "{users: …}");
        let mut access = file.nested("access", &keys::ACCESS);
        let defaults = Access::default();
        let anonymous = one_of([("viewer", Role::Viewer), ("none", Role::None)]);
        let local = || one_of([("admin", Role::Admin), ("viewer", Role::Viewer), ("none", Role::None)]);
        let loopback_is_written = access.has("loopback");
        let read = Access {
            anonymous: access.or("anonymous", defaults.anonymous, anonymous).value,
            loopback: access.or("loopback", defaults.loopback, local()).value,
            unix: access.or("unix", defaults.unix, local()).value,
            users: self.users(&mut access),
        };
        let is_limited =
            |user: &User| user.role < Role::Admin || !user.backends.is_empty() || !user.frontends.is_empty();
        let on_the_host = read.unix < Role::Admin
            || read.users.values().any(|user| !user.uids.is_empty() && is_limited(user));
        if on_the_host && read.loopback == Role::Admin && !loopback_is_written {
            let place = access.place().clone();
            let message = "whoever is limited on a Unix socket may do everything over 127.0.0.1";
            access.report().warning(
                &place,
                message,
                "write `loopback: viewer`, or `loopback: admin` to mean it",
            );
        }
        read
    }

    fn users(&self, section: &mut Section<'_, '_>) -> BTreeMap<UserName, User> {
        let cursor = section.child("users");
        let report = section.report();
        let entries = cursor.and_then(|cursor| cursor.entries(keys::USER.example, report));
        let mut owners = Owners::new();
        let mut users = BTreeMap::new();
        for (key, cursor) in entries.unwrap_or_default() {
            if let Some(name) = named::<UserName>(key, cursor.key(), report) {
                let user = self.user(&name, &cursor, &mut owners, report);
                users.insert(name, user);
            }
        }
        users
    }

    fn user(&self, name: &UserName, cursor: &Cursor<'_>, owners: &mut Owners, report: &mut Report) -> User {
        let mut section = Section::open(cursor, &keys::USER, report);
        let role =
            section.required("role", "viewer", one_of([("viewer", Role::Viewer), ("admin", Role::Admin)]));
        let mut own = |section: &mut Section<'_, '_>, kind: &str, things: &[At<String>]| {
            for At { value, place } in things {
                match owners.insert(format!("{kind} {value}"), name.clone()) {
                    Some(other) if other == *name => {
                        section.report().warning(place, format!("this {kind} is there twice"), "remove one");
                    }
                    Some(other) => {
                        let message = format!("user {other} has the same {kind}");
                        section.report().meaning(place, message, "give it to one user only");
                    }
                    None => {}
                }
            }
        };

        let certificates = list(&mut section, "certificate", "alice@ops.example", certificate);
        own(&mut section, "certificate", &certificates);
        let tokens = list(&mut section, "token", "sha256:…, as `maglevc token new` shows it", token);
        let written: Vec<_> = tokens
            .iter()
            .map(|At { value, place }| At { value: value.to_string(), place: place.clone() })
            .collect();
        own(&mut section, "token", &written);
        let uids = list(&mut section, "unix", "alice", |cursor, report| self.uid(cursor, report));
        let written: Vec<_> = uids
            .iter()
            .map(|At { value, place }| At { value: value.to_string(), place: place.clone() })
            .collect();
        own(&mut section, "unix", &written);
        let backends = patterns(&mut section, "backends");
        let frontends = patterns(&mut section, "frontends");

        let place = section.place().clone();
        if certificates.is_empty() && tokens.is_empty() && uids.is_empty() {
            let hint = "write `certificate`, `token` or `unix`";
            section.report().warning(&place, "nobody can be this user: there is nothing to know it by", hint);
        }
        let role = role.map_or(Role::None, |role| role.value);
        if role == Role::Viewer && !(backends.is_empty() && frontends.is_empty()) {
            let message = "patterns limit what may be changed, and a viewer changes nothing";
            section.report().warning(&place, message, "remove them, or write `role: admin`");
        }
        if role == Role::Admin && backends.is_empty() && !frontends.is_empty() {
            let message = "`frontends` limits weights alone: this user may pause and disable every backend";
            section.report().warning(&place, message, "write `backends` too");
        }
        let values = |things: Vec<At<String>>| things.into_iter().map(|thing| thing.value).collect();
        User {
            role,
            certificates: values(certificates),
            tokens: tokens.into_iter().map(|token| token.value).collect(),
            uids: uids.into_iter().map(|uid| uid.value).collect(),
            backends,
            frontends,
        }
    }

    /// A user id, or the name of a user that the system knows.
    fn uid(&self, cursor: &Cursor<'_>, report: &mut Report) -> Option<u32> {
        let written = text(cursor, report)?;
        let uid = written.parse().ok().or_else(|| (self.uid_of)(&written));
        if uid.is_none() {
            // Users come and go, and where they are kept may not be there yet when the machine starts: that must keep neither
            // the daemon from starting nor a configuration from being taken.
            let message = format!("this system has no user {}, so nobody is known by it", quoted(&written));
            report.warning(
                &cursor.place(),
                message,
                "write a user as `getent passwd` shows it, or a user id; a reload looks again",
            );
        }
        uid
    }
}

/// One value or a list of them; none if nothing is written.
fn list<'t, T>(
    section: &mut Section<'t, '_>,
    key: &str,
    example: &str,
    decode: impl Fn(&Cursor<'t>, &mut Report) -> Option<T>,
) -> Vec<At<T>> {
    let Some(cursor) = section.child(key).filter(|cursor| !cursor.is_null()) else { return Vec::new() };
    let report = section.report();
    let cursors = match cursor.scalar() {
        Some(_) => vec![cursor],
        None => cursor.items(&format!("`{key}: {example}`, or a list of these"), report).unwrap_or_default(),
    };
    let decoded = cursors.iter().filter_map(|cursor| {
        let value = decode(cursor, report)?;
        Some(At { value, place: cursor.place() })
    });
    decoded.collect()
}

/// Patterns, where nothing at all stands for everything: so an empty list, which looks like nothing, is refused.
fn patterns(section: &mut Section<'_, '_>, key: &str) -> Vec<Pattern> {
    let Some(cursor) = section.child(key) else { return Vec::new() };
    let report = section.report();
    let cursors = match cursor.scalar().filter(|_| !cursor.is_null()) {
        Some(_) => vec![cursor.clone()],
        None => match cursor.items(&format!("`{key}: [\"web*\"]`"), report) {
            Some(items) => items,
            None => return Vec::new(),
        },
    };
    if cursors.is_empty() {
        let hint = format!("write patterns, such as `{key}: [\"web*\"]`, or remove it to allow all");
        report.meaning(&cursor.place(), format!("`{key}` names nothing"), hint);
    }
    cursors.iter().filter_map(|cursor| pattern(cursor, report)).collect()
}

fn pattern(cursor: &Cursor<'_>, report: &mut Report) -> Option<Pattern> {
    let written = text(cursor, report)?;
    match written.parse() {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let hint = "write a name, with `*` for any text and `?` for any one character";
            report.meaning(&cursor.place(), error.to_string(), hint);
            None
        }
    }
}

fn certificate(cursor: &Cursor<'_>, report: &mut Report) -> Option<String> {
    let written = text(cursor, report)?;
    if written.is_empty() || written.contains(is_unprintable) {
        let message = format!("{} is in no certificate", quoted(&written));
        report.meaning(&cursor.place(), message, "write a DNS name, an e-mail address or a URI");
        return None;
    }
    Some(written)
}

fn token(cursor: &Cursor<'_>, report: &mut Report) -> Option<TokenDigest> {
    let written = text(cursor, report)?;
    match written.parse() {
        Ok(digest) => Some(digest),
        // What is written is not shown: it may be the token itself.
        Err(error) => {
            let hint =
                "write the digest of a token, as `maglevc token new` shows it, and never the token itself";
            report.meaning(&cursor.place(), error.to_string(), hint);
            None
        }
    }
}

#[cfg(test)]
mod tests;
