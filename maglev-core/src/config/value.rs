//! Pure. What single values may be: truth, numbers, durations, words.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::duration::{InvalidDuration, format_duration, parse_duration};
use super::report::Report;
use super::section::Cursor;
use super::suggest::{either, quoted};
use crate::names::InvalidName;

/// Any scalar but null, as written. A number is as good a text as a word.
pub(super) fn text(cursor: &Cursor<'_>, report: &mut Report) -> Option<String> {
    match cursor.scalar().filter(|_| !cursor.is_null()) {
        Some(scalar) => Some(scalar.text.clone().into_owned()),
        None => {
            cursor.expected("a text", &format!("one value, as in `{}: value`", cursor.word()), report);
            None
        }
    }
}

/// `true` or `false`, and what YAML 1.1 took for them, since files are older than YAML 1.2 in many a place.
pub(super) fn boolean(cursor: &Cursor<'_>, report: &mut Report) -> Option<bool> {
    const TRUE: [&str; 4] = ["true", "yes", "on", "y"];
    const FALSE: [&str; 4] = ["false", "no", "off", "n"];
    let one_of = |words: [&str; 4], text: &str| {
        words.iter().any(|word| {
            let mut capitalised = word.to_uppercase();
            capitalised.truncate(1);
            capitalised.push_str(&word[1..]);
            text == *word || text == capitalised || text == word.to_uppercase()
        })
    };
    match cursor.scalar() {
        Some(scalar) if scalar.plain && one_of(TRUE, &scalar.text) => Some(true),
        Some(scalar) if scalar.plain && one_of(FALSE, &scalar.text) => Some(false),
        Some(_) | None => {
            let word = cursor.word();
            cursor.expected("true or false", &format!("`{word}: true` or `{word}: false`"), report);
            None
        }
    }
}

/// A whole number in `range`.
pub(super) fn integer<T: TryFrom<i64>>(
    range: RangeInclusive<i64>,
) -> impl Fn(&Cursor<'_>, &mut Report) -> Option<T> {
    move |cursor, report| {
        let (first, last) = (range.start(), range.end());
        let Some(number) = cursor.scalar().filter(|s| s.plain).and_then(|s| whole_number(&s.text)) else {
            let unquoted = cursor.scalar().filter(|s| !s.plain).and_then(|s| whole_number(&s.text));
            let example = match unquoted {
                Some(number) => format!("`{}: {number}`, without quotes", cursor.word()),
                None => format!("a number from {first} to {last}, in decimal digits"),
            };
            cursor.expected("a whole number", &example, report);
            return None;
        };
        let value =
            i64::try_from(number).ok().filter(|n| range.contains(n)).and_then(|n| T::try_from(n).ok());
        if value.is_none() {
            let message = match cursor.scalar() {
                Some(scalar) if scalar.text.len() <= 20 => format!("{number} is out of range"),
                Some(_) | None => "this number is out of range".to_owned(),
            };
            report.meaning(&cursor.place(), message, format!("write a number from {first} to {last}"));
        }
        value
    }
}

/// Decimal digits with an optional sign. No leading zeros: YAML 1.1 read `0644` as octal. Beyond 128 bits all are as
/// good as the largest.
fn whole_number(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if digits.is_empty() || leading_zero || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(if text.starts_with('-') { i128::MIN } else { i128::MAX }))
}

/// A power of two from 1 to `max`.
pub(super) fn power_of_two(max: u32) -> impl Fn(&Cursor<'_>, &mut Report) -> Option<u32> {
    move |cursor, report| {
        let number: u32 = integer(1..=i64::from(max))(cursor, report)?;
        if number.is_power_of_two() {
            return Some(number);
        }
        let above = number.next_power_of_two();
        let hint = format!("write {} or {above}", above / 2);
        report.meaning(&cursor.place(), format!("{number} is not a power of two"), hint);
        None
    }
}

/// A duration in `range`.
pub(super) fn duration(
    range: RangeInclusive<Duration>,
) -> impl Fn(&Cursor<'_>, &mut Report) -> Option<Duration> {
    move |cursor, report| {
        let word = cursor.word();
        let Some(scalar) = cursor.scalar().filter(|_| !cursor.is_null()) else {
            cursor.expected("a duration", &format!("`{word}: 2s`"), report);
            return None;
        };
        let bounds = || {
            let (first, last) = (format_duration(*range.start()), format_duration(*range.end()));
            format!("write a duration from {first} to {last}")
        };
        match parse_duration(&scalar.text) {
            Ok(duration) if range.contains(&duration) => return Some(duration),
            Ok(duration) => {
                let message = format!("{} is out of range", format_duration(duration));
                report.meaning(&cursor.place(), message, bounds());
            }
            Err(error @ (InvalidDuration::Negative | InvalidDuration::TooLong)) => {
                report.meaning(&cursor.place(), error.to_string(), bounds());
            }
            Err(InvalidDuration::NoUnit(_)) => {
                let message = format!("the duration {} has no unit", quoted(&scalar.text));
                let hint =
                    format!("write {0}s for seconds or {0}ms for milliseconds", scalar.text.escape_debug());
                report.shape(&cursor.place(), message, hint);
            }
            Err(InvalidDuration::UnknownUnit(_) | InvalidDuration::Syntax(_)) => {
                let example = "a number and a unit without spaces, such as 200ms, 2s, 1m30s or 1.5s";
                cursor.expected("a duration", example, report);
            }
        }
        None
    }
}

/// One of the words of `choices`, in upper or lower case.
pub(super) fn one_of<T: Clone, const N: usize>(
    choices: [(&'static str, T); N],
) -> impl Fn(&Cursor<'_>, &mut Report) -> Option<T> {
    move |cursor, report| {
        let written = text(cursor, report)?;
        let found = choices
            .iter()
            .find_map(|(word, choice)| word.eq_ignore_ascii_case(&written).then(|| choice.clone()));
        if found.is_none() {
            let words = choices.each_ref().map(|(word, _)| *word);
            unknown_word(cursor, &written, &words, report);
        }
        found
    }
}

/// Reports that `written` is none of `words`.
pub(super) fn unknown_word(cursor: &Cursor<'_>, written: &str, words: &[&str], report: &mut Report) {
    let hint = match report.nearest(written, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write {}", either(words)),
    };
    report.meaning(&cursor.place(), format!("{} is not known here", quoted(written)), hint);
}

/// A name, written as a value.
pub(super) fn name<N: FromStr<Err = InvalidName>>(cursor: &Cursor<'_>, report: &mut Report) -> Option<N> {
    let written = text(cursor, report)?;
    named(&written, &cursor.place(), report)
}

/// A name, written as a key or a value.
pub(super) fn named<N: FromStr<Err = InvalidName>>(
    written: &str,
    place: &super::report::Place,
    report: &mut Report,
) -> Option<N> {
    match written.parse() {
        Ok(name) => Some(name),
        Err(error) => {
            report.meaning(place, error.to_string(), "use letters, digits, `-`, `_` and `.`");
            None
        }
    }
}
