use crate::server::Server;

#[test]
fn addresses_are_understood_as_operators_write_them() {
    for (text, shown) in [
        ("lb1:9090", "lb1:9090"),
        ("lb1.example.org", "lb1.example.org:9090"),
        ("192.0.2.1:80", "192.0.2.1:80"),
        (":9191", "localhost:9191"),
        ("[::1]:9090", "[::1]:9090"),
        ("[2001:db8::1]", "[2001:db8::1]:9090"),
        ("unix:/run/maglevd.sock", "unix:/run/maglevd.sock"),
        ("unix:///run/maglevd.sock", "unix:/run/maglevd.sock"),
        ("https://lb1", "https://lb1:9090"),
        ("https://[2001:db8::1]:443", "https://[2001:db8::1]:443"),
        ("http://lb1:9090", "lb1:9090"),
    ] {
        let server: Server = text.parse().unwrap();
        assert_eq!(server.to_string(), shown, "{text}");
    }
}

#[test]
fn what_is_on_this_machine_is_known_by_its_address() {
    for (text, here) in [
        ("localhost", true),
        (":9090", true),
        ("127.0.0.2:9090", true),
        ("[::1]", true),
        ("[::ffff:127.0.0.1]", true),
        ("unix:/run/maglevd.sock", true),
        ("localhost.example.org", false),
        ("192.0.2.1", false),
        ("lb1", false),
    ] {
        assert_eq!(text.parse::<Server>().unwrap().is_here(), here, "{text}");
    }
}

#[test]
fn what_is_no_address_is_refused_with_what_to_write() {
    for text in [
        "",
        ":",
        "lb1:",
        "lb1:0",
        "lb1:70000",
        "::1",
        "::1:9090",
        "[::1",
        "[::1]9090",
        "[lb1]:9090",
        "unix:",
        "tls://lb1:9090",
        "https://",
        "https://unix:/run/maglevd.sock",
        "https://lb1:9090/",
        "lb1/x:9090",
        "user@lb1:9090",
        "l b:9090",
    ] {
        let error = text.parse::<Server>().unwrap_err().to_string();
        assert!(error.contains("host:port, [v6]:port, :port or unix:/path"), "{text}: {error}");
    }
}
