//! Edge. Only one maglevd for a state directory, and only one for a VPP.
//!
//! Two that drive one VPP would undo each other's writes for ever, and two in one state directory forget each other's
//! operators. So each takes a lock before it does anything else, and the kernel lets go of it when the process ends,
//! however it ends: nothing is left behind that would keep the next from starting.
//!
//! The lock of a state directory is on a file in it, `maglevd.lock`. That of a VPP is a name in the abstract namespace of
//! Unix sockets, which needs no place to write to and tells who has it. The name is made from the directory of VPP's API
//! socket: from its path, and from its inode, which is the same under every path and in every container it is mounted
//! into. Abstract names are those of a network namespace; a file beside the socket, where one can be written, is seen
//! from all of them. A directory that is not there yet, or is made anew, is locked before the next connection to VPP.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::sys::socket::{getsockopt, sockopt};
use socket2::{Domain, SockAddr, Socket, Type};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use twox_hash::XxHash64;

use crate::settings::Settings;

/// The file in the state directory.
const FILE: &str = "maglevd.lock";

/// The exit code where another maglevd is in the way, as `sysexits.h` has it: it may work later.
pub const EXIT: u8 = 75;

/// Who else has a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(Option<u32>);

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(pid) => write!(f, "pid {pid}"),
            // In another container its number is none of ours.
            None => f.write_str("its pid cannot be seen from here"),
        }
    }
}

/// Another maglevd is in the way. Nothing was begun.
#[derive(Debug, Error)]
pub enum Taken {
    /// It keeps its state in the same directory.
    #[error(
        "another maglevd ({holder}) runs with the state directory {path}: stop it first, or give this one another \
         --state-dir"
    )]
    State {
        /// The directory.
        path: PathBuf,
        /// The other.
        holder: Holder,
    },
    /// It drives the same VPP.
    #[error(
        "another maglevd ({holder}) drives the VPP at {path}: stop it first, or give this one another --vpp-api-addr, or \
         an empty one to do without VPP"
    )]
    Vpp {
        /// VPP's API socket.
        path: PathBuf,
        /// The other.
        holder: Holder,
    },
}

/// What one maglevd alone may have, for as long as this lives.
#[derive(Debug, Default)]
pub struct Locks {
    state: Option<File>,
    /// The VPP, if there is to be one.
    pub vpp: Option<VppLock>,
}

impl Locks {
    /// Takes the locks that these settings need. A lock that cannot be had for another reason than another maglevd, such
    /// as a directory that cannot be written, is done without.
    ///
    /// # Errors
    /// When another maglevd has one.
    pub fn take(settings: &Settings) -> Result<Self, Taken> {
        let mut locks = Locks::default();
        if let Some(path) = &settings.state_dir {
            // That it cannot be made is told when it is to be used.
            let _ = std::fs::create_dir_all(path);
            let taken = |holder| Taken::State { path: path.clone(), holder };
            locks.state = lock_file(&path.join(FILE)).map_err(taken)?;
        }
        if let Some(vpp) = &settings.vpp {
            locks.vpp = Some(VppLock::take(&vpp.api)?);
        }
        Ok(locks)
    }
}

/// The lock on a VPP, for as long as this lives.
#[derive(Debug)]
pub struct VppLock {
    api: PathBuf,
    names: Vec<Name>,
    file: Option<File>,
}

/// A name in the abstract namespace that is ours.
#[derive(Debug)]
struct Name {
    identity: String,
    listener: UnixListener,
    attended: bool,
}

impl VppLock {
    /// Takes the lock on the VPP with this API socket, which need not be there yet.
    ///
    /// # Errors
    /// When another maglevd has it.
    pub fn take(api: &Path) -> Result<Self, Taken> {
        let mut lock = VppLock { api: api.to_owned(), names: Vec::new(), file: None };
        lock.renew()?;
        Ok(lock)
    }

