//! Pure. What is said of health checks.

use super::entry::{Chapter, Entry, needed, or, otherwise};
use crate::config::keys;

const INTERVAL: Entry = or(
    "interval",
    "duration",
    "2s",
    "From one probe of a backend at full health to the next. Every interval varies by ±10 %.",
)
.unit("written with it")
.range("10ms to 1h", &["interval: 10ms", "interval: 1h"])
.example("interval: 1.5s")
.wrong(&["interval: 5", "interval: 1ms", "interval: 2 s"]);

pub(super) static CHECK: Chapter = Chapter {
    path: "maglev.healthchecks.<name>",
    keys: &keys::CHECK,
    says: "A way to probe a backend. [health.md](health.md) explains what becomes of the answers. A reload that changes a check \
           keeps the last verdict until the new check has one, so that a mistake in a path drains nothing at its first answer.",
    entries: &[
        needed("type", "text", "What to send. A program that embeds maglevd's libraries may know more.")
            .range("`icmp`, `tcp`, `http`, `https`", &["type: https"])
            .example("type: http")
            .wrong(&["type: htpp", "type: dns"]),
        needed("port", "number", "Where to send it. Not needed for icmp, and of no effect there.")
            .range("1 to 65535", &["port: 1", "port: 65535"])
            .example("port: 8080")
            .wrong(&["port: 0", "port: http", "port: \"80\""]),
        INTERVAL,
        Entry { key: "fast-interval", ..otherwise("", "duration", "`interval`", "The same while the health is unknown, or between up and down. Shorter than `interval`, it finds a failure sooner and costs nothing while all is well.") }
            .unit("written with it")
            .range("10ms to 1h", &["fast-interval: 10ms", "fast-interval: 1h"])
            .example("fast-interval: 500ms")
            .wrong(&["fast-interval: 2x", "fast-interval: 2h"]),
        Entry { key: "down-interval", ..otherwise("", "duration", "`interval`", "The same while a backend is fully down.") }
            .unit("written with it")
            .range("10ms to 1h", &["down-interval: 10ms", "down-interval: 1h"])
            .example("down-interval: 30s")
            .wrong(&["down-interval: never", "down-interval: 0"]),
        or("timeout", "duration", "2s", "For the whole probe: connection, TLS session and answer. Keep it below `interval`.")
            .unit("written with it")
            .range("1ms to 10m", &["timeout: 1ms", "timeout: 10m"])
            .example("timeout: 1s")
            .wrong(&["timeout: 0", "timeout: 1"]),
        or("rise", "number", "2", "Passes until a backend that is fully down is up.")
            .unit("passes")
            .range("1 to 1000", &["rise: 1", "rise: 1000"])
            .example("rise: 3")
            .wrong(&["rise: 0", "rise: 2s"]),
        or("fall", "number", "3", "Failures until a backend at full health is down.")
            .unit("failures")
            .range("1 to 1000", &["fall: 1", "fall: 1000"])
            .example("fall: 2")
            .wrong(&["fall: 1001", "fall: 03"]),
        otherwise("probe-ipv4-src", "IPv4 address", "the kernel's choice", "Source of probes to IPv4 backends: an address of the machine, in the namespace that probes are sent from. One that is not there makes every probe a `SOCKERR`.")
            .example("probe-ipv4-src: 192.0.2.10")
            .wrong(&["probe-ipv4-src: 2001:db8::10", "probe-ipv4-src: eth0"]),
        otherwise("probe-ipv6-src", "IPv6 address", "the kernel's choice", "Source of probes to IPv6 backends.")
            .example("probe-ipv6-src: 2001:db8::10")
            .wrong(&["probe-ipv6-src: 192.0.2.10", "probe-ipv6-src: fe80::1"]),
        or("unprobeable", "word", "hold", "What becomes of a backend whose probes cannot be made, for a reason on this host (`SOCKERR`): with `hold` it keeps the state it has, with `down` such a probe counts as a failure. Take `down` where the loss of a route means the loss of the server, such as for servers that announce their own addresses.")
            .range("`hold` or `down`", &["unprobeable: hold"])
            .example("unprobeable: down")
            .wrong(&["unprobeable: up", "unprobeable: true"]),
        otherwise("params", "section", "all defaults", "What else the type wants to know.")
            .example("params: {path: /healthz}")
            .wrong(&["params: /healthz", "params: {paht: /healthz}"]),
    ],
    around: "maglev:\n  healthchecks:\n    web:\n      @\n",
    base: &["type: http", "port: 80"],
    rules: &[],
    example: "maglev:\n  healthchecks:\n    alive: {type: icmp, interval: 5s}\n    db:\n      type: tcp\n      port: 5432\n      interval: 1.5s\n      fast-interval: 500ms\n      down-interval: 30s\n      timeout: 1s\n      rise: 3\n      fall: 2\n      probe-ipv4-src: 192.0.2.10\n",
};

const HTTP: &[&str] = &["http", "https"];
const TLS: &[&str] = &["https", "tcp"];

