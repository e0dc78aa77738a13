//! What the canned server answers: a small site on an ordinary bad day.

use maglev_api::v1::*;
use prost_types::{Duration, Timestamp};

/// The time of all fixtures: 2026-03-14 15:09:26 UTC.
pub(crate) const NOW: i64 = 1_773_500_966;

/// Some time ago.
pub(crate) fn ago(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: NOW - seconds, nanos: 0 })
}

fn ms(milliseconds: f64) -> Option<Duration> {
    let nanos = (milliseconds * 1e6) as i64;
    Some(Duration { seconds: nanos / 1_000_000_000, nanos: (nanos % 1_000_000_000) as i32 })
}

fn attribution(by: &str, seconds: i64, reason: &str) -> Option<Attribution> {
    Some(Attribution { by: by.to_owned(), at: ago(seconds), reason: reason.to_owned() })
}

pub(crate) fn version() -> GetVersionResponse {
    GetVersionResponse {
        version: "0.1.0".into(),
        commit: "8f3c2d1".into(),
        date: "2026-03-01".into(),
        started_at: ago(2 * 86400 + 4 * 3600),
        config_path: "/etc/vpp-maglev/maglev.yaml".into(),
        last_reload_successful: true,
        config_loaded_at: ago(192),
    }
}

fn transition(
    from: BackendState,
    to: BackendState,
    seconds: i64,
    cause: Cause,
    code: &str,
    detail: &str,
) -> Transition {
    Transition {
        from: from.into(),
        to: to.into(),
        at: ago(seconds),
        cause: cause.into(),
        code: code.into(),
        detail: detail.into(),
    }
}

fn membership(frontend: &str, pool: &str, active: &str, effective: u32, reason: WeightReason) -> Membership {
    Membership {
        frontend: frontend.into(),
        pool: pool.into(),
        configured_weight: 100,
        weight_override: None,
        effective_weight: effective,
        reason: reason.into(),
        active_pool: active.into(),
        override_attribution: None,
    }
}

pub(crate) fn backends() -> Vec<Backend> {
    let web = |name: &str, address: &str, state: BackendState, health: u32| Backend {
        name: name.into(),
        address: address.into(),
        state: state.into(),
        health_check: "web".into(),
        enabled: true,
        health,
        rise: 2,
        fall: 3,
        ..Backend::default()
    };
    vec![
        Backend {
            since: ago(2 * 86400 + 4 * 3600),
            last_probe: Some(ProbeResult {
                code: "L7OK".into(),
                success: Some(true),
                detail: "connected to 192.0.2.10:80 in 0.41 ms, got status 200".into(),
                at: ago(1),
                connect: ms(0.41),
                tls: None,
                response: ms(1.2),
                total: ms(1.61),
            }),
            next_probe_at: ago(-1),
            transitions: vec![transition(
                BackendState::Unknown,
                BackendState::Up,
                2 * 86400 + 4 * 3600,
                Cause::Probe,
                "L7OK",
                "connected to 192.0.2.10:80 in 0.52 ms, got status 200",
            )],
            memberships: vec![
                membership("site", "primary", "primary", 100, WeightReason::Active),
                Membership {
                    weight_override: Some(10),
                    override_attribution: attribution(
                        "alice (unix socket, uid 1000)",
                        3 * 3600 + 60,
                        "canary",
                    ),
                    ..membership("shop", "canary", "canary", 10, WeightReason::Active)
                },
            ],
            ..web("nginx0", "192.0.2.10", BackendState::Up, 4)
        },
        Backend {
            since: ago(12),
            last_probe: Some(ProbeResult {
                code: "L4CON".into(),
                success: Some(false),
                detail: "connection to 192.0.2.11:80 refused".into(),
                at: ago(4),
                connect: None,
                tls: None,
                response: None,
                total: ms(0.3),
            }),
            next_probe_at: ago(-26),
            transitions: vec![
                transition(
                    BackendState::Up,
                    BackendState::Down,
                    12,
                    Cause::Probe,
                    "L4CON",
                    "connection to 192.0.2.11:80 refused",
                ),
                transition(
                    BackendState::Unknown,
                    BackendState::Up,
                    3600,
                    Cause::Probe,
                    "L7OK",
                    "connected to 192.0.2.11:80 in 0.4 ms, got status 200",
                ),
                transition(
                    BackendState::Paused,
                    BackendState::Unknown,
                    3605,
                    Cause::Operator,
                    "",
                    "resumed by alice (unix socket, uid 1000)",
                ),
            ],
            memberships: vec![membership("site", "primary", "primary", 0, WeightReason::Down)],
            ..web("nginx1", "192.0.2.11", BackendState::Down, 0)
        },
        Backend {
            since: ago(192),
            intent: Some(Intent {
                kind: IntentKind::Paused.into(),
                attribution: attribution("alice (unix socket, uid 1000)", 192, "new kernel"),
            }),
            memberships: vec![membership("site", "primary", "primary", 0, WeightReason::Paused)],
            ..web("nginx2", "192.0.2.12", BackendState::Paused, 4)
        },
        Backend {
            since: ago(2 * 86400 + 4 * 3600),
            enabled: false,
            ..web("nginx3", "192.0.2.13", BackendState::Disabled, 1)
        },
        Backend {
            since: ago(2),
            next_probe_at: ago(0),
            memberships: vec![membership("site", "spare", "primary", 0, WeightReason::Unknown)],
            ..web("nginx9", "2001:db8:0:17::9", BackendState::Unknown, 1)
        },
        Backend {
            since: ago(90),
            last_probe: Some(ProbeResult {
                code: "L7OK".into(),
                success: Some(true),
                detail: "connected to [2001:db8:85a3:8d3:1319:8a2e:370:7348]:443 in 12.3 ms, got status 204"
                    .into(),
                at: ago(0),
                connect: ms(12.3),
                tls: ms(31.0),
                response: ms(1204.0),
                total: ms(1247.3),
            }),
            next_probe_at: ago(-3),
            health_check: "https-with-client-certificate".into(),
            memberships: vec![membership("shop", "canary", "canary", 100, WeightReason::Active)],
            ..web(
                "shop-frankfurt-rack12-production-17",
                "2001:db8:85a3:8d3:1319:8a2e:370:7348",
                BackendState::Up,
                3,
            )
        },
        Backend {
            name: "static".into(),
            address: "192.0.2.99".into(),
            state: BackendState::Up.into(),
            since: ago(2 * 86400 + 4 * 3600),
            enabled: true,
            memberships: vec![membership("dns", "only", "only", 100, WeightReason::Active)],
            ..Backend::default()
        },
    ]
}