    /// Takes what could not be had before. What a VPP is known by may change until it is there, and each time its directory
    /// is made anew, so this is for before each connection.
    ///
    /// # Errors
    /// When another maglevd has it.
    pub fn renew(&mut self) -> Result<(), Taken> {
        let api = self.api.clone();
        let taken = |holder| Taken::Vpp { path: api.clone(), holder };
        let identities = identities(&api);
        self.names.retain(|name| identities.contains(&name.identity));
        for identity in identities {
            if self.names.iter().all(|name| name.identity != identity)
                && let Some(listener) = lock_name(&identity).map_err(taken)?
            {
                self.names.push(Name { identity, listener, attended: false });
            }
        }
        let mut beside = api.clone().into_os_string();
        beside.push(".maglevd.lock");
        let beside = Path::new(&beside);
        if !self.file.as_ref().is_some_and(|file| is_at(file, beside)) {
            self.file = lock_file(beside).map_err(taken)?;
        }
        Ok(())
    }

    /// Lets those who find a name taken hang up again, until `stop`: each of them leaves a connection that nobody took, and
    /// there is room for a hundred or so.
    pub fn attend(&mut self, stop: &CancellationToken) {
        for name in self.names.iter_mut().filter(|name| !name.attended) {
            let listener = name.listener.try_clone().and_then(|listener| {
                listener.set_nonblocking(true)?;
                tokio::net::UnixListener::from_std(listener)
            });
            // Without it, the message to the hundredth of them does not know our pid.
            let Ok(listener) = listener else { continue };
            name.attended = true;
            let stop = stop.clone();
            tokio::spawn(async move {
                let hang_up = async { while listener.accept().await.is_ok() {} };
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = hang_up => {}
                }
            });
        }
    }
}

/// Takes the lock on a file, and writes our pid into it. Nothing where there can be no lock.
fn lock_file(path: &Path) -> Result<Option<File>, Holder> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let Ok(mut file) = options.custom_flags(libc::O_NOFOLLOW).open(path) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => {
            // It is for people, and for the message of the next; the lock holds without it.
            let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = Read::take(&file, 16).read_to_string(&mut text);
            Err(Holder(read.ok().and_then(|_| text.trim().parse().ok())))
        }
        // A file system without locks.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Whether the path leads to this file, and not to another that took its place.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: io::Result<Metadata>| metadata.map(|file| (file.dev(), file.ino())).ok();
    identity(file.metadata()) == identity(std::fs::symlink_metadata(path))
}

/// Takes a name in the abstract namespace. Nothing where there are none.
fn lock_name(identity: &str) -> Result<Option<UnixListener>, Holder> {
    let name = format!("maglevd-vpp-{:016x}", XxHash64::oneshot(0, identity.as_bytes()));
    match SocketAddr::from_abstract_name(&name).and_then(|address| UnixListener::bind_addr(&address)) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(Holder(listener_of(&name))),
        Err(_) => Ok(None),
    }
}

/// The pid of whoever listens at an abstract name, which the kernel knows.
fn listener_of(name: &str) -> Option<u32> {
    let address = SockAddr::unix(format!("\0{name}")).ok()?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).ok()?;
    // One with no room left for us would let us wait.
    socket.set_nonblocking(true).ok()?;
    socket.connect(&address).ok()?;
    let pid = getsockopt(&socket, sockopt::PeerCredentials).ok()?.pid();
    u32::try_from(pid).ok().filter(|&pid| pid > 0)
}

/// What a VPP is known by: the path of its API socket, in our mount namespace, and the directory the socket is in, however
/// it is called. The socket's own inode is a new one each time VPP starts.
fn identities(api: &Path) -> Vec<String> {
    let directory = api.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = api.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mounts = std::fs::read_link("/proc/self/ns/mnt").unwrap_or_default();
    let directory_path = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let path = format!("path {} {} {name:?}", mounts.display(), directory_path.display());
    let inode = std::fs::metadata(directory)
        .map(|directory| format!("inode {} {} {name:?}", directory.dev(), directory.ino()));
    [path].into_iter().chain(inode).collect()
}

#[cfg(test)]
mod tests;
