//! Pure. Characters that a line of text must not have.

/// Whether a character is not shown, or changes how the text beside it is shown: control characters, line separators,
/// bidirectional controls, and characters without width. With them a name can look like another, and a reason can
/// rearrange the line it is shown in (CVE-2021-42574).
///
/// ```
/// use maglev_core::text::is_unprintable;
///
/// assert!("web\u{202e}0".contains(is_unprintable));
/// assert!(!"wéb 世界 0".contains(is_unprintable));
/// ```
pub const fn is_unprintable(c: char) -> bool {
    matches!(c,
        // C0, DEL and C1.
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        // Soft hyphen, combining grapheme joiner, Arabic letter mark.
        | '\u{ad}' | '\u{34f}' | '\u{61c}'
        // Hangul and Khmer fillers, Mongolian separators.
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        // Zero-width characters and directional marks; line and paragraph separators, directional embeddings.
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        // Word joiner, invisible operators, directional isolates, deprecated format characters.
        | '\u{2060}'..='\u{206f}'
        // Hangul filler, variation selectors, byte order mark, halfwidth filler, annotations, object replacement.
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}'
        // Tags and further variation selectors.
        | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests;
