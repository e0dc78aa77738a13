//! Pure. Which server is meant, and how it and the one who asks prove who they are: what flags, environment and files say
//! of it, in one.

use std::fmt;
use std::path::PathBuf;

use rustls::pki_types::ServerName;

use crate::failure::Failure;
use crate::server::Server;

/// Where maglevd listens by default.
const DEFAULT_SERVER: &str = "localhost:9090";

/// What one place says of a server. What it leaves open, another may say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Which place.
    pub(crate) place: Place,
    /// The address.
    pub(crate) server: Option<String>,
    /// A file of the CAs that sign the server's certificate.
    pub(crate) tls_ca: Option<String>,
    /// A file of the client's certificate.
    pub(crate) tls_cert: Option<String>,
    /// A file of the key of that certificate.
    pub(crate) tls_key: Option<String>,
    /// The name that the server's certificate is for.
    pub(crate) tls_server_name: Option<String>,
    /// A file of a token.
    pub(crate) token_file: Option<String>,
}

/// Where something is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the command line.
    #[default]
    Flags,
    /// In the environment.
    Environment,
    /// In a configuration file, of the server of this name.
    File {
        /// The name of the server.
        server: String,
        /// The file.
        file: String,
    },
}

impl Place {
    /// How a setting is called there: `--tls-ca`, `MAGLEV_TLS_CA`, `tls-ca of ams`.
    fn call(&self, setting: &str) -> String {
        match self {
            Self::Flags => format!("--{setting}"),
            Self::Environment => format!("MAGLEV_{}", setting.to_uppercase().replace('-', "_")),
            Self::File { server, .. } => format!("{setting} of {server}"),
        }
    }
}

/// A file, and what names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The file.
    pub(crate) path: PathBuf,
    /// What names it.
    pub(crate) by: String,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.path.display(), self.by)
    }
}

/// A server, settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// What the operator calls it; `None` for one that has only an address.
    pub(crate) name: Option<String>,
    /// Its address, with or without TLS.
    pub(crate) server: Server,
    /// Where the address can be changed, as a sentence.
    pub(crate) hint: String,
    /// The CAs to believe; `None` for those of the system.
    pub(crate) ca: Option<Given>,
    /// The certificate and the key to show.
    pub(crate) identity: Option<(Given, Given)>,
    /// The name to expect in the server's certificate; `None` for that of the address.
    pub(crate) server_name: Option<String>,
    /// The file of the token to send.
    pub(crate) token: Option<Given>,
}

impl Target {
    /// Puts together what is said of a server, what counts most first.
    ///
    /// TLS is used where the address says `https://`, where anything about TLS is said, and where a token would otherwise
    /// leave this machine in the clear. A Unix socket and an address that says `http://` have none.
    ///
    /// # Errors
    /// [`Failure::Flags`] for what contradicts itself.
    pub(crate) fn new(said: &[Said]) -> Result<Self, Failure> {
        let addressed = said.iter().find(|said| said.server.is_some());
        let address = addressed.and_then(|said| said.server.as_deref()).unwrap_or(DEFAULT_SERVER);
        let mut server: Server = address.parse().map_err(|error| Failure::Flags(format!("{error}")))?;
        let find = |setting: &'static str, of: fn(&Said) -> &Option<String>| {
            let said = said.iter().find(|said| of(said).is_some())?;
            Some(Given { path: of(said).as_ref()?.into(), by: said.place.call(setting) })
        };
        let mut target = Self {
            name: None,
            hint: "maglevd's address is set with --server or MAGLEV_SERVER".to_owned(),
            ca: find("tls-ca", |said| &said.tls_ca),
            identity: identity(said)?,
            server_name: said.iter().find_map(|said| said.tls_server_name.clone()),
            token: find("token-file", |said| &said.token_file),
            server: server.clone(),
        };
        if let Some(Said { place: Place::File { server, file }, .. }) = addressed {
            target.name = Some(server.clone());
            target.hint = format!("the address of {server} is set in {file}");
        }
        let wanted = target.ca.is_some() || target.identity.is_some() || target.server_name.is_some();
        match &mut server {
            Server::Tcp { tls: tls @ None, .. } => {
                *tls = Some(wanted || (target.token.is_some() && !target.server.is_here()));
            }
            Server::Tcp { .. } | Server::Unix(_) => {}
        }
        target.server = server;
        if target.server.is_secure() {
            if let Some(name) = &target.server_name
                && ServerName::try_from(name.as_str()).is_err()
            {
                return Err(Failure::Flags(format!(
                    "{name:?} can be in no certificate: the name of a server is a DNS name or an address"
                )));
            }
            return Ok(target);
        }
        target.refuse_tls_flags(said)?;
        (target.ca, target.identity, target.server_name) = (None, None, None);
        match &target.token {
            Some(token) if !target.server.is_here() => Err(Failure::Flags(format!(
                "the token in {token} is not sent to {} without TLS, where anybody on the way could read it: write \
                 https:// instead of http://",
                target.server
            ))),
            _ => Ok(target),
        }
    }

    /// TLS that was asked for on the command line, and that a server without TLS cannot have, is a contradiction; in the
    /// environment it is meant for other servers.
    fn refuse_tls_flags(&self, said: &[Said]) -> Result<(), Failure> {
        let flags = said.iter().filter(|said| said.place == Place::Flags);
        let mut settings = flags.flat_map(|said| {
            [
                ("tls-ca", &said.tls_ca),
                ("tls-cert", &said.tls_cert),
                ("tls-server-name", &said.tls_server_name),
            ]
        });
        let Some((setting, _)) = settings.find(|(_, value)| value.is_some()) else { return Ok(()) };
        Err(Failure::Flags(match self.server {
            Server::Unix(_) => format!("a Unix socket has no TLS: leave out --{setting}"),
            Server::Tcp { .. } => format!("http:// is without TLS: write https://, or leave out --{setting}"),
        }))
    }
}

/// The certificate and its key, which come from one place.
fn identity(said: &[Said]) -> Result<Option<(Given, Given)>, Failure> {
    let Some(said) = said.iter().find(|said| said.tls_cert.is_some() || said.tls_key.is_some()) else {
        return Ok(None);
    };
    let given = |setting: &str, value: &Option<String>, other: &str| {
        let by = said.place.call(setting);
        match value {
            Some(path) => Ok(Given { path: path.into(), by }),
            None => Err(Failure::Flags(format!("{} needs {by} beside it", said.place.call(other)))),
        }
    };
    let cert = given("tls-cert", &said.tls_cert, "tls-key")?;
    let key = given("tls-key", &said.tls_key, "tls-cert")?;
    Ok(Some((cert, key)))
}

#[cfg(test)]
mod tests;
