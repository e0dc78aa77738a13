//! Pure. What the source of a man page looks like.

use super::*;

fn source(text: &str) -> String {
    let mut page = Page::new("page", "1", "program 1", "Manual");
    page.text(text);
    page.render().lines().filter(|line| !line.starts_with('.')).collect::<Vec<_>>().join("\n")
}

#[test]
fn code_is_bold_and_links_lose_their_targets() {
    assert_eq!(source("set `port`, see [the page](page.md#there)."), r"set \fBport\fR, see the page.");
}

#[test]
fn long_texts_are_broken_at_blanks_only() {
    let text = "a-b-c `d` ".repeat(40);
    let lines: Vec<String> = source(&text).lines().map(str::to_owned).collect();
    assert!(lines.len() > 5 && lines.iter().all(|line| line.len() <= 80), "{lines:#?}");
    let words: usize = lines.iter().map(|line| line.split(' ').count()).sum();
    assert_eq!(words, 80);
}

#[test]
fn a_line_never_begins_with_what_roff_takes_for_a_request() {
    let text = format!("{} .so /etc/passwd 'quoted'", "word ".repeat(15));
    assert!(!source(&text).lines().any(|line| line.starts_with(['.', '\''])));
}
