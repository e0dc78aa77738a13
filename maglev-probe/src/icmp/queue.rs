//! Edge. The error queue of a socket (`IP_RECVERR` in `ip(7)`): what ICMP errors said, and about which packet.

use std::io::{self, IoSliceMut};
use std::os::fd::AsRawFd;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};

use super::packet::{Echo, Origin, Report};

/// Room for a `sock_extended_err` and the address of whoever sent the error.
const CONTROL: usize = 256;

/// Room for the echo that an error quotes.
const QUOTE: usize = 128;

/// Takes the next error off the queue of `socket`. Returns its errno where it says that `echo` was not delivered.
///
/// # Errors
/// `WouldBlock` when the queue is empty.
pub(super) fn next(socket: &impl AsRawFd, echo: &Echo, raw: bool) -> io::Result<Option<io::Error>> {
    let (mut quote, mut control) = ([0; QUOTE], vec![0; CONTROL]);
    let mut iov = [IoSliceMut::new(&mut quote)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut iov, Some(&mut control), flags)?;
    let mut found = None;
    for control in message.cmsgs()? {
        if let ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) =
            control
        {
            let origin = Origin::from_raw(error.ee_origin);
            found = Some((Report { origin, kind: error.ee_type, code: error.ee_code }, error.ee_errno));
        }
    }
    let len = message.bytes;
    Ok(found
        .filter(|(report, _)| report.ends(echo, quote.get(..len).unwrap_or_default(), raw))
        .and_then(|(_, errno)| i32::try_from(errno).ok())
        .map(io::Error::from_raw_os_error))
}