pub(super) static PARAMS: Chapter = Chapter {
    path: "maglev.healthchecks.<name>.params",
    keys: &keys::ANY_PARAMS,
    says: "A check of type icmp has none.",
    entries: &[
        or("path", "text", "/", "The request target.")
            .of(HTTP)
            .range("begins with `/`, in printable ASCII, without `#`, `<`, `>`, `\"` and the backtick, at most 8000 bytes", &["path: /a?b=c"])
            .example("path: /healthz")
            .wrong(&["path: healthz", "path: /a b", "path: '/#top'", "path: /?q=<x>", "path: /größe"]),
        otherwise("host", "text", "the backend's address", "The Host header.")
            .of(HTTP)
            .range("a name or an address, perhaps with a port", &["host: example.org:8080", "host: '[2001:db8::1]:80'"])
            .example("host: example.org")
            .wrong(&["host: http://example.org", "host: example.org:0", "host: 256.1.1.1"]),
        or("method", "text", "GET", "The request method.")
            .of(HTTP)
            .range("a token in capital letters, not CONNECT", &["method: OPTIONS"])
            .example("method: HEAD")
            .wrong(&["method: get", "method: CONNECT", "method: HEAD\nresponse-regexp: ok"]),
        or("response-code", "number, text or list", "200-399", "The status codes that are good: one, a range, several with commas, or a list of these. Redirections are not followed.")
            .of(HTTP)
            .unit("HTTP status codes")
            .range("each 100 to 599, and one of them 200 or more", &["response-code: 200", "response-code: 100-599", "response-code: '200,301-302'"])
            .example("response-code: [200-204, 301]")
            .wrong(&["response-code: 2xx", "response-code: 204-200", "response-code: []", "response-code: 600", "response-code: 100-199"]),
        otherwise("response-regexp", "text", "none: any body is good", "What must be found in the body, which is searched once, when it has ended (by its length, its last chunk or a close) or 64 KiB of it are there; `^` and `$` stand for these ends. A body that does not end within the timeout is `L7TOUT`, whatever is in it so far.")
            .of(HTTP)
            .range("a regular expression of RE2's syntax", &["response-regexp: '(?i)ready'"])
            .example("response-regexp: '^ok'")
            .wrong(&["response-regexp: '('", "response-regexp: '(?=ok)'", "response-code: 204\nresponse-regexp: ok"]),
        or("tls", "boolean", "false", "Set up a TLS session on the connection, and close it.")
            .of(&["tcp"])
            .example("tls: true")
            .wrong(&["tls: maybe"]),
        otherwise("server-name", "text", "`host`, else the address", "The name sent (SNI) and verified. With tcp it needs `tls: true`.")
            .of(TLS)
            .range("a name without a port, or an address", &["server-name: 192.0.2.11"])
            .example("server-name: mail.example.org")
            .wrong(&["server-name: example.org:443", "server-name: web.123"]),
        or("insecure-skip-verify", "boolean", "false", "Take any certificate: an expired one, another server's, one of X.509 version 1, with a short key, signed with SHA-1, with extensions that nobody knows. Nothing is proved about the server then, not even that it has the key of the certificate it shows. With tcp it needs `tls: true`.")
            .of(TLS)
            .example("insecure-skip-verify: true")
            .wrong(&["insecure-skip-verify: \"true\""]),
        otherwise("ca-file", "text", "the system's authorities", "PEM file of the authorities to trust. It is read again when it changes. With tcp it needs `tls: true`.")
            .of(TLS)
            .range("an absolute path", &[])
            .example("ca-file: /etc/ssl/private-ca.pem")
            .wrong(&["ca-file: private-ca.pem"]),
        otherwise("client-cert", "text", "none is shown", "PEM file of the certificate to show to servers that ask for one, followed by those between it and its authority. It is read again when it changes. It needs `client-key`, and with tcp `tls: true`.")
            .of(TLS)
            .range("an absolute path", &[])
            .example("client-cert: /etc/ssl/probe.pem\nclient-key: /etc/ssl/probe.key")
            .wrong(&["client-cert: /etc/ssl/probe.pem"]),
        otherwise("client-key", "text", "none", "PEM file of the key of `client-cert`, without a passphrase.")
            .of(TLS)
            .range("an absolute path", &[])
            .example("client-key: /etc/ssl/probe.key\nclient-cert: /etc/ssl/probe.pem")
            .wrong(&["client-key: /etc/ssl/probe.key", "client-cert: /etc/ssl/probe.pem\nclient-key: probe.key"]),
    ],
    around: "maglev:\n  healthchecks:\n    web:\n      type: TYPE\n      port: 80\n      params:\n        @\n",
    base: &[],
    rules: &[],
    example: "maglev:\n  healthchecks:\n    web:\n      type: https\n      port: 443\n      timeout: 1s\n      params:\n        path: /healthz\n        host: example.org\n        response-code: [200-204, 301]\n        response-regexp: '^ok'\n        ca-file: /etc/ssl/private-ca.pem\n    mail: {type: tcp, port: 993, timeout: 1s, params: {tls: true, server-name: mail.example.org}}\n",
};
