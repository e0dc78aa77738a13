//! Pure. Memory that may change while it is read.

/// Bytes somebody else may be writing. Reads are whole words: what is read is never half old, half new.
pub trait Memory {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The word at an offset in bytes; `None` if it is not all there, or the offset is no multiple of 8.
    fn u64(&self, at: u64) -> Option<u64>;

    /// The half word at an offset in bytes; `None` if it is not all there, or the offset is no multiple of 4.
    fn u32(&self, at: u64) -> Option<u32> {
        let word = self.u64(at & !7)?.to_ne_bytes();
        let [a, b, c, d, e, f, g, h] = word;
        match at % 8 {
            0 => Some(u32::from_ne_bytes([a, b, c, d])),
            4 => Some(u32::from_ne_bytes([e, f, g, h])),
            _ => None,
        }
    }
}

/// Memory that does not change, for tests: a recorded segment.
impl Memory for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn u64(&self, at: u64) -> Option<u64> {
        if !at.is_multiple_of(8) {
            return None;
        }
        let rest = self.get(usize::try_from(at).ok()?..)?;
        rest.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
    }
}

impl Memory for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn u64(&self, at: u64) -> Option<u64> {
        self.as_slice().u64(at)
    }
}
