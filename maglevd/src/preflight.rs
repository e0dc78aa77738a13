//! Edge. What `--check` looks at besides the configuration: the files, directories and addresses that flags name.
//!
//! Files are read by the functions that the start reads them by. Directories and addresses are looked at without a trace:
//! nothing is made, and no port of a daemon that runs is touched.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};
use socket2::{Domain, Socket, Type};

use crate::access::Tokens;
use crate::listen::Address;
use crate::reload::Chain;
use crate::settings::Settings;
use crate::tls::Tls;

/// The longest path of a Unix socket, without the byte that ends it (`unix(7)`).
const MAX_SOCKET_PATH: usize = 107;

/// Something that a flag names and that a start could not use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(String);

/// What is wrong, and what to do.
impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything that these settings name and that a start could not use. Blocks while it looks.
pub fn check(settings: &Settings) -> Vec<Unusable> {
    let mut found = Vec::new();
    let mut add = |result: Result<(), String>| found.extend(result.err().map(Unusable));
    if let Some(files) = settings.tls.clone() {
        add(Tls::load(files).map(drop).map_err(|error| Chain(&error).to_string()));
    }
    if let Some(path) = &settings.metrics_tokens {
        add(Tokens::load(path).map(drop).map_err(|error| Chain(&error).to_string()));
    }
    if let Some(path) = &settings.state_dir {
        add(directory_to_be(path).map_err(|why| {
            format!(
                "--state-dir {}: {why}; give a directory that can be written, or an empty name",
                path.display()
            )
        }));
    }
    if let Some(path) = &settings.audit {
        add(log_file(path, settings.state_dir.as_deref()).map_err(|why| {
            format!(
                "--audit-log {}: {why}; give a file that can be written, or an empty name",
                path.display()
            )
        }));
    }
    let grpc = settings.grpc.iter().map(|address| ("--grpc-addr", address));
    let addresses: Vec<_> =
        grpc.chain(settings.metrics.iter().map(|address| ("--metrics-addr", address))).collect();
    for (i, (flag, address)) in addresses.iter().enumerate() {
        add(listener(address).map_err(|why| format!("{flag} {address}: {why}")));
        if let Some((other, same)) = addresses[..i].iter().find(|(_, before)| overlap(before, address)) {
            add(Err(format!("{flag} {address}: {other} {same} listens there; give another port")));
        }
    }
    found
}

/// A directory that is there and can be written, or can be made.
fn directory_to_be(path: &Path) -> Result<(), String> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => writable(path),
        Ok(_) => Err(format!("{} is not a directory", path.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => writable(Path::new(".")),
            Some(parent) => directory_to_be(parent),
            None => Err(error.to_string()),
        },
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(format!("cannot look at {}: {error}", path.display())),
    }
}

fn writable(directory: &Path) -> Result<(), String> {
    write_access(directory, AccessFlags::W_OK | AccessFlags::X_OK)
        .map_err(|error| format!("the directory {} cannot be written: {}", directory.display(), error.desc()))
}

/// Whether it could be written. That this user may not says nothing: an operator checks a file as another user than the
/// daemon runs as, often on another host.
fn write_access(path: &Path, flags: AccessFlags) -> Result<(), Errno> {
    match access(path, flags) {
        Err(Errno::EACCES) => Ok(()),
        result => result,
    }
}

/// A file that is there and can be written, or can be made.
fn log_file(path: &Path, state_dir: Option<&Path>) -> Result<(), String> {
    let parent = parent(path);
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => write_access(path, AccessFlags::W_OK)
            .map_err(|error| format!("the file cannot be written: {}", error.desc())),
        Ok(_) => Err("it is not a regular file".to_owned()),
        // The state directory may yet have to be made, and what is wrong with it is said of its own flag.
        Err(_) if state_dir == Some(parent.as_path()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => directory(&parent),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// A directory that is there and can be written.
fn directory(path: &Path) -> Result<(), String> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => writable(path),
        Ok(_) => Err(format!("{} is not a directory", path.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("there is no directory {}", path.display()))
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(format!("cannot look at {}: {error}", path.display())),
    }
}

fn listener(address: &Address) -> Result<(), String> {
    match address {
        Address::AnyInterface(_) => Ok(()),
        Address::Host(host, port) => {
            let found = (host.as_str(), *port).to_socket_addrs();
            let found = found.map_err(|error| format!("{error}; give an address of this host"))?;
            found.into_iter().try_for_each(local)
        }
        Address::Unix(path) => unix(path),
    }
}

/// An address of this host. Its port is not touched.
fn local(address: SocketAddr) -> Result<(), String> {
    let any_port = SocketAddr::new(address.ip(), 0);
    Socket::new(Domain::for_address(address), Type::STREAM, None)
        .and_then(|socket| socket.bind(&any_port.into()))
        .map_err(|error| format!("cannot listen on {}: {error}; give an address of this host", address.ip()))
}

fn unix(path: &Path) -> Result<(), String> {
    if path.as_os_str().as_bytes().len() > MAX_SOCKET_PATH {
        return Err(format!(
            "the path of a Unix socket has at most {MAX_SOCKET_PATH} bytes; give a shorter one"
        ));
    }
    let is_something_else =
        std::fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.file_type().is_socket());
    if is_something_else {
        return Err("there is a file that is not a socket; remove it, or give another path".to_owned());
    }
    directory(&parent(path)).map_err(|why| format!("{why}; make it, or give another path"))
}

/// Whether the second address cannot be bound once the first is.
fn overlap(one: &Address, other: &Address) -> bool {
    match (one, other) {
        (Address::Unix(one), Address::Unix(other)) => one == other,
        (Address::Host(host, port), Address::Host(other, same)) => {
            host == other && port == same && *port != 0
        }
        (Address::AnyInterface(port), Address::AnyInterface(other) | Address::Host(_, other))
        | (Address::Host(_, port), Address::AnyInterface(other)) => port == other && *port != 0,
        (Address::Unix(_), Address::AnyInterface(_) | Address::Host(..))
        | (Address::AnyInterface(_) | Address::Host(..), Address::Unix(_)) => false,
    }
}

#[cfg(test)]
mod tests;
