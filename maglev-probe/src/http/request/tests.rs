use maglev_core::check::{HttpSpec, StatusSet};
use maglev_core::outcome::Code;

use super::build;

fn spec() -> HttpSpec {
    HttpSpec { path: "/".into(), host: None, method: "GET".into(), status: StatusSet::default(), body: None }
}

fn host(address: &str, port: u16, secure: bool) -> String {
    let request = build(&spec(), address.parse().unwrap(), port, secure, "x").unwrap();
    request.headers()["host"].to_str().unwrap().to_owned()
}

#[test]
fn the_host_is_the_address_with_a_port_that_is_not_the_schemes_own() {
    assert_eq!(host("192.0.2.1", 80, false), "192.0.2.1");
    assert_eq!(host("192.0.2.1", 443, true), "192.0.2.1");
    assert_eq!(host("192.0.2.1", 443, false), "192.0.2.1:443");
    assert_eq!(host("192.0.2.1", 80, true), "192.0.2.1:80");
    assert_eq!(host("2001:db8::1", 80, false), "[2001:db8::1]");
    assert_eq!(host("2001:db8::1", 8080, false), "[2001:db8::1]:8080");
}

#[test]
fn paths_stay_as_they_are() {
    for path in ["/", "/healthz?full=1&x=%20", "//double", "/a:b", "/http://x"] {
        let spec = HttpSpec { path: path.into(), ..spec() };
        let request = build(&spec, "192.0.2.1".parse().unwrap(), 80, false, "x").unwrap();
        assert_eq!(request.uri().to_string(), path);
    }
}

#[test]
fn what_cannot_be_sent_is_our_fault() {
    for (spec, agent, what) in [
        (HttpSpec { path: "no-slash".into(), ..spec() }, "x", "path \"no-slash\""),
        (HttpSpec { path: "/a b".into(), ..spec() }, "x", "path \"/a b\""),
        (HttpSpec { path: "/\r\nX: y".into(), ..spec() }, "x", "path \"/\\r\\nX: y\""),
        (HttpSpec { host: Some("a\r\nX: y".into()), ..spec() }, "x", "host \"a\\r\\nX: y\""),
        (HttpSpec { method: "GET /".into(), ..spec() }, "x", "method \"GET /\""),
        (spec(), "a\nb", "user agent \"a\\nb\""),
    ] {
        let finding = build(&spec, "192.0.2.1".parse().unwrap(), 80, false, agent).unwrap_err();
        assert_eq!(finding.code, Code::SockErr);
        assert_eq!(finding.detail, format!("the {what} cannot be sent in an HTTP request"));
    }
}
