use maglev_core::check::{HttpSpec, StatusSet};
use maglev_core::outcome::Code;

use super::build;

fn spec() -> HttpSpec {
    HttpSpec { path: "/".into(), host: None, method: "GET".into(), status: StatusSet::default(), body: None }
}

fn text(spec: &HttpSpec, address: &str, port: u16, secure: bool) -> String {
    String::from_utf8(build(spec, address.parse().unwrap(), port, secure, "x").unwrap()).unwrap()
}

fn host(address: &str, port: u16, secure: bool) -> String {
    let request = text(&spec(), address, port, secure);
    let host = request.lines().find_map(|line| line.strip_prefix("Host: "));
    host.unwrap().to_owned()
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
    for path in ["/", "/healthz?full=1&x=%20", "//double", "/a:b", "/http://x", "/a|b[0]{1}^\\'"] {
        let spec = HttpSpec { path: path.into(), ..spec() };
        let first = format!("GET {path} HTTP/1.1\r\n");
        assert!(text(&spec, "192.0.2.1", 80, false).starts_with(&first), "{path}");
    }
}

#[test]
fn methods_that_usually_have_a_body_say_that_it_is_empty() {
    for (method, length) in [
        ("GET", false),
        ("HEAD", false),
        ("OPTIONS", false),
        ("DELETE", false),
        ("POST", true),
        ("PUT", true),
        ("PATCH", true),
    ] {
        let request = text(&HttpSpec { method: method.into(), ..spec() }, "192.0.2.1", 80, false);
        let end = "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(request.ends_with(end), length, "{request}");
    }
}

#[test]
fn what_cannot_be_sent_is_our_fault() {
    for (spec, agent, what) in [
        (HttpSpec { path: "no-slash".into(), ..spec() }, "x", "path \"no-slash\""),
        (HttpSpec { path: "/a b".into(), ..spec() }, "x", "path \"/a b\""),
        (HttpSpec { path: "/a<b".into(), ..spec() }, "x", "path \"/a<b\""),
        (HttpSpec { path: "/é".into(), ..spec() }, "x", "path \"/é\""),
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
