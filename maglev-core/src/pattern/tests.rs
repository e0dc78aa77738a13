//! What fits and what does not, also as a regular expression sees it.

use proptest::prelude::*;

use super::*;

fn fits(pattern: &str, name: &str) -> bool {
    pattern.parse::<Pattern>().unwrap().matches(name)
}

#[test]
fn stars_and_question_marks_stand_for_text() {
    for (pattern, yes, no) in [
        ("web", &["web"][..], &["web1", "we", "xweb", "Web", ""][..]),
        ("web*", &["web", "web1", "web.ams"], &["we", "xweb"]),
        ("*", &["x", "web", ""], &[]),
        ("web?", &["web1", "webé"], &["web", "web12"]),
        ("*.ams", &["a.ams", ".ams", "x.ams.ams"], &["ams", "a.ams1"]),
        ("a*b*c", &["abc", "aXbXbXc", "abbcc"], &["ab", "acb"]),
        ("**?", &["x", "xy"], &[""]),
    ] {
        assert!(yes.iter().all(|name| fits(pattern, name)), "{pattern} fits each of {yes:?}");
        assert!(!no.iter().any(|name| fits(pattern, name)), "{pattern} fits none of {no:?}");
    }
}

#[test]
fn what_no_name_has_is_no_pattern() {
    assert_eq!("".parse::<Pattern>(), Err(InvalidPattern::Empty));
    assert_eq!("a b".parse::<Pattern>(), Err(InvalidPattern::Character(' ')));
    assert_eq!("x".repeat(MAX_LEN + 1).parse::<Pattern>(), Err(InvalidPattern::TooLong));
}

#[test]
fn many_stars_take_no_time() {
    let pattern = "*a".repeat(MAX_LEN / 2);
    assert!(!fits(&pattern, &"a".repeat(MAX_LEN / 2 - 1)));
    assert!(!fits(&pattern, &("a".repeat(MAX_LEN) + "b")));
}

proptest! {
    #[test]
    fn a_regular_expression_agrees(pattern in "[ab?*]{1,8}", name in "[abc]{0,10}") {
        let words = pattern.replace('?', ".").replace('*', ".*");
        let expected = regex::Regex::new(&format!("^{words}$")).unwrap().is_match(&name);
        prop_assert_eq!(fits(&pattern, &name), expected);
    }
}
