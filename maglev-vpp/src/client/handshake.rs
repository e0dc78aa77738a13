//! Edge. Registering with VPP: the one exchange that happens before messages have numbers.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::error::{CloseReason, ConnectError};
use crate::message::Message;
use crate::message::control::{
    ControlPing, ControlPingReply, MemclntKeepalive, MemclntKeepaliveReply, SOCKCLNT_CREATE_ID,
    SOCKCLNT_CREATE_REPLY_ID, SockclntDelete,
};
use crate::retval::Retval;
use crate::wire::{DecodeError, Field, FixedText, MessageTable, frame};

/// A registered connection.
pub(super) struct Registered {
    pub(super) stream: UnixStream,
    /// What VPP sent behind its answer already.
    pub(super) incoming: BytesMut,
    /// The handle VPP gave this client; requests carry it.
    pub(super) client_index: u32,
    pub(super) table: MessageTable,
    pub(super) ids: ControlIds,
}

/// Numbers of the messages the connection itself deals with.
#[derive(Clone, Copy, Debug)]
pub(super) struct ControlIds {
    pub(super) ping: u16,
    pub(super) ping_reply: u16,
    pub(super) keepalive: Option<u16>,
    pub(super) keepalive_reply: Option<u16>,
    pub(super) delete: Option<u16>,
}

/// Connects and registers under `name`. The caller sets the deadline.
pub(super) async fn register(path: &Path, name: &str) -> Result<Registered, ConnectError> {
    let mut stream = UnixStream::connect(path)
        .await
        .map_err(|source| ConnectError::Socket { path: path.to_owned(), source })?;
    let closed = |source: CloseReason| ConnectError::Closed { path: path.to_owned(), source };

    let mut request = BytesMut::new();
    frame::put_frame(&mut request, |out| {
        SOCKCLNT_CREATE_ID.put(out);
        // Alone among requests it has no client index: there is none yet.
        0u32.put(out);
        FixedText::<64>(name.to_owned()).put(out);
    });
    stream.write_all(&request).await.map_err(|error| closed(error.into()))?;

    let mut incoming = BytesMut::new();
    let payload = loop {
        match frame::split_payload(&mut incoming) {
            Ok(Some(payload)) => break payload,
            Ok(None) => {}
            Err(error) => return Err(closed(CloseReason::Frame(error))),
        }
        match stream.read_buf(&mut incoming).await {
            Ok(0) => return Err(closed(CloseReason::ByPeer)),
            Ok(_) => {}
            Err(error) => return Err(closed(error.into())),
        }
    };
    let (client_index, table) = read_reply(path, &payload)?;
    let required = |name_crc| {
        table.id(name_crc).ok_or_else(|| ConnectError::Missing { path: path.to_owned(), name_crc })
    };
    let ids = ControlIds {
        ping: required(ControlPing::NAME_CRC)?,
        ping_reply: required(ControlPingReply::NAME_CRC)?,
        keepalive: table.id(MemclntKeepalive::NAME_CRC),
        keepalive_reply: table.id(MemclntKeepaliveReply::NAME_CRC),
        delete: table.id(SockclntDelete::NAME_CRC),
    };
    Ok(Registered { stream, incoming, client_index, table, ids })
}

/// Reads `sockclnt_create_reply`: client index (unused), context, response, handle, table.
fn read_reply(path: &Path, payload: &Bytes) -> Result<(u32, MessageTable), ConnectError> {
    let mut input: &[u8] = payload;
    let reply = |source: DecodeError| ConnectError::Reply { path: path.to_owned(), source };
    let id = u16::take(&mut input).map_err(reply)?;
    if id != SOCKCLNT_CREATE_REPLY_ID {
        return Err(ConnectError::NotVpp { path: path.to_owned(), id });
    }
    let _client_index = u32::take(&mut input).map_err(reply)?;
    let _context = u32::take(&mut input).map_err(reply)?;
    let response = i32::take(&mut input).map_err(reply)?;
    if response < 0 {
        return Err(ConnectError::Refused { retval: Retval(response) });
    }
    let handle = u32::take(&mut input).map_err(reply)?;
    let table = MessageTable::take(&mut input)
        .map_err(|source| ConnectError::Table { path: path.to_owned(), source })?;
    Ok((handle, table))
}
