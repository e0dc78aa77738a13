//! Pure. Quantities with their units.

use std::fmt::Write as _;

/// An age in its two largest units: `12s`, `3m12s`, `2d4h`. What lies ahead, by clocks that differ, is `0s` ago.
pub(crate) fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match () {
        () if days > 0 => two(days, "d", hours % 24, "h"),
        () if hours > 0 => two(hours, "h", minutes % 60, "m"),
        () if minutes > 0 => two(minutes, "m", seconds % 60, "s"),
        () => format!("{seconds}s"),
    }
}

fn two(large: i64, unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{small_unit}") }
}

/// A duration as the configuration writes it: `500ms`, `2s`, `1.5s`, `1m30s`.
pub(crate) fn interval(seconds: f64) -> String {
    if seconds < 1.0 {
        return format!("{}ms", round(seconds * 1000.0));
    }
    if seconds < 60.0 {
        return format!("{}s", round(seconds));
    }
    #[expect(clippy::cast_possible_truncation, reason = "floats saturate, and age takes whole seconds")]
    age(seconds.round() as i64)
}

/// How long something took: `0.41 ms`, `12.3 ms`, `1.25 s`.
pub(crate) fn took(seconds: f64) -> String {
    let ms = seconds * 1000.0;
    match () {
        () if ms < 10.0 => format!("{ms:.2} ms"),
        () if ms < 100.0 => format!("{ms:.1} ms"),
        () if ms < 1000.0 => format!("{ms:.0} ms"),
        () => format!("{seconds:.2} s"),
    }
}

/// A share: `12.5 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A count with its thousands apart: `1 234 567`, as ISO 80000 writes it.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A number of packets: in full up to a million, then in thousands and more: `12.35 M`.
pub(crate) fn packets(number: u64) -> String {
    if number < 1_000_000 { count(number) } else { scaled(number, 2) }
}

/// An amount of data in decimal units: `512 B`, `1.8 MB`.
pub(crate) fn bytes(number: u64) -> String {
    if number < 1000 { format!("{number} B") } else { format!("{}B", scaled(number, 1)) }
}

/// A number from a thousand up with a decimal prefix, to some digits behind the point.
fn scaled(number: u64, digits: usize) -> String {
    const PREFIXES: [&str; 6] = ["k", "M", "G", "T", "P", "E"];
    #[expect(clippy::cast_precision_loss, reason = "few digits are shown")]
    let mut amount = number as f64 / 1000.0;
    let mut prefix = 0;
    // What would be shown as 1000.0 of one is 1.0 of the next.
    while amount >= 999.95 && prefix + 1 < PREFIXES.len() {
        amount /= 1000.0;
        prefix += 1;
    }
    format!("{amount:.digits$} {}", PREFIXES[prefix])
}

/// At most three digits behind the point, and none that are zero.
fn round(number: f64) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(text, "{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Where a VIP serves: `203.0.113.1 tcp/80`, `2001:db8::/64 any`. The length of a single address says nothing.
pub(crate) fn serves(prefix: &str, protocol: Option<&str>, port: Option<u32>) -> String {
    let single = if prefix.contains(':') { "/128" } else { "/32" };
    let address = prefix.strip_suffix(single).unwrap_or(prefix);
    match (protocol, port) {
        (Some(protocol), Some(port)) => format!("{address} {protocol}/{port}"),
        (Some(protocol), None) => format!("{address} {protocol}"),
        (None, Some(port)) => format!("{address} port {port}"),
        (None, None) => format!("{address} any"),
    }
}
