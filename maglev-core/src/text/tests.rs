//! What is refused and what is not.

use super::*;

#[test]
fn characters_that_hide_or_rearrange_text_are_unprintable() {
    let bidirectional =
        "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    let zero_width = "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}";
    let lines = "\n\r\t\u{85}\u{2028}\u{2029}\0\x1b\x7f";
    for c in bidirectional.chars().chain(zero_width.chars()).chain(lines.chars()) {
        assert!(is_unprintable(c), "{c:?}");
    }
}

#[test]
fn text_of_all_languages_is_printable() {
    for text in
        ["web-0.example_1", "Wärtung für Zoë", "維護 メンテ 점검", "тест", "صيانة", "תחזוקה", "é̂", "🔧"]
    {
        assert!(!text.contains(is_unprintable), "{text:?}");
    }
}
