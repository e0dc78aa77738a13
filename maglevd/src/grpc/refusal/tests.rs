//! Texts fit into a header and still tell what they left out.

use super::*;

#[test]
fn a_short_text_is_told_whole() {
    assert_eq!(shortened("one\ntwo"), "one\ntwo");
}

#[test]
fn many_lines_are_cut_between_two_and_the_rest_is_counted() {
    let lines: Vec<_> = (0..1000).map(|n| format!("maglev.yaml:{n}:1: what is wrong")).collect();
    let text = shortened(&lines.join("\n"));
    let (told, last) = text.rsplit_once('\n').unwrap();
    let told: Vec<_> = told.lines().collect();
    assert!(told.iter().zip(&lines).all(|(told, line)| told == line));
    let left = lines.len() - told.len();
    assert_eq!(last, format!("… and {left} more lines: a check of the configuration lists all"));
    assert!(text.len() < LIMIT + 100);
}

#[test]
fn a_long_name_is_cut_between_two_characters() {
    let text = no_such("backend", &"é".repeat(LIMIT)).message().to_owned();
    assert!(text.starts_with("there is no backend éé") && text.ends_with("é…"), "{text}");
    assert!(text.len() < LIMIT + 10);
}
