//! Edge. Reading the audit log from its end, in bounded memory whatever is in it.

use std::io::{self, Read, Seek, SeekFrom};

use super::record::Record;

/// What is read at once.
const CHUNK: u64 = 64 << 10;

/// The longest line that is read. Ours have a few kilobytes.
const LINE: usize = 64 << 10;

/// How far back is looked. Beyond it there may be more.
const FAR: u64 = 64 << 20;

/// How much is returned: gRPC clients take messages of 4 MiB.
const ANSWER: usize = 3 << 20;

/// Which records are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// How many at most.
    pub limit: usize,
    /// Only those that name this backend; empty for all.
    pub backend: String,
    /// Only those that name this frontend; empty for all.
    pub frontend: String,
}

impl Wanted {
    fn takes(&self, record: &Record) -> bool {
        (self.backend.is_empty() || record.names_backend(&self.backend))
            && (self.frontend.is_empty() || record.names_frontend(&self.frontend))
    }
}

/// The end of the log.
#[derive(Debug, Default)]
pub struct Tail {
    /// The records, oldest first.
    pub records: Vec<Record>,
    /// There are older ones, or may be.
    pub more: bool,
    /// Lines that could not be read.
    pub damaged: u64,
}

/// Reads lines from the last to the first until there are enough.
pub(super) fn tail(mut file: impl Read + Seek, wanted: &Wanted) -> io::Result<Tail> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let stop = end.saturating_sub(FAR);
    let mut tail = Tail { more: stop > 0, ..Tail::default() };
    let mut taken = 0;
    // What is known of the line that begins before `end`, and whether it is too long to keep.
    let (mut rest, mut too_long) = (Vec::new(), false);
    while end > stop {
        let start = end.saturating_sub(CHUNK).max(stop);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.by_ref().take(end - start).read_to_end(&mut bytes)?;
        end = start;
        if !too_long {
            bytes.extend_from_slice(&rest);
        }
        let mut lines = bytes.rsplit(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_none() && end > 0 {
                too_long |= line.len() > LINE;
                rest = if too_long { Vec::new() } else { line.to_vec() };
                break;
            }
            if std::mem::take(&mut too_long) {
                tail.damaged += 1;
                continue;
            }
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice::<Record>(line) {
                Ok(record) if wanted.takes(&record) => {
                    taken += line.len();
                    if tail.records.len() >= wanted.limit || taken > ANSWER {
                        tail.more = true;
                        tail.records.reverse();
                        return Ok(tail);
                    }
                    tail.records.push(record);
                }
                Ok(_) => {}
                Err(_) => tail.damaged += 1,
            }
        }
    }
    tail.records.reverse();
    Ok(tail)
}
