//! Pure. Text that a terminal prints and does not interpret.

/// The text with control and bidirectional formatting characters escaped as `\u{…}`; `None` where it has none.
pub(super) fn printable(text: &str) -> Option<String> {
    if !text.contains(is_interpreted) {
        return None;
    }
    let escape = |c: char| if is_interpreted(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Some(text.chars().map(escape).collect())
}

/// Control characters, and those that change the direction or the visibility of the text around them.
fn is_interpreted(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
