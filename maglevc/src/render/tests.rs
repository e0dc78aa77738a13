use jiff::Timestamp;
use jiff::tz::TimeZone;
use maglev_api::v1;

use crate::render::table::{Column, Table, shorten};
use crate::render::units::{age, bytes, count, interval, packets, percent, serves, took};
use crate::render::{Page, Span, Text};
use crate::view::backend::Backend;

#[test]
fn ages_have_two_units() {
    for (seconds, text) in [
        (-5, "0s"),
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (192, "3m12s"),
        (3599, "59m59s"),
        (3600, "1h"),
        (7500, "2h5m"),
        (187_200, "2d4h"),
        (400 * 86400 + 3599, "400d"),
    ] {
        assert_eq!(age(seconds), text, "{seconds}");
    }
    assert!(age(i64::MAX).ends_with('h'));
}

#[test]
fn quantities_have_units() {
    for (seconds, text) in
        [(0.25, "250ms"), (0.0005, "0.5ms"), (1.0, "1s"), (1.5, "1.5s"), (59.9, "59.9s"), (90.0, "1m30s")]
    {
        assert_eq!(interval(seconds), text);
    }
    for (seconds, text) in [(0.00041, "0.41 ms"), (0.0123, "12.3 ms"), (0.5, "500 ms"), (1.247, "1.25 s")] {
        assert_eq!(took(seconds), text);
    }
    for (number, text) in
        [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_960, "1.0 MB"), (u64::MAX, "18.4 EB")]
    {
        assert_eq!(bytes(number), text);
    }
    for (number, text) in [(7, "7"), (1234, "1 234"), (999_999, "999 999"), (12_345_678, "12.35 M")] {
        assert_eq!(packets(number), text);
    }
    assert_eq!(count(1_234_567), "1 234 567");
    assert_eq!(percent(0.125), "12.5 %");
    for nonsense in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        let _ = (interval(nonsense), took(nonsense), percent(nonsense));
    }
}

#[test]
fn a_vip_is_shown_without_what_says_nothing() {
    assert_eq!(serves("203.0.113.1/32", Some("tcp"), Some(80)), "203.0.113.1 tcp/80");
    assert_eq!(serves("203.0.113.0/24", Some("udp"), Some(53)), "203.0.113.0/24 udp/53");
    assert_eq!(serves("2001:db8::1/128", None, None), "2001:db8::1 any");
    assert_eq!(serves("2001:db8::/32", None, None), "2001:db8::/32 any");
}

#[test]
fn long_names_lose_their_middle() {
    assert_eq!(shorten("backend-frankfurt-prod-17", 25), "backend-frankfurt-prod-17");
    assert_eq!(shorten("backend-frankfurt-prod-17", 15), "backend…prod-17");
    assert_eq!(shorten("日本語の名前です", 9), "日本…です");
    assert_eq!(shorten("abc", 1), "…");
    assert_eq!(shorten("abc", 0), "…");
}

#[test]
fn no_value_is_too_strange_to_be_shown() {
    let far = |seconds| Some(prost_types::Timestamp { seconds, nanos: i32::MIN });
    let long = |seconds| Some(prost_types::Duration { seconds, nanos: i32::MAX });
    for (number, seconds) in [(0, i64::MIN), (1, 0), (u32::MAX, i64::MAX)] {
        let transition = v1::Transition { from: -1, to: 99, at: far(seconds), ..Default::default() };
        let membership = v1::Membership {
            effective_weight: number,
            weight_override: Some(number),
            reason: -7,
            ..Default::default()
        };
        let probe = v1::ProbeResult { total: long(seconds), at: far(seconds), ..Default::default() };
        let backend = Backend::from(v1::Backend {
            state: -1,
            since: far(seconds),
            health_check: "web".into(),
            health: number,
            rise: number,
            fall: number,
            last_probe: Some(probe),
            next_probe_at: far(seconds),
            intent: Some(v1::Intent { kind: 17, attribution: None }),
            transitions: vec![transition],
            memberships: vec![membership],
            ..Default::default()
        });
        serde_json::to_string(&backend).unwrap();
        for width in [0, 1, 20, 80] {
            let mut page = Page::new(width, Timestamp::UNIX_EPOCH, TimeZone::UTC);
            backend.text(&mut page);
            vec![backend.clone()].text(&mut page);
            assert!(page.finish(true).contains("unspecified"));
        }
    }
}

fn put(width: usize, table: &Table) -> String {
    let mut page = Page::new(width, Timestamp::UNIX_EPOCH, TimeZone::UTC);
    table.put(&mut page);
    page.finish(false)
}

#[test]
fn tables_keep_their_columns_at_any_width() {
    let mut table = Table::new([
        Column::Name("NAME"),
        Column::Number("N"),
        Column::Fixed("NEVER"),
        Column::Address("ADDRESS"),
        Column::Prose("WHY"),
    ]);
    for (name, number, address, why) in [
        ("backend-frankfurt-prod-17", "1", "192.0.2.1", "because it is so, and was so before"),
        ("日本語", "100", "2001:db8:85a3:8d3:1319:8a2e:370:7348", "日本語の名前です"),
    ] {
        let cells = [name, number, "", address, why];
        table.row(cells.map(Span::plain));
    }
    let at = |width| format!("at {width}:\n{}", put(width, &table));
    insta::assert_snapshot!([200, 100, 80, 60].map(at).concat());
    // Too narrow for anything: nothing is lost but the looks.
    for width in 0..60 {
        assert!(put(width, &table).lines().count() >= 3, "{width}");
    }
}
