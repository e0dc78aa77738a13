use std::time::Duration;

use super::*;
use crate::check::{Pace, Thresholds};

const ADDRESS: &str = "192.0.2.10";

fn check() -> HealthCheck {
    let second = Duration::from_secs(1);
    HealthCheck {
        name: "web".parse().unwrap(),
        probe: ProbeSpec::Http {
            port: 443,
            tls: Some(TlsSpec {
                server_name: Some("example.org".to_owned()),
                verify: true,
                ca_file: None,
                client: None,
            }),
            request: HttpSpec {
                path: "/healthz".to_owned(),
                host: None,
                method: "GET".to_owned(),
                status: "200-204".parse().unwrap(),
                body: Some("ok \"fine\"\n".parse().unwrap()),
            },
        },
        pace: Pace { interval: second, fast_interval: second, down_interval: second, timeout: second },
        thresholds: Thresholds { rise: 2, fall: 3 },
        source_v4: Some([192, 0, 2, 1].into()),
        source_v6: None,
        unprobeable: crate::check::WhenUnprobeable::Hold,
    }
}

fn of(check: &HealthCheck) -> Fingerprint {
    Fingerprint::of(ADDRESS.parse().unwrap(), None, check)
}

/// Whoever changes this makes every backend unknown with the first start of the new version.
#[test]
fn it_is_the_same_for_ever() {
    let text = "address=\"192.0.2.10\"\nsource=\"192.0.2.1\"\nrise=\"2\"\nfall=\"3\"\ntype=\"https\"\nport=\"443\"\n\
                tls-server-name=\"example.org\"\ntls-verify=\"true\"\nhttp-path=\"/healthz\"\nhttp-method=\"GET\"\n\
                http-status=\"200-204\"\nhttp-body=\"ok \\\"fine\\\"\\n\"\n";
    assert_eq!(question(ADDRESS.parse().unwrap(), None, &check()), text);
    assert_eq!(of(&check()).to_string(), "f7e6381663a63040");
}

#[test]
fn another_question_has_another_one() {
    let change = |change: fn(&mut HealthCheck)| {
        let mut check = check();
        change(&mut check);
        of(&check)
    };
    let request = |change: fn(&mut HttpSpec)| {
        let mut check = check();
        if let ProbeSpec::Http { request, .. } = &mut check.probe {
            change(request);
        }
        of(&check)
    };
    let all = [
        of(&check()),
        Fingerprint::of("192.0.2.11".parse().unwrap(), None, &check()),
        Fingerprint::of(ADDRESS.parse().unwrap(), Some("dataplane"), &check()),
        change(|check| check.source_v4 = None),
        change(|check| check.thresholds.rise = 3),
        change(|check| check.thresholds.fall = 2),
        change(|check| check.probe = ProbeSpec::Icmp),
        change(|check| check.probe = ProbeSpec::Tcp { port: 443, tls: None }),
        request(|request| request.path.push('/')),
        request(|request| request.host = Some("example.org".to_owned())),
        request(|request| request.method = "HEAD".to_owned()),
        request(|request| request.status = "200".parse().unwrap()),
        request(|request| request.body = None),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(!all[..index].contains(one), "number {index} is that of an earlier one");
    }
}

#[test]
fn the_same_question_asked_another_way_has_the_same_one() {
    let mut other = check();
    other.name = "other".parse().unwrap();
    other.pace.interval *= 2;
    other.pace.timeout *= 2;
    // Nobody asks an IPv4 address from there.
    other.source_v6 = Some("2001:db8::1".parse().unwrap());
    assert_eq!(of(&other), of(&check()));
}

#[test]
fn what_is_no_fingerprint_is_refused() {
    for text in ["", "ff", "+000000000000000", "00000000000000fg", "00000000000000000"] {
        assert_eq!(text.parse::<Fingerprint>(), Err(InvalidFingerprint), "{text:?}");
    }
}
