use super::printable;

#[test]
fn control_and_direction_characters_are_escaped() {
    assert_eq!(printable("status 503, grüße, 日本"), None);
    assert_eq!(printable("a\x1b[2Jb\n").unwrap(), r"a\u{1b}[2Jb\u{a}");
    assert_eq!(printable("\u{9b}31m\u{7f}").unwrap(), r"\u{9b}31m\u{7f}");
    assert_eq!(printable("web\u{202e}0bew\u{2066}x\u{200f}").unwrap(), r"web\u{202e}0bew\u{2066}x\u{200f}");
}
