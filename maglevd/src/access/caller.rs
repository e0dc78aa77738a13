//! Pure. A caller, and what it may do.

use maglev_core::access::{Role, User};
use maglev_core::names::UserName;
use maglev_core::pattern::Pattern;

use super::refusal::Refusal;
use crate::peer::{Origin, Peer};

/// Somebody who calls, as the rules in force have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user of the access file, if it is one.
    pub user: Option<UserName>,
    /// How it came in, such as "192.0.2.7 over TLS, certificate alice".
    pub from: String,
    /// Where it is.
    pub origin: Origin,
    /// What it may do.
    pub role: Role,
    /// The backends it may change; empty for all.
    pub backends: Vec<Pattern>,
    /// The frontends it may change; empty for all.
    pub frontends: Vec<Pattern>,
    /// Whether nothing protects its connection but the network.
    in_the_clear: bool,
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Who the caller is itself, which everybody may know.
    Oneself,
    /// To look.
    Look,
    /// To look at what others changed.
    Audit,
    /// To change a backend.
    Backend(String),
    /// To change the weight of a backend in a frontend.
    Weight {
        /// The frontend.
        frontend: String,
        /// The backend.
        backend: String,
    },
    /// Everything there is.
    Everything,
}

impl Caller {
    pub(super) fn user(peer: &Peer, name: &UserName, user: &User) -> Self {
        Caller {
            user: Some(name.clone()),
            role: user.role,
            backends: user.backends.clone(),
            frontends: user.frontends.clone(),
            ..Caller::nobody(peer, Role::None)
        }
    }

    pub(super) fn nobody(peer: &Peer, role: Role) -> Self {
        Caller {
            user: None,
            from: peer.to_string(),
            origin: peer.origin,
            role,
            backends: Vec::new(),
            frontends: Vec::new(),
            in_the_clear: peer.security == crate::peer::Security::Plain && !peer.origin.is_local(),
        }
    }

    /// Somebody who may do nothing, since what was shown is wrong.
    pub fn unknown(peer: &Peer) -> Self {
        Caller::nobody(peer, Role::None)
    }

    /// Whether it has shown credentials that are good.
    pub const fn is_known(&self) -> bool {
        self.user.is_some()
    }

    /// Who it is, for people: the user if there is one, else the name it gives itself, with how it came in.
    pub fn by(&self, claimed: &str) -> String {
        match self.user.as_ref().map(UserName::as_str).unwrap_or(claimed) {
            "" => self.from.clone(),
            name => format!("{name} ({})", self.from),
        }
    }

    /// Refuses what it may not do.
    pub fn permit(&self, scope: &Scope) -> Result<(), Refusal> {
        let enough = match scope {
            Scope::Oneself => Role::None,
            Scope::Look => Role::Viewer,
            Scope::Audit | Scope::Backend(_) | Scope::Weight { .. } | Scope::Everything => Role::Admin,
        };
        if self.role < enough {
            return Err(self.lacks_role(scope));
        }
        match scope {
            Scope::Oneself | Scope::Look | Scope::Audit => Ok(()),
            Scope::Backend(backend) => self.within("backend", &self.backends, backend),
            Scope::Weight { frontend, backend } => {
                self.within("frontend", &self.frontends, frontend)?;
                self.within("backend", &self.backends, backend)
            }
            Scope::Everything if self.backends.is_empty() && self.frontends.is_empty() => Ok(()),
            Scope::Everything => Err(Refusal::pattern(format!(
                "{} may change some backends or frontends only, and this is about all of them",
                self.name()
            ))),
        }
    }

    fn within(&self, kind: &str, patterns: &[Pattern], name: &str) -> Result<(), Refusal> {
        if patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name)) {
            return Ok(());
        }
        let allowed: Vec<&str> = patterns.iter().take(5).map(Pattern::as_str).collect();
        let more = if patterns.len() > allowed.len() { ", …" } else { "" };
        Err(Refusal::pattern(format!(
            "{} may change {kind}s named {}{more} only, and not {}",
            self.name(),
            allowed.join(", "),
            name.chars().take(64).collect::<String>().escape_debug()
        )))
    }

    fn lacks_role(&self, scope: &Scope) -> Refusal {
        let wants = match scope {
            Scope::Audit => "the audit log is not shown to",
            Scope::Oneself | Scope::Look | Scope::Backend(_) | Scope::Weight { .. } | Scope::Everything => {
                "changes are not taken from"
            }
        };
        let from = &self.from;
        match (&self.user, self.role) {
            (Some(user), _) => {
                Refusal::role(format!("{wants} user {user}, who is a viewer in the access file of maglevd"))
            }
            (None, Role::None) if matches!(self.origin, Origin::Unix(_)) => Refusal::role(format!(
                "{from} may do nothing here: the access file of maglevd names it in no user, and sets `unix: none`"
            )),
            (None, Role::None) => Refusal::anonymous(format!(
                "nothing is told to {from} without credentials: show a client certificate or a token, as with maglevc \
                 --tls-cert or --token-file"
            )),
            (None, _) if self.in_the_clear => Refusal::role(format!(
                "{wants} {from} over plain TCP: run maglevc on the host of maglevd, connect to a --grpc-addr \
                 unix:/path, or give maglevd --tls-cert and an --access-file and show a certificate or a token"
            )),
            (None, _) => Refusal::role(format!(
                "{wants} {from}, who is a viewer: show a client certificate or a token of an admin, as with maglevc \
                 --tls-cert or --token-file"
            )),
        }
    }

    fn name(&self) -> String {
        self.user.as_ref().map_or_else(|| self.from.clone(), |user| format!("user {user}"))
    }
}
