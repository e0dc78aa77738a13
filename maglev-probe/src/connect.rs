//! Edge. Connecting TCP sockets in two steps, so that an error of our own call is told from one that the network reports.
//!
//! `tokio::net::TcpSocket::connect` returns both alike.

use std::io;
use std::net::SocketAddr;

use socket2::Socket;
use tokio::net::TcpStream;

use crate::fault;

/// Calls `connect(2)` on a non-blocking socket. An error is that of the call itself.
pub(crate) fn begin(socket: Socket, peer: SocketAddr) -> io::Result<TcpStream> {
    match socket.connect(&peer.into()) {
        Ok(()) => {}
        Err(error) if fault::is_in_progress(&error) => {}
        Err(error) => return Err(error),
    }
    TcpStream::from_std(socket.into())
}

/// Waits until the connection is made. An error is what the network or the peer reported (`SO_ERROR`).
///
/// Dropping the future gives the connection up with its stream.
pub(crate) async fn finish(stream: &TcpStream) -> io::Result<()> {
    stream.writable().await?;
    match stream.take_error()? {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Whether the connection ends in its own socket. The kernel makes such a connection (simultaneous open, RFC 9293, 3.5) where it
/// chose the port we connect to as our source port and nobody listens there.
pub(crate) fn is_own(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}
