//! Pure. Reading an HTTP/1 answer from bytes as they arrive, whatever their pieces.
//!
//! It is as liberal as the parser of HAProxy wherever nothing depends on it: any `HTTP/x.y`, folded field lines, bare
//! line feeds, `Transfer-Encoding` in HTTP/1.0, empty lines before the status line, any bytes in values and reasons.
//! `tests/answers.rs` has both verdicts side by side.
//!
//! ```text
//! StatusLine ──► Fields ──► Complete
//!     ▲            │ ├────► Length ──────────────► Complete
//!     └── interim ─┘ ├────► UntilClose
//!                    └────► ChunkSize ⇄ ChunkData, ChunkEnd ──► Complete
//! ```
//!
//! Memory and work are bounded by [`MAX_HEAD`], [`MAX_BODY`] and [`MAX_ANSWER`]: each byte is looked at once or twice.

use std::fmt;

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;

/// The most bytes of one status line with its fields.
pub(super) const MAX_HEAD: usize = 64 * 1024;

/// How much of a body is kept. The rest is not waited for.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// The most bytes of one answer: 64 KiB each of head and body, and as much again for interim answers and the framing of
/// small chunks.
pub(super) const MAX_ANSWER: usize = 256 * 1024;

/// Why bytes are not an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// The status line or a field is not HTTP/1.
    Head,
    /// The head is over [`MAX_HEAD`].
    HeadTooLarge,
    /// A chunk of the body is not one.
    Body,
    /// The answer is over [`MAX_ANSWER`].
    Endless,
}

/// The rest of a sentence.
impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Head => f.write_str("the answer is not HTTP"),
            Malformed::HeadTooLarge => {
                write!(f, "the header of the answer is over {} KiB", MAX_HEAD >> 10)
            }
            Malformed::Body => f.write_str("the answer has a body that is not HTTP"),
            Malformed::Endless => write!(f, "the answer goes on after {} KiB", MAX_ANSWER >> 10),
        }
    }
}

/// The head of a final answer, as far as a check needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The status code; beyond `u16` the largest.
    pub(super) status: u16,
    /// The last `Location` field.
    pub(super) location: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    StatusLine,
    Fields,
    Length(u64),
    UntilClose,
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Complete,
}

/// A field that something depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    ContentLength,
    TransferEncoding,
    Location,
    Other,
}

/// An answer of which more and more is there.
#[derive(Debug)]
pub(super) struct Answer {
    state: State,
    /// The line that has no end yet.
    line: Vec<u8>,
    head: Head,
    /// The field that the next line may continue, once there was one, and its value if something depends on it.
    field: Option<(Field, Vec<u8>)>,
    content_length: Option<u64>,
    /// The last transfer coding.
    coding: Option<Vec<u8>>,
    body: Vec<u8>,
    /// Whether it answers HEAD, so that no body follows whatever the fields say.
    to_head: bool,
    head_left: usize,
    left: usize,
}

impl Answer {
    /// Nothing of an answer yet; `to_head` says that it will answer HEAD.
    pub(super) fn new(to_head: bool) -> Self {
        Answer {
            state: State::StatusLine,
            line: Vec::new(),
            head: Head::default(),
            field: None,
            content_length: None,
            coding: None,
            body: Vec::new(),
            to_head,
            head_left: MAX_HEAD,
            left: MAX_ANSWER,
        }
    }

    /// The head, once all of it is there.
    pub(super) fn head(&self) -> Option<&Head> {
        match self.state {
            State::StatusLine | State::Fields => None,
            State::Length(_)
            | State::UntilClose
            | State::ChunkSize
            | State::ChunkData(_)
            | State::ChunkEnd
            | State::Complete => Some(&self.head),
        }
    }

    /// Whether nothing more is needed: the answer has ended, or [`MAX_BODY`] of its body is there.
    pub(super) fn is_complete(&self) -> bool {
        self.state == State::Complete || self.body.len() == MAX_BODY
    }

    /// Whether it is complete if the connection ends now.
    pub(super) fn ends_with_connection(&self) -> bool {
        self.is_complete() || self.state == State::UntilClose
    }

    /// The body, without its framing, as far as it is there and at most [`MAX_BODY`] of it.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the body may go on after what is kept of it.
    pub(super) fn is_cut(&self) -> bool {
        self.body.len() == MAX_BODY && self.state != State::Complete
    }

