//! Pure. Every key of the configuration and of the access file, section by section.
//!
//! The sections are read in `raw.rs`, `probe.rs` and `access.rs`. Each key of the configuration is explained in
//! `tests/reference`, which `docs/config.md` and `maglev.yaml(5)` are made from, and each of the access file in
//! `docs/security.md`; a key without an explanation fails a test.

/// A section: a mapping with known keys.
#[derive(Debug)]
pub(super) struct Keys {
    /// What it is called in messages.
    pub(super) title: &'static str,
    /// Its keys.
    pub(super) keys: &'static [&'static str],
    /// How one is written.
    pub(super) example: &'static str,
}

/// Keys of the configuration whose empty text is as absent: texts, words and times.
pub(super) static EMPTY_IS_ABSENT: [&str; 26] = [
    "netns",
    "ipv4-src-address",
    "ipv6-src-address",
    "sync-interval",
    "flow-timeout",
    "startup-min-delay",
    "startup-max-delay",
    "ownership",
    "weight-scaling",
    "type",
    "interval",
    "fast-interval",
    "down-interval",
    "timeout",
    "probe-ipv4-src",
    "probe-ipv6-src",
    "path",
    "host",
    "method",
    "response-code",
    "response-regexp",
    "server-name",
    "ca-file",
    "healthcheck",
    "protocol",
    "address",
];

/// The whole file.
pub(super) static FILE: Keys =
    Keys { title: "the file", keys: &["maglev"], example: "`maglev:` and all else indented below it" };

/// `maglev`.
pub(super) static MAGLEV: Keys = Keys {
    title: "`maglev`",
    keys: &["healthchecker", "vpp", "healthchecks", "backends", "frontends"],
    example: "`backends:` and the other sections indented below it",
};

/// `maglev.healthchecker`.
pub(super) static HEALTHCHECKER: Keys = Keys {
    title: "`healthchecker`",
    keys: &["transition-history", "netns"],
    example: "`healthchecker: {netns: dataplane}`",
};

/// `maglev.vpp`.
pub(super) static VPP: Keys =
    Keys { title: "`vpp`", keys: &["lb"], example: "`vpp: {lb: {sync-interval: 30s}}`" };

/// `maglev.vpp.lb`.
pub(super) static LB: Keys = Keys {
    title: "`vpp.lb`",
    keys: &[
        "ipv4-src-address",
        "ipv6-src-address",
        "sync-interval",
        "sticky-buckets-per-core",
        "flow-timeout",
        "startup-min-delay",
        "startup-max-delay",
        "ownership",
        "weight-scaling",
    ],
    example: "`lb: {sync-interval: 30s}`",
};

/// `maglev.healthchecks.<name>`.
pub(super) static CHECK: Keys = Keys {
    title: "a health check",
    keys: &[
        "type",
        "port",
        "interval",
        "fast-interval",
        "down-interval",
        "timeout",
        "rise",
        "fall",
        "probe-ipv4-src",
        "probe-ipv6-src",
        "unprobeable",
        "params",
    ],
    example: "`web: {type: http, port: 80}`",
};

/// `maglev.healthchecks.<name>.params` of type icmp.
pub(super) static ICMP_PARAMS: Keys =
    Keys { title: "the params of an icmp check", keys: &[], example: "no `params` at all" };

/// `maglev.healthchecks.<name>.params` of type tcp.
pub(super) static TCP_PARAMS: Keys = Keys {
    title: "the params of a tcp check",
    keys: &["tls", "server-name", "insecure-skip-verify", "ca-file", "client-cert", "client-key"],
    example: "`params: {tls: true}`",
};

/// `maglev.healthchecks.<name>.params` of type http.
pub(super) static HTTP_PARAMS: Keys = Keys {
    title: "the params of an http check",
    keys: &["path", "host", "method", "response-code", "response-regexp"],
    example: "`params: {path: /healthz}`",
};

/// `maglev.healthchecks.<name>.params` of type https.
pub(super) static HTTPS_PARAMS: Keys = Keys {
    title: "the params of an https check",
    keys: &[
        "path",
        "host",
        "method",
        "response-code",
        "response-regexp",
        "server-name",
        "insecure-skip-verify",
        "ca-file",
        "client-cert",
        "client-key",
    ],
    example: "`params: {path: /healthz}`",
};

