//! Edge. HTTP/2 frames as no library would send them, over whatever connection.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Kinds of frames, as RFC 9113 numbers them.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A part of a body.
    Data = 0,
    /// The headers of a call.
    Headers = 1,
    /// The end of a call.
    Reset = 3,
    /// Settings.
    Settings = 4,
    /// A ping.
    Ping = 6,
    /// More headers.
    Continuation = 9,
}

/// No more bytes of this message.
pub const END_STREAM: u8 = 1;
/// No more headers of it.
pub const END_HEADERS: u8 = 4;

/// One frame.
pub fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a length").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind as u8, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// What every connection begins with, with settings as they are given.
pub fn preface(settings: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (id, value) in settings {
        payload.extend(id.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(Kind::Settings, 0, 0, &payload)].concat()
}

/// The headers of a call, as HPACK has them without its tables, with others after them.
pub fn call(path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let usual = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "maglevd"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let mut block = Vec::new();
    for (name, value) in usual.iter().chain(more) {
        block.push(0);
        for text in [name, value] {
            // Seven bits of length, and the rest of it in as many bytes as it needs.
            let mut length = text.len();
            if length < 127 {
                block.push(u8::try_from(length).expect("seven bits"));
            } else {
                block.push(127);
                length -= 127;
                while length >= 128 {
                    block.push(u8::try_from(length % 128 + 128).expect("a byte"));
                    length /= 128;
                }
                block.push(u8::try_from(length).expect("a byte"));
            }
            block.extend(text.as_bytes());
        }
    }
    block
}

/// How an attack ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The daemon said GOAWAY, with this code.
    GoAway(u32),
    /// The daemon reset a call, with this code.
    Reset(u32),
    /// The daemon answered a call, with headers.
    Answered,
    /// The daemon closed the connection.
    Closed,
    /// It did neither: everything was taken, and nothing came of it.
    Taken,
}

/// Sends bytes again and again until the daemon has had enough or all is sent, and reads what it says to that.
pub async fn attack(
    stream: impl Stream + 'static,
    first: Vec<u8>,
    mut next: impl FnMut(u32) -> Option<Vec<u8>> + Send + 'static,
    patience: Duration,
) -> End {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let sent = tokio::spawn(async move {
        let mut number = 0;
        let mut bytes = Some(first);
        while let Some(some) = bytes {
            if writer.write_all(&some).await.is_err() {
                return writer;
            }
            bytes = next(number);
            number += 1;
        }
        let _ = writer.flush().await;
        writer
    });
    let mut end = End::Taken;
    loop {
        // Once it has said something, only a moment longer for what is worse.
        let wait = if end == End::Taken { patience } else { AFTERMATH };
        match tokio::time::timeout(wait, heard(&mut reader)).await {
            Ok(Some(worse @ (End::GoAway(_) | End::Reset(_)))) => end = worse,
            Ok(Some(other)) if end == End::Taken => end = other,
            Ok(Some(_)) => {}
            Ok(None) if end == End::Taken => end = End::Closed,
            Ok(None) | Err(_) => break,
        }
        if matches!(end, End::GoAway(_) | End::Closed) {
            break;
        }
    }
    sent.abort();
    end
}

/// For what comes after the first answer.
const AFTERMATH: Duration = Duration::from_secs(1);

/// What the next frame says; none at the end.
async fn heard(reader: &mut (impl AsyncRead + Unpin)) -> Option<End> {
    let mut head = [0; 9];
    reader.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).ok()?];
    reader.read_exact(&mut payload).await.ok()?;
    let code = |at: usize| {
        payload.get(at..at + 4).map(|code| u32::from_be_bytes([code[0], code[1], code[2], code[3]]))
    };
    Some(match head[3] {
        7 => End::GoAway(code(4)?),
        3 => End::Reset(code(0)?),
        1 => End::Answered,
        _ => End::Taken,
    })
}
