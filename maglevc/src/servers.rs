//! Edge. Servers by name, from the client's configuration files, and the one that is meant.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use maglev_core::config::{ClientServer, Position, parse_client};

use crate::failure::Failure;
use crate::server::{NotAServer, Server};
use crate::target::{Place, Said, Target};
use crate::tree::parse::choose_word;
use crate::tree::problem::{What, list};
use crate::view::server::NamedServer;

/// The file for everybody on this machine.
const SYSTEM: &str = "/etc/vpp-maglev/maglevc.yaml";

/// What says which server is meant, besides the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meant {
    /// The flags.
    pub(crate) flags: Said,
    /// The name after `@`.
    pub(crate) name: Option<String>,
    /// `--client-config`.
    pub(crate) file: Option<String>,
}

impl Meant {
    /// The server that is meant: by `@name`, by an address, or by the `default` of a file. No file is read where neither
    /// the first nor the last is asked for.
    ///
    /// A name on the command line counts as flags do, so that nothing in the environment changes which server that is; what
    /// it leaves open comes from the environment.
    ///
    /// # Errors
    /// [`Failure::Config`] for files that cannot be used and for names that are not in them, [`Failure::Flags`] for flags
    /// that contradict each other.
    pub(crate) fn target(&self, environment: impl Fn(&str) -> Option<String>) -> Result<Target, Failure> {
        let variables = variables(&environment);
        let flags = self.flags.clone();
        if let Some(name) = &self.name {
            if flags.server.is_some() {
                return Err(Failure::Flags(format!(
                    "--server and @{name} both name a server: leave out one"
                )));
            }
            let entry = Book::load(self.file.as_deref(), &environment)?.find(name)?;
            return Target::new(&[flags, entry, variables]);
        }
        if flags.server.is_some() || variables.server.is_some() {
            return Target::new(&[flags, variables]);
        }
        match Book::load(self.file.as_deref(), &environment)?.chosen()? {
            Some(entry) => Target::new(&[flags, variables, entry]),
            None => Target::new(&[flags, variables]),
        }
    }

    /// Every server that has a name.
    ///
    /// # Errors
    /// [`Failure::Config`] for files that cannot be used.
    pub(crate) fn all(
        &self,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<NamedServer>, Failure> {
        let book = Book::load(self.file.as_deref(), &environment)?;
        if book.servers.is_empty() {
            return Err(Failure::Config(book.nothing()));
        }
        let default = book.default.as_ref().map(|default| default.name.as_str());
        let shown = |(name, said): (&String, &Said)| {
            let target = Target::new(std::slice::from_ref(said));
            let address = said.server.clone().unwrap_or_default();
            NamedServer {
                name: name.clone(),
                is_default: default == Some(name),
                tls: target.as_ref().is_ok_and(|target| target.server.is_secure()),
                address: target.map_or(address, |target| target.server.to_string()),
                file: match &said.place {
                    Place::File { file, .. } => file.clone(),
                    Place::Flags | Place::Environment => String::new(),
                },
            }
        };
        Ok(book.servers.iter().map(shown).collect())
    }
}

/// What the environment says of a server. An empty variable says nothing.
fn variables(environment: impl Fn(&str) -> Option<String>) -> Said {
    let set = |name| environment(name).filter(|value| !value.is_empty());
    Said {
        place: Place::Environment,
        server: set("MAGLEV_SERVER"),
        tls_ca: set("MAGLEV_TLS_CA"),
        tls_cert: set("MAGLEV_TLS_CERT"),
        tls_key: set("MAGLEV_TLS_KEY"),
        tls_server_name: set("MAGLEV_TLS_SERVER_NAME"),
        token_file: set("MAGLEV_TOKEN_FILE"),
    }
}

/// All the files in one: what is in the file of the user hides what the file of the system has under the same name.
#[derive(Debug, Default)]
struct Book {
    servers: BTreeMap<String, Said>,
    default: Option<Chosen>,
    /// Where was looked, the file that counts most first.
    files: Vec<PathBuf>,
}

/// Which server a file means where none is named.
#[derive(Debug)]
struct Chosen {
    name: String,
    at: Position,
    file: PathBuf,
}

impl Book {
    /// Reads the one file that is named, which has to be there, else those that are in the usual places.
    fn load(flag: Option<&str>, environment: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let set = |name| environment(name).filter(|value| !value.is_empty());
        let home = set("HOME").filter(|home| home.starts_with('/')).map(PathBuf::from);
        let mut book = Self::default();
        if let Some(named) = flag.map(str::to_owned).or_else(|| set("MAGLEVC_CONFIG")) {
            let path = PathBuf::from(named);
            book.read(&path, home.as_deref())?.ok_or_else(|| {
                Failure::Config(format!("cannot read {}: there is no such file", path.display()))
            })?;
            return Ok(book);
        }
        let config = set("XDG_CONFIG_HOME").filter(|path| path.starts_with('/')).map(PathBuf::from);
        let config = config.or_else(|| Some(home.as_ref()?.join(".config")));
        let own = config.map(|config| config.join("maglevc").join("config.yaml"));
        for path in own.into_iter().chain([PathBuf::from(SYSTEM)]) {
            book.read(&path, home.as_deref())?;
        }
        Ok(book)
    }

