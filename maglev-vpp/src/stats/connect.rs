//! Edge. Getting the segment's file descriptor from VPP.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, connect, recvmsg, socket,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::segment::SegmentError;

/// The stats segment is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// The socket did not let us in.
    #[error(
        "cannot connect to VPP's stats socket {path}; is VPP running, and may this user open the socket?"
    )]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It let us in and handed nothing out.
    #[error("VPP did not hand out its stats segment on {path} within {after:?}")]
    Timeout {
        /// The socket.
        path: PathBuf,
        /// How long it was given.
        after: Duration,
    },
    /// Its message carries no file descriptor.
    #[error("{path} handed out no file; is this VPP's stats socket?")]
    NoDescriptor {
        /// The socket.
        path: PathBuf,
    },
    /// What it handed out cannot be mapped.
    #[error("cannot map the stats segment from {path}")]
    Map {
        /// The socket.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The segment cannot be read.
    #[error("cannot read the stats segment from {path}")]
    Segment {
        /// The socket it came from.
        path: PathBuf,
        /// Why not.
        #[source]
        source: SegmentError,
    },
}

/// Connects and takes the one message VPP sends. The caller sets the deadline.
pub(super) async fn receive(path: &Path) -> Result<OwnedFd, StatsError> {
    let failed = |source: io::Error| StatsError::Socket { path: path.to_owned(), source };
    let stream = open(path).map_err(failed)?;
    loop {
        stream.readable().await.map_err(failed)?;
        // VPP's message may be empty: all that matters is the descriptor beside it.
        match stream.try_io(Interest::READABLE, || receive_descriptors(&stream)) {
            Ok(descriptors) => {
                let mut descriptors = descriptors.into_iter();
                return descriptors.next().ok_or_else(|| StatsError::NoDescriptor { path: path.to_owned() });
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// A connected `SOCK_SEQPACKET` socket. The tokio type is for stream sockets, but waiting for one to be readable is the
/// same for all kinds.
fn open(path: &Path) -> io::Result<UnixStream> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd: OwnedFd = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)?;
    connect(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
    UnixStream::from_std(std::os::unix::net::UnixStream::from(fd))
}

/// All descriptors of the next message: those not wanted are closed by being dropped.
fn receive_descriptors(stream: &UnixStream) -> io::Result<Vec<OwnedFd>> {
    let mut data = [0; 16];
    let mut parts = [IoSliceMut::new(&mut data)];
    let mut control = nix::cmsg_space!([std::os::fd::RawFd; 8], nix::sys::socket::UnixCredentials);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(stream.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
    let mut descriptors = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = control {
            descriptors.extend(fds.into_iter().map(own));
        }
    }
    Ok(descriptors)
}

#[expect(unsafe_code, reason = "received descriptors come as bare numbers")]
fn own(fd: std::os::fd::RawFd) -> OwnedFd {
    // SAFETY: the kernel has just made this descriptor for this process while handing over the message, so it is open
    // and nobody else owns it; each is passed here once.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
