//! Pure. Pieces of the sentence an outcome carries: short durations, quoted text of the server, dates.

use std::fmt::{self, Write};
use std::time::{Duration, SystemTime};

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;

/// The most characters of server-supplied text in a sentence. A line of log stays a line.
const QUOTE_CHARS: usize = 60;

/// A duration as a person says it: `0.04 ms`, `0.4 ms`, `12 ms`, `1.2 s`.
pub(crate) struct Short(pub(crate) Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_secs_f64() * 1e6;
        let (value, decimals, unit) = match micros {
            m if m < 95.0 => (m / 1e3, 2, "ms"),
            m if m < 9_950.0 => (m / 1e3, 1, "ms"),
            m if m < 999_500.0 => (m / 1e3, 0, "ms"),
            m => (m / 1e6, 1, "s"),
        };
        let text = format!("{value:.decimals$}");
        let text = if decimals == 1 { text.strip_suffix(".0").unwrap_or(&text) } else { &text };
        write!(f, "{text} {unit}")
    }
}

/// Text of unknown origin in double quotes: cut to [`QUOTE_CHARS`] characters, nothing in it that moves a cursor,
/// ends a line or closes the quotes.
pub(crate) struct Quoted<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A character of UTF-8 has at most four bytes.
        let head = &self.0[..self.0.len().min(4 * (QUOTE_CHARS + 1))];
        let lossy = String::from_utf8_lossy(head);
        f.write_char('"')?;
        for c in lossy.chars().take(QUOTE_CHARS).flat_map(char::escape_debug) {
            f.write_char(c)?;
        }
        let cut = lossy.chars().nth(QUOTE_CHARS).is_some() || head.len() < self.0.len();
        f.write_str(if cut { "…\"" } else { "\"" })
    }
}

/// A moment as the date it fell on in UTC: `2024-01-31`.
pub(crate) struct Day {
    pub(crate) unix_seconds: u64,
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(self.unix_seconds));
        let mut text = String::new();
        // Years past 9999 cannot be formatted, and X.509 cannot express them.
        match moment.map(|moment| write!(text, "{}", humantime::format_rfc3339_seconds(moment))) {
            Some(Ok(())) => f.write_str(text.split('T').next().unwrap_or(&text)),
            Some(Err(_)) | None => f.write_str("a day after the year 9999"),
        }
    }
}