    /// Takes the next bytes. What follows the answer is ignored.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<(), Malformed> {
        while !bytes.is_empty() && !self.is_complete() {
            if self.left == 0 {
                return Err(Malformed::Endless);
            }
            let taken = match self.state {
                State::StatusLine | State::Fields | State::ChunkSize | State::ChunkEnd => self.line(bytes)?,
                State::Length(left) => {
                    let taken = self.data(bytes, left);
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::Complete } else { State::Length(left) };
                    taken
                }
                State::UntilClose => self.data(bytes, u64::MAX),
                State::ChunkData(left) => {
                    let taken = self.data(bytes, left);
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::ChunkData(left) };
                    taken
                }
                State::Complete => 0,
            };
            self.left = self.left.saturating_sub(taken);
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Adds to the body, and returns how many bytes that took.
    fn data(&mut self, bytes: &[u8], most: u64) -> usize {
        let room = (MAX_BODY - self.body.len()) as u64;
        let taken = usize::try_from(most.min(room)).unwrap_or(MAX_BODY).min(bytes.len());
        self.body.extend_from_slice(&bytes[..taken]);
        taken
    }

    /// Adds to the line, deals with it if that is its end, and returns how many bytes that took.
    fn line(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        if matches!(self.state, State::StatusLine | State::Fields) {
            self.head_left = self.head_left.checked_sub(taken).ok_or(Malformed::HeadTooLarge)?;
        }
        self.line.extend_from_slice(&bytes[..taken]);
        if end.is_none() {
            // What can be no answer any more is not waited for.
            return match self.state {
                State::StatusLine if !may_be_status_line(&self.line) => Err(Malformed::Head),
                _ => Ok(taken),
            };
        }
        let mut line = std::mem::take(&mut self.line);
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        self.state = match self.state {
            State::StatusLine => self.status_line(&line)?,
            State::Fields => self.field_line(&line)?,
            State::ChunkSize => match chunk_size(&line).ok_or(Malformed::Body)? {
                // Trailers decide nothing.
                0 => State::Complete,
                size => State::ChunkData(size),
            },
            State::ChunkEnd if line.is_empty() => State::ChunkSize,
            State::ChunkEnd => return Err(Malformed::Body),
            state @ (State::Length(_) | State::UntilClose | State::ChunkData(_) | State::Complete) => state,
        };
        // The allocation is used again: there may be tens of thousands of lines.
        line.clear();
        self.line = line;
        Ok(taken)
    }

    /// `HTTP/1.1 200 OK`, the reason being optional.
    fn status_line(&mut self, line: &[u8]) -> Result<State, Malformed> {
        if line.is_empty() {
            return Ok(State::StatusLine);
        }
        if line.contains(&b'\r') || !may_be_status_line(line) {
            return Err(Malformed::Head);
        }
        let rest = line.get(VERSION.len()..).unwrap_or_default().trim_ascii_start();
        let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        let (code, reason) = rest.split_at(digits);
        if code.is_empty() || reason.first().is_some_and(|&byte| byte != b' ' && byte != b'\t') {
            return Err(Malformed::Head);
        }
        let status = decimal(code).map_or(u16::MAX, |code| u16::try_from(code).unwrap_or(u16::MAX));
        self.head = Head { status, location: None };
        Ok(State::Fields)
    }

    /// `Name: value`, the continuation of one, or the empty line that ends them.
    fn field_line(&mut self, line: &[u8]) -> Result<State, Malformed> {
        if line.contains(&b'\r') {
            return Err(Malformed::Head);
        }
        if let Some(b' ' | b'\t') = line.first() {
            let (field, value) = self.field.as_mut().ok_or(Malformed::Head)?;
            if *field != Field::Other {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
            return Ok(State::Fields);
        }
        self.finish_field()?;
        if line.is_empty() {
            return Ok(self.finish_head());
        }
        let colon = line.iter().position(|&byte| byte == b':').ok_or(Malformed::Head)?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) {
            return Err(Malformed::Head);
        }
        let field = if name.eq_ignore_ascii_case(b"content-length") {
            Field::ContentLength
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            Field::TransferEncoding
        } else if name.eq_ignore_ascii_case(b"location") {
            Field::Location
        } else {
            Field::Other
        };
        let value = if field == Field::Other { Vec::new() } else { value.trim_ascii().to_vec() };
        self.field = Some((field, value));
        Ok(State::Fields)
    }

    /// Takes the field whose last line was read.
    fn finish_field(&mut self) -> Result<(), Malformed> {
        let Some((field, value)) = self.field.take() else { return Ok(()) };
        match field {
            Field::ContentLength => {
                for part in value.split(|&byte| byte == b',') {
                    let length = decimal(part.trim_ascii()).ok_or(Malformed::Head)?;
                    if self.content_length.replace(length).is_some_and(|before| before != length) {
                        return Err(Malformed::Head);
                    }
                }
            }
            Field::TransferEncoding => {
                self.coding =
                    value.rsplit(|&byte| byte == b',').next().map(|last| last.trim_ascii().to_vec());
            }
            Field::Location => self.head.location = Some(value),
            Field::Other => {}
        }
        Ok(())
    }

    /// What follows the empty line (RFC 9112, section 6.3).
    fn finish_head(&mut self) -> State {
        let (length, coding) = (self.content_length.take(), self.coding.take());
        self.head_left = MAX_HEAD;
        match (self.head.status, length, coding) {
            // After 101 another protocol would begin, which was not asked for.
            (100 | 102..=199, ..) => State::StatusLine,
            (101 | 204 | 304, ..) => State::Complete,
            _ if self.to_head => State::Complete,
            (_, _, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => State::ChunkSize,
            (_, _, Some(_)) | (_, None, None) => State::UntilClose,
            (_, Some(0), None) => State::Complete,
            (_, Some(length), None) => State::Length(length),
        }
    }
}

/// What each version looks like; `0` stands for any digit.
const VERSION: &[u8] = b"HTTP/0.0";

/// Whether `line`, which may go on, may be a status line as far as it goes.
fn may_be_status_line(line: &[u8]) -> bool {
    let version = line.iter().zip(VERSION).all(|(&byte, &wanted)| match wanted {
        b'0' => byte.is_ascii_digit(),
        wanted => byte == wanted,
    });
    // An empty line, which may come before, is left to its end.
    let blank = matches!(line, [] | [b'\r']);
    blank || (version && line.get(VERSION.len()).is_none_or(|&byte| byte == b' ' || byte == b'\t'))
}

/// Decimal digits and nothing else.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// Hexadecimal digits, perhaps followed by spaces and an extension.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, rest) = line.split_at(end);
    if !matches!(rest.trim_ascii_start().first(), None | Some(b';')) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Whether `byte` can be in the name of a field (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
