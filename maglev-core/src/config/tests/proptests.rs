//! Pure. Whatever the bytes: an answer, never a panic, and in good time.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::config::{Diagnostic, format_duration, parse_duration};

const EVERY_KEY: &str = include_str!("../golden/good/every-key.yaml");

/// Reads `bytes`, and checks what holds of every answer.
fn check(bytes: &[u8]) -> Result<Parsed, Errors> {
    let answer = parse(bytes, &Options { vpp: true, ..Options::default() });
    let found: &[Diagnostic] = match &answer {
        Ok(parsed) => &parsed.warnings,
        Err(errors) => {
            assert!(!errors.diagnostics().is_empty());
            errors.diagnostics()
        }
    };
    let lines = u32::try_from(bytes.split(|&b| matches!(b, b'\n' | b'\r')).count()).unwrap();
    assert!(found.is_sorted_by_key(|d| d.position));
    for diagnostic in found {
        assert!((1..=lines + 1).contains(&diagnostic.position.line), "{diagnostic} in {lines} lines");
        assert!(diagnostic.position.column >= 1);
        assert!(!diagnostic.message.is_empty() && !diagnostic.hint.is_empty(), "{diagnostic}");
        let line = diagnostic.to_string();
        assert!(!line.contains(|c: char| c.is_control()), "{line:?} would disturb a terminal");
        assert!(line.len() < 2000, "{line}");
    }
    answer
}

/// Pieces that are more likely to get far than random bytes.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&str> = EVERY_KEY.split_inclusive([' ', '\n', ':', ',']).collect();
    let syntax = [
        "&a ",
        "*a",
        "<<: ",
        "? ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "!!str ",
        "!x ",
        "|\n",
        ">-\n",
        "\"",
        "'",
        "#",
        "%YAML 1.2\n",
        "---\n",
        "...\n",
        "\t",
        "\r\n",
        "\u{feff}",
        "\u{85}",
        "\0",
        "~",
        ": ",
        "\\x1b",
        "0x10",
        "1e9",
        ".inf",
        "-",
    ];
    prop_oneof![
        4 => proptest::sample::select(words).prop_map(|word| word.as_bytes().to_vec()),
        2 => proptest::sample::select(syntax.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ]
}

proptest! {
    #[test]
    fn random_bytes_are_answered(bytes in vec(any::<u8>(), 0..300)) {
        let _ = check(&bytes);
    }

    #[test]
    fn random_text_is_answered(text in "\\PC{0,300}") {
        let _ = check(text.as_bytes());
    }

    #[test]
    fn random_yaml_is_answered(fragments in vec(fragment(), 0..80)) {
        let _ = check(&fragments.concat());
    }

    #[test]
    fn mutations_of_a_valid_file_are_answered(edits in vec((any::<Index>(), 0_usize..40, fragment()), 1..6)) {
        let mut bytes = EVERY_KEY.as_bytes().to_vec();
        for (start, length, insert) in edits {
            let start = start.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, insert);
        }
        let _ = check(&bytes);
    }

    #[test]
    fn a_valid_file_cut_short_is_answered(end in any::<Index>()) {
        let _ = check(&EVERY_KEY.as_bytes()[..end.index(EVERY_KEY.len())]);
    }

    #[test]
    fn lines_in_any_order_are_answered(lines in Just(EVERY_KEY.split_inclusive('\n').collect::<Vec<_>>()).prop_shuffle()) {
        let _ = check(lines.concat().as_bytes());
    }

    #[test]
    fn durations_are_shown_as_they_are_read(nanos in any::<u64>(), unit in 0_u32..19) {
        let duration = Duration::from_nanos(nanos / 10_u64.pow(unit) * 10_u64.pow(unit));
        let text = format_duration(duration).to_string();
        prop_assert_eq!(parse_duration(&text), Ok(duration), "{}", text);
    }

    #[test]
    fn any_text_is_a_duration_or_not(text in "[0-9.hmsnuµ -]{0,12}") {
        let _ = parse_duration(&text);
    }
}

/// Ten thousand backends and one frontend of as many, with weights that have no common divisor.
fn large(member: char) -> String {
    let mut text = String::from("maglev:\n  vpp: {lb: {ipv4-src-address: 192.0.2.1}}\n  backends:\n");
    let address = |n: u32| Ipv4Addr::from(0x0a00_0000 + n);
    for n in 0..10_000 {
        text += &format!("    b{n}: {{address: {}}}\n", address(n));
    }
    text += "  frontends:\n    site:\n      address: 203.0.113.1\n      pools:\n      - name: all\n        backends:\n";
    for n in 0..10_000 {
        text += &format!("          {member}{n}: {{weight: {}}}\n", n % 100 + 1);
    }
    text
}

#[test]
fn large_files_are_read_in_good_time() {
    let started = Instant::now();
    let parsed = check(large('b').as_bytes()).unwrap();
    assert_eq!(parsed.config.backends.len(), 10_000);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn large_files_full_of_errors_are_refused_in_good_time() {
    let started = Instant::now();
    let errors = check(large('c').as_bytes()).unwrap_err();
    assert_eq!(errors.diagnostics().len(), 101);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn aliases_cannot_multiply_long_texts() {
    let mut text = format!("maglev:\n  a: &a \"\\t{}\"\n  b:\n", "x".repeat(1 << 20));
    text.extend(std::iter::repeat_n("  - *a\n", 10_000));
    let errors = check(text.as_bytes()).unwrap_err();
    assert_eq!(errors.diagnostics().len(), 1);
}
