use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Quoted, Short};

proptest! {
    #[test]
    fn quoted_text_is_one_short_line_and_keeps_its_quotes(bytes in vec(any::<u8>(), 0..400)) {
        let text = Quoted(&bytes).to_string();
        prop_assert!(!text.contains(char::is_control), "{text:?}");
        // The longest escape is \\u{10ffff}.
        prop_assert!(text.chars().count() <= 60 * 10 + 3);
        let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
        prop_assert!(!inner.replace("\\\\", "").replace("\\\"", "").contains('"'), "{text}");
    }

    #[test]
    fn a_duration_is_right_to_a_twentieth(micros in 0_u64..999_000_000) {
        let text = Short(Duration::from_micros(micros)).to_string();
        let (number, unit) = text.split_once(' ').unwrap();
        prop_assert!(number.chars().filter(char::is_ascii_digit).count() <= 4, "{text}");
        prop_assert!(["ms", "s"].contains(&unit));
        let seconds = number.parse::<f64>().unwrap() * if unit == "ms" { 1e-3 } else { 1.0 };
        prop_assert!((seconds - micros as f64 * 1e-6).abs() <= 0.051 * seconds + 1e-5, "{text}, {micros} µs");
    }
}