    /// Adds a file below what there is; `None` where there is none.
    fn read(&mut self, path: &Path, home: Option<&Path>) -> Result<Option<()>, Failure> {
        self.files.push(path.to_owned());
        let file = path.display();
        let bytes = match bytes(path) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(Failure::Config(format!("cannot read {file}: {error}"))),
        };
        let understand = |address: &str| match address.parse::<Server>() {
            Ok(Server::Unix(_) | Server::Tcp { tls: Some(false), .. }) => Ok(false),
            Ok(Server::Tcp { .. }) => Ok(true),
            Err(_) => Err(NotAServer::ADVICE.to_owned()),
        };
        let config = parse_client(bytes, understand)
            .map_err(|errors| Failure::Config(errors.in_file(&file.to_string()).to_string()))?;
        if let (None, Some((name, at))) = (&self.default, config.default) {
            self.default = Some(Chosen { name: name.to_string(), at, file: path.to_owned() });
        }
        for (name, server) in config.servers {
            let name = name.to_string();
            let place = Place::File { server: name.clone(), file: file.to_string() };
            let said = said(place, server, path.parent().unwrap_or(Path::new("")), home);
            self.servers.entry(name).or_insert(said);
        }
        Ok(Some(()))
    }

    /// The server with this name, or with the only name that begins so.
    fn find(&self, name: &str) -> Result<Said, Failure> {
        match choose_word(name, self.servers.keys().map(String::as_str)) {
            Ok(found) => Ok(self.servers[found].clone()),
            Err(_) if self.servers.is_empty() => Err(Failure::Config(self.nothing())),
            Err(What::Ambiguous { matches, .. }) => {
                Err(Failure::Config(format!("@{name} is ambiguous: {}", list(&matches))))
            }
            Err(What::Wrong { nearest: Some(nearest), .. }) => {
                Err(Failure::Config(format!("no server is named {name}; did you mean @{nearest}?")))
            }
            Err(_) => {
                let names: Vec<String> = self.servers.keys().map(|name| format!("@{name}")).collect();
                Err(Failure::Config(format!("no server is named {name}; write {}", list(&names))))
            }
        }
    }

    /// The server that is meant where none is named.
    fn chosen(&self) -> Result<Option<Said>, Failure> {
        let Some(Chosen { name, at, file }) = &self.default else { return Ok(None) };
        match self.servers.get(name) {
            Some(said) => Ok(Some(said.clone())),
            None => Err(Failure::Config(format!(
                "{}:{at}: default: no server is named {name}; give one of `servers` this name",
                file.display()
            ))),
        }
    }

    /// Why no name is known.
    fn nothing(&self) -> String {
        let files: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        format!("no server has a name: write some into {}", list(&files))
    }
}

/// The bytes of a file that nobody but its owner and group can have changed: who can change it can lead tokens astray.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    /// More than the parser reads.
    const LONGEST: u64 = 9 << 20;
    /// Writing by everybody.
    const OTHERS_WRITE: u32 = 0o002;
    let file = maglev_file::open(path)?;
    if file.metadata()?.mode() & OTHERS_WRITE != 0 {
        let sentence = format!("everybody can write to it; run `chmod o-w {}`", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, sentence));
    }
    maglev_file::read_from(&file, LONGEST)
}

/// What a file says of a server, with paths as they are from anywhere.
fn said(place: Place, server: ClientServer, directory: &Path, home: Option<&Path>) -> Said {
    let path = |path: Option<String>| {
        let path = path?;
        Some(match (path.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest).display().to_string(),
            _ => directory.join(path).display().to_string(),
        })
    };
    Said {
        place,
        server: Some(server.address),
        tls_ca: path(server.tls_ca),
        tls_cert: path(server.tls_cert),
        tls_key: path(server.tls_key),
        tls_server_name: server.tls_server_name,
        token_file: path(server.token_file),
    }
}

#[cfg(test)]
mod tests;
