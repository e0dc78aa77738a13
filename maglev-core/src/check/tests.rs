use std::net::IpAddr;
use std::time::Duration;

use super::{
    BodyPattern, HealthCheck, HttpSpec, InvalidStatusSet, Pace, ProbeSpec, StatusSet, Thresholds, TlsSpec,
};

fn parse(text: &str) -> Result<StatusSet, InvalidStatusSet> {
    text.parse()
}

#[test]
fn status_sets_are_codes_ranges_and_lists_of_them() {
    for (text, good, bad) in [
        ("200", vec![200], vec![199, 201]),
        ("200-204", vec![200, 202, 204], vec![199, 205]),
        ("200-204,301", vec![200, 204, 301], vec![205, 300, 302]),
        ("100-599", vec![100, 599], vec![99, 600]),
    ] {
        let set = parse(text).unwrap();
        assert_eq!(set.to_string(), text);
        assert!(good.iter().all(|&status| set.contains(status)), "{text}");
        assert!(!bad.iter().any(|&status| set.contains(status)), "{text}");
    }
    assert_eq!(parse(" 200 - 204 , 301 ").unwrap(), parse("200-204,301").unwrap());
    assert_eq!(StatusSet::default(), parse("200-399").unwrap());
}

#[test]
fn what_is_not_a_status_set_is_named() {
    for text in ["", "ok", "200,", "-200", "200-", "200-204-208", "70000"] {
        assert!(matches!(parse(text), Err(InvalidStatusSet::Syntax(_))), "{text:?}");
    }
    for text in ["99", "600", "200-600", "0"] {
        assert!(matches!(parse(text), Err(InvalidStatusSet::OutOfRange(_))), "{text:?}");
    }
    assert_eq!(parse("204-200"), Err(InvalidStatusSet::Reversed(204, 200)));
}

#[test]
fn a_body_pattern_is_found_anywhere_in_any_bytes() {
    let pattern: BodyPattern = "o+k".parse().unwrap();
    assert!(pattern.is_match(b"\xff\x00 it is ook \xfe"));
    assert!(!pattern.is_match(b"OK"));
    assert!("(".parse::<BodyPattern>().is_err());
}

#[test]
fn a_body_pattern_cannot_ask_for_gigabytes() {
    assert!("(a{999}){999}".parse::<BodyPattern>().is_err());
}

fn check(probe: ProbeSpec) -> HealthCheck {
    let second = Duration::from_secs(1);
    HealthCheck {
        name: "web".parse().unwrap(),
        probe,
        pace: Pace { interval: second, fast_interval: second, down_interval: second, timeout: second },
        thresholds: Thresholds { rise: 2, fall: 3 },
        source_v4: None,
        source_v6: None,
        unprobeable: crate::check::WhenUnprobeable::Hold,
    }
}

fn http(port: u16, tls: bool, body: Option<&str>) -> ProbeSpec {
    ProbeSpec::Http {
        port,
        tls: tls.then_some(TlsSpec { server_name: None, verify: true, ca_file: None, client: None }),
        request: HttpSpec {
            path: "/".to_owned(),
            host: None,
            method: "GET".to_owned(),
            status: StatusSet::default(),
            body: body.map(|pattern| pattern.parse().unwrap()),
        },
    }
}

#[test]
fn only_the_question_decides_whether_an_answer_still_holds() {
    let web = check(http(80, false, Some("ok")));
    let slower = Pace { interval: Duration::from_secs(9), ..web.pace };
    let same = HealthCheck {
        name: "other".parse().unwrap(),
        pace: slower,
        thresholds: Thresholds { rise: 1, fall: 1 },
        ..check(http(80, false, Some("ok")))
    };
    assert!(web.asks_the_same_as(&same));
    for other in [
        check(http(81, false, Some("ok"))),
        check(http(80, true, Some("ok"))),
        check(http(80, false, Some("fine"))),
        check(http(80, false, None)),
        check(ProbeSpec::Icmp),
        HealthCheck { source_v4: Some([192, 0, 2, 1].into()), ..web.clone() },
        HealthCheck { source_v6: Some("2001:db8::1".parse().unwrap()), ..web.clone() },
    ] {
        assert!(!web.asks_the_same_as(&other), "{other:?}");
    }
}

#[test]
fn the_source_is_of_the_family_of_the_backend() {
    let check = HealthCheck {
        source_v4: Some([192, 0, 2, 1].into()),
        source_v6: Some("2001:db8::1".parse().unwrap()),
        ..check(ProbeSpec::Icmp)
    };
    let source = |address: &str| check.source_for(address.parse::<IpAddr>().unwrap()).unwrap().to_string();
    assert_eq!(source("198.51.100.7"), "192.0.2.1");
    assert_eq!(source("2001:db8::7"), "2001:db8::1");
}

#[test]
fn kinds_and_ports_are_as_in_the_configuration() {
    let tcp = ProbeSpec::Tcp { port: 25, tls: None };
    for (probe, kind, port) in [
        (ProbeSpec::Icmp, "icmp", None),
        (tcp, "tcp", Some(25)),
        (http(80, false, None), "http", Some(80)),
        (http(443, true, None), "https", Some(443)),
    ] {
        assert_eq!((probe.kind(), probe.port()), (kind, port));
    }
}
