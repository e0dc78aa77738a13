use std::time::Duration;

use super::{Day, Quoted, Short};

#[test]
fn durations_are_short() {
    for (micros, text) in [
        (0, "0.00 ms"),
        (40, "0.04 ms"),
        (94, "0.09 ms"),
        (95, "0.1 ms"),
        (400, "0.4 ms"),
        (1_000, "1 ms"),
        (1_234, "1.2 ms"),
        (9_949, "9.9 ms"),
        (9_950, "10 ms"),
        (12_300, "12 ms"),
        (500_000, "500 ms"),
        (999_499, "999 ms"),
        (999_500, "1 s"),
        (1_234_000, "1.2 s"),
        (2_000_000, "2 s"),
        (90_000_000, "90 s"),
    ] {
        assert_eq!(Short(Duration::from_micros(micros)).to_string(), text, "{micros} µs");
    }
    assert_eq!(Short(Duration::MAX).to_string(), "18446744073709551616 s");
}

#[test]
fn quoted_text_cannot_break_a_line_and_is_cut() {
    assert_eq!(Quoted(b"ok").to_string(), r#""ok""#);
    assert_eq!(Quoted(b"a\"b\\c\r\n\x1b[31m\xff").to_string(), "\"a\\\"b\\\\c\\r\\n\\u{1b}[31m\u{fffd}\"");
    assert_eq!(Quoted(&[b'x'; 60]).to_string(), format!("\"{}\"", "x".repeat(60)));
    assert_eq!(Quoted(&[b'x'; 61]).to_string(), format!("\"{}…\"", "x".repeat(60)));
    assert_eq!(Quoted("é".repeat(5000).as_bytes()).to_string(), format!("\"{}…\"", "é".repeat(60)));
    assert!(Quoted(&[0; 100_000]).to_string().len() < 600);
}

#[test]
fn days_are_dates() {
    assert_eq!(Day { unix_seconds: 0 }.to_string(), "1970-01-01");
    assert_eq!(Day { unix_seconds: 1_706_745_599 }.to_string(), "2024-01-31");
    assert_eq!(Day { unix_seconds: u64::MAX }.to_string(), "a day after the year 9999");
}
