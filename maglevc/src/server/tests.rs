use crate::server::Server;

#[test]
fn addresses_are_understood_as_operators_write_them() {
    for (text, shown, uri) in [
        ("lb1:9090", "lb1:9090", "http://lb1:9090"),
        ("lb1.example.org", "lb1.example.org:9090", "http://lb1.example.org:9090"),
        ("192.0.2.1:80", "192.0.2.1:80", "http://192.0.2.1:80"),
        (":9191", "localhost:9191", "http://localhost:9191"),
        ("[::1]:9090", "[::1]:9090", "http://[::1]:9090"),
        ("[2001:db8::1]", "[2001:db8::1]:9090", "http://[2001:db8::1]:9090"),
        ("unix:/run/maglevd.sock", "unix:/run/maglevd.sock", "unix:/run/maglevd.sock"),
        ("unix:///run/maglevd.sock", "unix:/run/maglevd.sock", "unix:/run/maglevd.sock"),
    ] {
        let server: Server = text.parse().unwrap();
        assert_eq!((server.to_string().as_str(), server.uri().as_str()), (shown, uri), "{text}");
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
        "http://lb1:9090",
        "lb1/x:9090",
        "user@lb1:9090",
        "l b:9090",
    ] {
        let error = text.parse::<Server>().unwrap_err().to_string();
        assert!(error.contains("host:port, [v6]:port, :port or unix:/path"), "{text}: {error}");
    }
}
