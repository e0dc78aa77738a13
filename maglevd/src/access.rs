//! Edge. The access file in force, and whom it makes of a peer.

mod caller;
mod refusal;
mod tokens;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderValue;
use maglev_core::access::{Access as Rules, Role};
use maglev_core::config::{ParsedAccess, parse_access};

pub use self::caller::{Caller, Scope};
pub use self::refusal::{Denials, Reason, Refusal};
pub use self::tokens::{NoToken, Tokens, TokensError, bearer, digest, same};
use crate::ownership;
use crate::peer::{Origin, Peer, Security};
use crate::reload::{ConfigError, read};

/// Who may do what. Cheap to clone; all clones show the same.
#[derive(Clone, Debug)]
pub struct Access {
    path: Option<Arc<Path>>,
    rules: Arc<RwLock<Arc<Rules>>>,
    denials: Arc<Denials>,
}

impl Access {
    /// With rules of a file, or with those that are so without one.
    pub fn new(path: Option<PathBuf>, rules: Rules) -> Self {
        Access {
            path: path.map(Into::into),
            rules: Arc::new(RwLock::new(Arc::new(rules))),
            denials: Arc::default(),
        }
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Arc<Path>> {
        self.path.as_ref()
    }

    /// What was refused.
    pub const fn denials(&self) -> &Arc<Denials> {
        &self.denials
    }

    /// Puts other rules in force, for every call from now on.
    pub fn put(&self, rules: Rules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who calls: a peer, with what it says in the header `authorization`, of which there should be one at most.
    ///
    /// What is shown and is wrong is refused, and never taken for nothing.
    pub fn caller<'a>(
        &self,
        peer: &Peer,
        authorization: impl IntoIterator<Item = &'a HeaderValue>,
    ) -> Result<Caller, Refusal> {
        let rules = self.rules();
        let clear = !peer.origin.is_local() && !matches!(peer.security, Security::Tls(_));
        if clear && peer.security == Security::PlainInPlaceOfTls {
            return Err(Refusal::plaintext());
        }
        let Some(token) = bearer(authorization).map_err(|NoToken| Refusal::malformed_token())? else {
            return Ok(self.without_token(peer, &rules));
        };
        if clear {
            return Err(Refusal::token_in_the_clear());
        }
        match rules.by_token(&digest(token), same) {
            Some((name, user)) => Ok(Caller::user(peer, name, user)),
            None => Err(Refusal::unknown_token(self.path.is_some())),
        }
    }

    fn without_token(&self, peer: &Peer, rules: &Rules) -> Caller {
        let uid = match peer.origin {
            Origin::Unix(uid) => uid,
            Origin::Tcp(_) => None,
        };
        let known = rules.by_certificate(peer.names()).or_else(|| rules.by_uid(uid?));
        if let Some((name, user)) = known {
            return Caller::user(peer, name, user);
        }
        // A certificate that no user has proves who somebody is and allows nothing.
        let role = match peer.origin {
            Origin::Unix(_) => rules.unix,
            Origin::Tcp(_) if peer.origin.is_local() => rules.loopback,
            Origin::Tcp(_) => rules.anonymous.min(Role::Viewer),
        };
        Caller::nobody(peer, role)
    }
}

/// Reads and checks an access file.
pub fn load(path: &Path) -> Result<ParsedAccess, ConfigError> {
    let bytes = ownership::check(path)
        .and_then(|()| read(path))
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    parse_access(bytes, uid_of).map_err(|errors| ConfigError::Invalid { path: path.to_owned(), errors })
}

fn uid_of(name: &str) -> Option<u32> {
    nix::unistd::User::from_name(name).ok().flatten().map(|user| user.uid.as_raw())
}

#[cfg(test)]
mod tests;
