//! Pure. Frames: where one message ends and the next begins.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes before each payload: 8 that mean nothing outside VPP, the payload's length, 4 more that mean nothing.
pub const HEADER_LEN: usize = 16;

/// Where in the header the payload's length is, as a big-endian `u32`.
const LENGTH_AT: usize = 8;

/// The longest payload accepted.
///
/// The largest honest message is the text of `show lb vips verbose`, some 70 bytes a server: this leaves room for four
/// hundred thousand servers, and a peer that announces more is not a VPP.
pub const MAX_PAYLOAD: usize = 32 * 1024 * 1024;

/// The bytes read do not divide into frames. The connection cannot go on: there is no way to find the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The header announces more than [`MAX_PAYLOAD`].
    #[error(
        "a message of {0} bytes was announced, more than the {MAX_PAYLOAD} that are accepted; is this VPP's API socket?"
    )]
    TooLong(u32),
    /// The payload has no room for a message number.
    #[error("a message of {0} bytes was announced, too short to carry its number; is this VPP's API socket?")]
    TooShort(u32),
}

/// Cuts the first whole payload off `buffer`; `None` while it has not arrived in full.
///
/// Nothing is reserved for what a header merely announces: memory grows with the bytes that arrived.
///
/// # Errors
/// [`FrameError`] if the length announced is impossible. `buffer` is then left as it was.
pub fn split_payload(buffer: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
    let Some(mut length) = buffer.get(LENGTH_AT..LENGTH_AT + 4) else { return Ok(None) };
    let length = length.get_u32();
    if length < 2 {
        return Err(FrameError::TooShort(length));
    }
    let size = length as usize;
    if size > MAX_PAYLOAD {
        return Err(FrameError::TooLong(length));
    }
    if buffer.len() < HEADER_LEN + size {
        return Ok(None);
    }
    buffer.advance(HEADER_LEN);
    Ok(Some(buffer.split_to(size).freeze()))
}

/// Appends a frame whose payload `write` appends.
pub fn put_frame(buffer: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER_LEN]);
    write(buffer);
    let length = buffer.len() - start - HEADER_LEN;
    // Our own messages are under 64 KiB, and a longer one would be refused by the peer, not cut short.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    buffer[start + LENGTH_AT..start + LENGTH_AT + 4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests;