/// What a malicious web server may answer to a probe.
pub(crate) const HOSTILE: &str = "got \u{1b}[2J\u{1b}]0;gone\u{7}\nroot: all is well";

pub(crate) fn hostile_backend() -> Backend {
    let mut backend = backends().swap_remove(1);
    backend.name = "nginx0".into();
    backend.last_probe = backend.last_probe.map(|probe| ProbeResult { detail: HOSTILE.into(), ..probe });
    backend.transitions[0].detail = HOSTILE.into();
    backend
}

pub(crate) fn hostile_event() -> Event {
    let log = LogEvent { level: LogLevel::Info.into(), message: HOSTILE.into(), ..LogEvent::default() };
    Event { at: ago(0), event: Some(event::Event::Log(log)) }
}

fn pool_backend(
    name: &str,
    address: &str,
    state: BackendState,
    effective: u32,
    reason: WeightReason,
) -> PoolBackend {
    PoolBackend {
        name: name.into(),
        address: address.into(),
        state: state.into(),
        configured_weight: 100,
        weight_override: None,
        effective_weight: effective,
        reason: reason.into(),
        override_attribution: None,
    }
}

pub(crate) fn frontends() -> Vec<Frontend> {
    use {BackendState as S, WeightReason as R};
    vec![
        Frontend {
            name: "dns".into(),
            prefix: "203.0.113.53/32".into(),
            state: FrontendState::Up.into(),
            since: ago(2 * 86400 + 4 * 3600),
            active_pool: "only".into(),
            pools: vec![Pool {
                name: "only".into(),
                active: true,
                backends: vec![pool_backend("static", "192.0.2.99", S::Up, 100, R::Active)],
            }],
            src_ip_sticky: true,
            encap: "gre4".into(),
            table_length: 4096,
            ..Frontend::default()
        },
        Frontend {
            name: "mail".into(),
            description: "mail exchangers".into(),
            prefix: "2001:db8:25::/64".into(),
            protocol: "tcp".into(),
            port: 25,
            state: FrontendState::Down.into(),
            since: ago(12),
            pools: vec![Pool {
                name: "only".into(),
                active: false,
                backends: vec![pool_backend("nginx1", "192.0.2.11", S::Down, 0, R::Down)],
            }],
            flush_on_down: true,
            encap: "gre4".into(),
            ..Frontend::default()
        },
        Frontend {
            name: "shop".into(),
            prefix: "203.0.113.2/32".into(),
            protocol: "tcp".into(),
            port: 443,
            state: FrontendState::Up.into(),
            since: ago(90),
            active_pool: "canary".into(),
            pools: vec![Pool {
                name: "canary".into(),
                active: true,
                backends: vec![
                    PoolBackend {
                        weight_override: Some(10),
                        override_attribution: attribution(
                            "alice (unix socket, uid 1000)",
                            3 * 3600 + 60,
                            "canary",
                        ),
                        ..pool_backend("nginx0", "192.0.2.10", S::Up, 10, R::Active)
                    },
                    pool_backend(
                        "shop-frankfurt-rack12-production-17",
                        "2001:db8:85a3:8d3:1319:8a2e:370:7348",
                        S::Up,
                        100,
                        R::Active,
                    ),
                ],
            }],
            flush_on_down: true,
            encap: "gre4".into(),
            ..Frontend::default()
        },
        Frontend {
            name: "site".into(),
            description: "the web site".into(),
            prefix: "203.0.113.1/32".into(),
            protocol: "tcp".into(),
            port: 80,
            state: FrontendState::Up.into(),
            since: ago(192),
            active_pool: "primary".into(),
            pools: vec![
                Pool {
                    name: "primary".into(),
                    active: true,
                    backends: vec![
                        pool_backend("nginx0", "192.0.2.10", S::Up, 100, R::Active),
                        pool_backend("nginx1", "192.0.2.11", S::Down, 0, R::Down),
                        pool_backend("nginx2", "192.0.2.12", S::Paused, 0, R::Paused),
                    ],
                },
                Pool {
                    name: "spare".into(),
                    active: false,
                    backends: vec![
                        pool_backend("nginx9", "2001:db8:0:17::9", S::Unknown, 0, R::Unknown),
                        pool_backend("nginx8", "192.0.2.18", S::Up, 0, R::Standby),
                    ],
                },
            ],
            flush_on_down: true,
            encap: "gre4".into(),
            ..Frontend::default()
        },
    ]
}

