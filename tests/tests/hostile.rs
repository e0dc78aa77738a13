//! Edge. Servers that do not play by the rules: each costs its own probe at most its timeout, and nobody else anything.

use std::time::Duration;

use maglev_api::v1::BackendState;
use maglev_tests::config::Config;
use maglev_tests::daemon::Daemon;
use maglev_tests::server::{Hostile, LOOPBACK, Server};
use maglev_tests::wait::SOON;

/// The whole probe, in every check here.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Far above what the daemon needs, and far below what an endless answer would make of it.
const MEMORY: u64 = 200 << 20;

#[tokio::test]
async fn hostile_servers_are_down_and_hurt_nobody() {
    let good = Server::start().await;
    let hostile = [
        ("silent", Hostile::Silence, "L7TOUT"),
        ("garbage", Hostile::Garbage, "L7RSP"),
        ("hanger-up", Hostile::Close, "L7RSP"),
        ("endless-header", Hostile::EndlessHeader, "L7RSP"),
        ("slow-header", Hostile::Drip, "L7TOUT"),
        ("endless-body", Hostile::EndlessBody, "L7RSP"),
    ];
    let mut config = good.site("good");
    let mut servers = Vec::new();
    for (name, manner, _) in hostile {
        let server = manner.start().await;
        let check = format!(
            "type: http, port: {}, interval: 200ms, timeout: 500ms, params: {{response-regexp: no-such-words}}",
            server.port()
        );
        config = config.check(name, &check).backend(name, LOOPBACK, name);
        servers.push(server);
    }
    let names = hostile.map(|(name, ..)| name);
    let config: Config = config.pool("hostile", "primary", &names);
    let daemon = Daemon::local(&config).await;
    let mut operator = daemon.operator().await;

    for (name, _, code) in hostile {
        let backend = operator.becomes(name, BackendState::Down, SOON).await;
        let probe = backend.last_probe.unwrap();
        assert_eq!(probe.code, code, "{name}: {}", probe.detail);
        let took = Duration::try_from(probe.total.unwrap()).unwrap();
        assert!(took < TIMEOUT * 2, "{name} took {took:?} of a timeout of {TIMEOUT:?}");
    }
    operator.becomes("good", BackendState::Up, SOON).await;
    // All of them go on all the while.
    good.requested(15).await;
    assert_eq!(operator.backend("good").await.transitions.len(), 1);
    let resident = daemon.metrics().value("process_resident_memory_bytes", &[]);
    assert!(resident < MEMORY as f64, "{} MiB are resident", resident / f64::from(1 << 20));
}
