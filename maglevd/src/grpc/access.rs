//! Edge. Who may change things, and who they are.

use std::net::{IpAddr, SocketAddr};

use tonic::transport::server::{TcpConnectInfo, UdsConnectInfo};
use tonic::{Request, Status};

/// Where a call comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Peer {
    /// A Unix socket, with the user id the kernel vouches for. Who may connect is a matter of file permissions.
    Unix(Option<u32>),
    /// A TCP connection.
    Tcp(SocketAddr),
    /// Not known, which is nobody.
    Unknown,
}

impl Peer {
    fn of<T>(request: &Request<T>) -> Peer {
        if let Some(unix) = request.extensions().get::<UdsConnectInfo>() {
            return Peer::Unix(unix.peer_cred.map(|credentials| credentials.uid()));
        }
        let tcp = request.extensions().get::<TcpConnectInfo>();
        tcp.and_then(TcpConnectInfo::remote_addr).map_or(Peer::Unknown, Peer::Tcp)
    }

    fn may_change(&self) -> bool {
        match self {
            Peer::Unix(_) => true,
            // On a dual-stack socket 127.0.0.1 arrives as ::ffff:127.0.0.1.
            Peer::Tcp(address) => canonical(address.ip()).is_loopback(),
            Peer::Unknown => false,
        }
    }

    fn describe(&self) -> String {
        match self {
            Peer::Unix(Some(uid)) => format!("uid {uid} on a Unix socket"),
            Peer::Unix(None) => "a Unix socket".to_owned(),
            Peer::Tcp(address) => canonical(address.ip()).to_string(),
            Peer::Unknown => "an unknown peer".to_owned(),
        }
    }
}

fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The most text an operator can give with a change, in bytes, so that it fits log lines and tables.
const REASON_LIMIT: usize = 1024;
const NAME_LIMIT: usize = 128;

/// Who asks for a change: refused unless they may. `claimed` is the name the client gave, which is kept but proves
/// nothing.
pub(super) fn admit<T>(request: &Request<T>, claimed: &str) -> Result<String, Status> {
    let peer = Peer::of(request);
    if !peer.may_change() {
        return Err(Status::permission_denied(format!(
            "changes are not taken from {} over plain TCP: run maglevc on the host of maglevd, or give maglevd a \
             --grpc-addr unix:/path and connect to that",
            peer.describe()
        )));
    }
    let claimed = words("by", claimed, NAME_LIMIT)?;
    Ok(if claimed.is_empty() { peer.describe() } else { format!("{claimed} ({})", peer.describe()) })
}

/// An operator's reason.
pub(super) fn reason(text: &str) -> Result<String, Status> {
    words("reason", text, REASON_LIMIT)
}

fn words(field: &str, text: &str, limit: usize) -> Result<String, Status> {
    if text.len() > limit {
        return Err(Status::invalid_argument(format!(
            "{field} has at most {limit} bytes, not {}",
            text.len()
        )));
    }
    if text.chars().any(char::is_control) {
        return Err(Status::invalid_argument(format!(
            "{field} is one line of text without control characters"
        )));
    }
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests;
