//! Pure. Durations as the configuration writes them: `200ms`, `2s`, `1m30s`, `1.5s`.

use std::fmt;
use std::time::Duration;

/// The units in the order they are written, with their nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    /// There is a number and no unit after it.
    #[error("{0:?} has no unit")]
    NoUnit(String),
    /// The unit is none of `h m s ms us ns`.
    #[error("{0:?} is not a unit of time")]
    UnknownUnit(String),
    /// Numbers and units do not follow each other.
    #[error("{0:?} is not a duration")]
    Syntax(String),
    /// It is before now.
    #[error("a duration cannot be negative")]
    Negative,
    /// It does not fit into 64 bits of nanoseconds, some 584 years.
    #[error("no duration is that long")]
    TooLong,
}

/// Reads a duration: numbers, each with its unit, without spaces. A number may have a decimal fraction. The units are
/// `h`, `m`, `s`, `ms`, `us` (or `µs`) and `ns`; only `0` needs none. This is the notation of Go.
///
/// # Errors
/// When the text is not of that form, negative, or longer than 584 years. What is finer than a nanosecond is cut off.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let syntax = || InvalidDuration::Syntax(text.to_owned());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(syntax());
    }
    if text.starts_with('-') {
        return Err(InvalidDuration::Negative);
    }
    let mut rest = text;
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after, |c| c.is_alphabetic());
        if number.is_empty() {
            return Err(syntax());
        }
        if unit.is_empty() {
            return Err(if after.is_empty() { InvalidDuration::NoUnit(number.to_owned()) } else { syntax() });
        }
        let name = if matches!(unit, "µs" | "μs") { "us" } else { unit };
        let scale = UNITS
            .iter()
            .find_map(|&(known, scale)| (known == name).then_some(scale))
            .ok_or_else(|| InvalidDuration::UnknownUnit(unit.to_owned()))?;
        let part = scaled(number, scale).ok_or_else(syntax)?.ok_or(InvalidDuration::TooLong)?;
        nanos = nanos.checked_add(part).ok_or(InvalidDuration::TooLong)?;
        rest = after;
    }
    Ok(Duration::from_nanos(nanos))
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// A decimal number times `scale`. `None` if it is no number, `Some(None)` if the product does not fit.
fn scaled(number: &str, scale: u64) -> Option<Option<u64>> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let mut part: u64 = 0;
    let mut digit_scale = scale;
    for digit in fraction.bytes() {
        // Below a nanosecond the scale is no longer exact, and nothing more can count.
        part = part.saturating_add(u64::from(digit - b'0') * digit_scale / 10);
        digit_scale /= 10;
    }
    let whole: Option<u64> = whole.parse().ok();
    Some(whole.and_then(|n| n.checked_mul(scale)).and_then(|n| n.checked_add(part)))
}

/// Shows a duration as [`parse_duration`] reads it: `1h`, `1m30s`, `1.5s`, `200ms`, `0s`.
pub fn format_duration(duration: Duration) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let nanos = duration.as_nanos();
        let (hours, nanos) = (nanos / 3_600_000_000_000, nanos % 3_600_000_000_000);
        let (minutes, nanos) = (nanos / 60_000_000_000, nanos % 60_000_000_000);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        if nanos == 0 {
            return if hours == 0 && minutes == 0 { f.write_str("0s") } else { Ok(()) };
        }
        let (unit, scale) = match nanos {
            1_000_000_000.. => ("s", 1_000_000_000),
            1_000_000.. => ("ms", 1_000_000),
            1_000.. => ("us", 1_000),
            _ => ("ns", 1),
        };
        write!(f, "{}", nanos / scale)?;
        let fraction = nanos % scale;
        if fraction > 0 {
            let digits = scale.ilog10() as usize;
            write!(f, ".{}", format!("{fraction:0digits$}").trim_end_matches('0'))?;
        }
        f.write_str(unit)
    })
}
