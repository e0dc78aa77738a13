//! Pure. Guessing what was meant, and quoting what was written.

/// The most bytes of a value that are quoted in a message.
pub(super) const SHOWN: usize = 60;

/// The longest word worth a guess: the longest a name can be.
const LONGEST: usize = crate::names::MAX_LEN;

/// The known word that differs least from `word`, if the difference is small enough for a slip of the fingers.
///
/// Case, `-` and `_` do not count, so `src_ip_sticky` and `responseCode` find their keys.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = folded(word);
    let allowed = match word.chars().count() {
        0 => return None,
        1..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    known
        .map(|candidate| (distance(&word, &folded(candidate), allowed), candidate))
        .filter(|&(distance, _)| distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str, allowed: usize) -> usize {
    // The lengths alone tell most pairs apart, at a thousandth of the cost.
    if a.len().abs_diff(b.len()) > 4 * allowed { usize::MAX } else { strsim::damerau_levenshtein(a, b) }
}

fn folded(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// What was written, in double quotes, escaped so that it cannot disturb a terminal, and cut when it is long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().map(|(i, c)| i + c.len_utf8()).take_while(|&end| end <= SHOWN).last() {
        Some(end) if end < text.len() => format!("{:?}…", &text[..end]),
        Some(_) | None => format!("{text:?}"),
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn either(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