/// What any check's params may hold, for a check whose type is not known.
pub(super) static ANY_PARAMS: Keys = Keys {
    title: "the params of a check",
    keys: &[
        "path",
        "host",
        "method",
        "response-code",
        "response-regexp",
        "tls",
        "server-name",
        "insecure-skip-verify",
        "ca-file",
        "client-cert",
        "client-key",
    ],
    example: "`params: {path: /healthz}`",
};

/// `maglev.backends.<name>`.
pub(super) static BACKEND: Keys = Keys {
    title: "a backend",
    keys: &["address", "healthcheck", "enabled"],
    example: "`nginx0: {address: 192.0.2.11, healthcheck: web}`",
};

/// `maglev.frontends.<name>`.
pub(super) static FRONTEND: Keys = Keys {
    title: "a frontend",
    keys: &[
        "description",
        "address",
        "protocol",
        "port",
        "pools",
        "src-ip-sticky",
        "flush-on-down",
        "new-flows-table-length",
        "weight-steps",
    ],
    example: "`site:` with `address: 203.0.113.1` and `pools:` below it",
};

/// `maglev.frontends.<name>.pools[]`.
pub(super) static POOL: Keys = Keys {
    title: "a pool",
    keys: &["name", "backends"],
    example: "`pools: [{name: primary, backends: {nginx0: {}}}]`",
};

/// `maglev.frontends.<name>.pools[].backends.<name>`.
pub(super) static MEMBER: Keys =
    Keys { title: "a backend of a pool", keys: &["weight"], example: "`{weight: 100}`" };

/// Every section there is, outermost first.
pub(super) static ALL: [&Keys; 14] = [
    &FILE,
    &MAGLEV,
    &HEALTHCHECKER,
    &VPP,
    &LB,
    &CHECK,
    &ICMP_PARAMS,
    &TCP_PARAMS,
    &HTTP_PARAMS,
    &HTTPS_PARAMS,
    &BACKEND,
    &FRONTEND,
    &POOL,
    &MEMBER,
];

/// The whole configuration file of a client.
pub(super) static CLIENT_FILE: Keys = Keys {
    title: "the file",
    keys: &["default", "servers"],
    example: "`servers:` and the servers by name below it",
};

/// `servers.<name>`.
pub(super) static CLIENT_SERVER: Keys = Keys {
    title: "a server",
    keys: &["address", "tls-ca", "tls-cert", "tls-key", "tls-server-name", "token-file"],
    example: "`ams: {address: lb1.example.org:9090, tls-ca: ca.pem}`",
};

/// Every section of the configuration file of a client, outermost first.
pub(super) static ALL_OF_CLIENT: [&Keys; 2] = [&CLIENT_FILE, &CLIENT_SERVER];

/// The whole access file.
pub(super) static ACCESS_FILE: Keys =
    Keys { title: "the access file", keys: &["access"], example: "`access:` and all else indented below it" };

/// `access`.
pub(super) static ACCESS: Keys = Keys {
    title: "`access`",
    keys: &["anonymous", "loopback", "unix", "users"],
    example: "`users:` and roles indented below it",
};

/// `access.users.<name>`.
pub(super) static USER: Keys = Keys {
    title: "a user",
    keys: &["role", "certificate", "token", "unix", "backends", "frontends"],
    example: "`alice: {role: admin, certificate: alice@ops.example}`",
};

/// Every section of the access file, outermost first.
pub(super) static ALL_OF_ACCESS: [&Keys; 3] = [&ACCESS_FILE, &ACCESS, &USER];

/// The sections of the file that one of them is in.
pub(super) fn beside(known: &Keys) -> &'static [&'static Keys] {
    let has = |sections: &[&Keys]| sections.iter().any(|keys| std::ptr::eq(*keys, known));
    if has(&ALL_OF_CLIENT) {
        &ALL_OF_CLIENT
    } else if has(&ALL_OF_ACCESS) {
        &ALL_OF_ACCESS
    } else {
        &ALL
    }
}