pub(crate) fn health_checks() -> Vec<HealthCheck> {
    vec![
        HealthCheck {
            name: "https-with-client-certificate".into(),
            r#type: "https".into(),
            port: 443,
            interval: ms(90_000.0),
            fast_interval: ms(1500.0),
            down_interval: ms(300_000.0),
            timeout: ms(2000.0),
            rise: 2,
            fall: 3,
            probe_ipv4_src: "192.0.2.1".into(),
            probe_ipv6_src: "2001:db8::1".into(),
            params: [("path", "/healthz"), ("server-name", "shop.example.org"), ("response-code", "200-204")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            backends: vec!["shop-frankfurt-rack12-production-17".into()],
        },
        HealthCheck {
            name: "ping".into(),
            r#type: "icmp".into(),
            interval: ms(500.0),
            fast_interval: ms(500.0),
            down_interval: ms(500.0),
            timeout: ms(250.0),
            rise: 1,
            fall: 1,
            ..HealthCheck::default()
        },
        HealthCheck {
            name: "web".into(),
            r#type: "http".into(),
            port: 80,
            interval: ms(2000.0),
            fast_interval: ms(500.0),
            down_interval: ms(30_000.0),
            timeout: ms(1000.0),
            rise: 2,
            fall: 3,
            params: [("path".to_owned(), "/healthz".to_owned())].into(),
            backends: ["nginx0", "nginx1", "nginx2", "nginx3", "nginx9"].map(str::to_owned).into(),
            ..HealthCheck::default()
        },
    ]
}

fn names(added: &[&str], changed: &[&str], removed: &[&str]) -> Option<NameChanges> {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Some(NameChanges { added: own(added), changed: own(changed), removed: own(removed) })
}

fn changes() -> ConfigChanges {
    ConfigChanges {
        backends: names(&["nginx4", "nginx5"], &["nginx1"], &["nginx9"]),
        frontends: names(&[], &["site"], &[]),
        health_checks: names(&[], &[], &[]),
    }
}

fn diagnostic(severity: Severity, line: u32, column: u32, key: &str, message: &str) -> Diagnostic {
    Diagnostic {
        severity: severity.into(),
        file: "/etc/vpp-maglev/maglev.yaml".into(),
        line,
        column,
        key: key.into(),
        message: message.into(),
    }
}

pub(crate) fn check(valid: bool) -> CheckConfigResponse {
    let warning = diagnostic(
        Severity::Warning,
        12,
        7,
        "maglev.healthchecks.web.timeout",
        "timeout 2s is not shorter than interval 2s; write a timeout below 2s",
    );
    let error = diagnostic(
        Severity::Error,
        31,
        5,
        "maglev.backends.nginx1.adress",
        "unknown field adress; write address",
    );
    CheckConfigResponse {
        valid,
        diagnostics: if valid { vec![warning] } else { vec![warning, error] },
        changes: valid.then(changes),
    }
}

pub(crate) fn reload(changed: bool) -> ReloadConfigResponse {
    ReloadConfigResponse {
        changes: changed.then(changes),
        warnings: if changed { check(true).diagnostics } else { Vec::new() },
    }
}

pub(crate) fn events(request: &WatchEventsRequest) -> Vec<Event> {
    use event::Event as E;
    let both = !request.log && !request.backend && !request.frontend;
    let at = |ms: i32, event: E| Event {
        at: Some(Timestamp { seconds: NOW, nanos: ms * 1_000_000 }),
        event: Some(event),
    };
    let all = vec![
        at(
            120,
            E::Backend(BackendEvent {
                kind: EventKind::Present.into(),
                backend: "nginx0".into(),
                state: BackendState::Up.into(),
                transition: backends()[0].transitions.first().cloned(),
            }),
        ),
        at(
            120,
            E::Backend(BackendEvent {
                kind: EventKind::Present.into(),
                backend: "shop-frankfurt-rack12-production-17".into(),
                state: BackendState::Unknown.into(),
                transition: None,
            }),
        ),
        at(
            121,
            E::Frontend(FrontendEvent {
                kind: EventKind::Present.into(),
                frontend: "site".into(),
                state: FrontendState::Up.into(),
                from: FrontendState::Up.into(),
                active_pool: "primary".into(),
                from_pool: "primary".into(),
            }),
        ),
        at(121, E::Synchronized(SynchronizedEvent {})),
        at(
            484,
            E::Log(LogEvent {
                level: LogLevel::Warn.into(),
                message: "probe failed".into(),
                fields: [("backend", "nginx0"), ("code", "L7STS")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
            }),
        ),
        at(
            485,
            E::Backend(BackendEvent {
                kind: EventKind::Changed.into(),
                backend: "nginx0".into(),
                state: BackendState::Down.into(),
                transition: Some(transition(
                    BackendState::Up,
                    BackendState::Down,
                    0,
                    Cause::Probe,
                    "L7STS",
                    "connected to 192.0.2.10:80 in 0.4 ms, got status 503, wanted 200-204",
                )),
            }),
        ),
        at(
            485,
            E::Frontend(FrontendEvent {
                kind: EventKind::Changed.into(),
                frontend: "site".into(),
                state: FrontendState::Down.into(),
                from: FrontendState::Up.into(),
                active_pool: String::new(),
                from_pool: "primary".into(),
            }),
        ),
        at(
            486,
            E::Frontend(FrontendEvent {
                kind: EventKind::Changed.into(),
                frontend: "shop".into(),
                state: FrontendState::Up.into(),
                from: FrontendState::Up.into(),
                active_pool: "spare".into(),
                from_pool: "canary".into(),
            }),
        ),
        at(
            700,
            E::Backend(BackendEvent {
                kind: EventKind::Removed.into(),
                backend: "nginx9".into(),
                state: BackendState::Removed.into(),
                transition: None,
            }),
        ),
        at(
            700,
            E::Backend(BackendEvent {
                kind: EventKind::Added.into(),
                backend: "nginx4".into(),
                state: BackendState::Unknown.into(),
                transition: None,
            }),
        ),
        at(900, E::Lagged(LaggedEvent { missed: 17 })),
    ];
    all.into_iter()
        .filter(|event| match &event.event {
            Some(E::Log(_)) => request.log,
            Some(E::Backend(_)) => request.backend || both,
            Some(E::Frontend(_)) => request.frontend || both,
            _ => true,
        })
        .collect()
}
