//! Edge. What the service manager is told.

use std::time::Duration;

use maglev_tests::daemon::{DRAIN, Daemon, Options, file, run_with};
use maglev_tests::manager::Manager;
use maglev_tests::operator::Operator;
use maglev_tests::server::Server;
use maglev_tests::vpp::Vpp;
use nix::sys::signal::Signal;

/// Long enough for nobody to wait for it in vain, short enough to see that it does not come.
const SILENCE: Duration = Duration::from_millis(500);

fn told_to(manager: &Manager) -> Options {
    Options { variables: manager.variables(), ..Options::default() }
}

#[tokio::test]
async fn it_is_ready_when_it_can_be_called() {
    let (server, manager) = (Server::start().await, Manager::new());
    let socket = manager.path("maglevd.sock");
    let options = Options { grpc: vec![format!("unix:{}", socket.display())], ..told_to(&manager) };
    let config = server.site("web0");
    let call = async {
        let ready = manager.told("READY").await;
        // At once: what depends on this service is started now.
        let mut operator = Operator::unix(&socket).await;
        operator.states().await;
        ready
    };

    let (_daemon, ready) = tokio::join!(Daemon::start(&config, options), call);

    assert_eq!(ready["READY"], "1");
    assert!(ready["STATUS"].ends_with("; without VPP"), "{ready:?}");
}

#[tokio::test]
async fn one_that_cannot_listen_is_never_ready() {
    let manager = Manager::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (_directory, path) = file("maglev: {}\n");
    let variables = manager.variables();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let arguments = ["--config", &path, "--vpp-api-addr", "", "--state-dir", "", "--grpc-addr", &address];

    let output = run_with(&variables, &arguments);

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(manager.next(SILENCE).await, None);
}

#[tokio::test]
async fn the_status_line_follows_what_happens() {
    let (server, manager, vpp) = (Server::start().await, Manager::new(), Vpp::start().await);
    let config = server.site("web0").lb("ipv4-src-address: 192.0.2.1");
    let config = config.backend_with("web1", "address: 192.0.2.1");
    let options = Options { vpp: Some(vpp.directory().to_owned()), ..told_to(&manager) };
    let daemon = Daemon::start(&config, options).await;

    manager.status("2 of 2 backends up; 1 of 1 frontends up; VPP connected").await;
    server.answer(500);
    manager.status("1 of 2 backends up, 1 down; 0 of 1 frontends up, 1 down; VPP connected").await;
    server.answer(200);
    manager.status("2 of 2 backends up; 1 of 1 frontends up; VPP connected").await;
    daemon.operator().await.pause("web0").await.unwrap();
    manager.status("1 of 2 backends up, 1 paused; 0 of 1 frontends up, 1 down; VPP connected").await;
    vpp.sim.stop().await;
    manager.status("1 of 2 backends up, 1 paused; 0 of 1 frontends up, 1 down; VPP not connected").await;
}

#[tokio::test]
async fn a_reload_is_told_from_its_begin_to_its_end() {
    let (server, manager) = (Server::start().await, Manager::new());
    let config = server.site("web0");
    let daemon = Daemon::start(&config, told_to(&manager)).await;
    manager.told("READY").await;

    daemon.write(&config.clone().backend_with("web1", "address: 192.0.2.1"));
    daemon.signal(Signal::SIGHUP);
    let begin = manager.told("RELOADING").await;
    let micros: u64 = begin["MONOTONIC_USEC"].parse().unwrap();
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "microseconds of an uptime")]
    let age = uptime - micros as f64 / 1e6;
    assert!((-1.0..60.0).contains(&age), "the monotonic clock now, and not {age} s ago");
    let end = manager.told("READY").await;
    assert!(end["STATUS"].contains("of 2 backends"), "{end:?}");

    daemon.write(&"maglev: [");
    daemon.signal(Signal::SIGHUP);
    manager.told("RELOADING").await;
    let refused = manager.told("READY").await;
    let said = "Last reload refused, the configuration before it is in force; ";
    assert!(refused["STATUS"].starts_with(said), "{refused:?}");

    daemon.write(&config);
    daemon.signal(Signal::SIGHUP);
    manager.told("RELOADING").await;
    let mended = manager.told("READY").await;
    assert!(!mended["STATUS"].contains("refused"), "{mended:?}");
}

#[tokio::test]
async fn it_says_when_it_stops() {
    let (server, manager) = (Server::start().await, Manager::new());
    let mut daemon = Daemon::start(&server.site("web0"), told_to(&manager)).await;
    manager.told("READY").await;

    daemon.signal(Signal::SIGTERM);

    manager.told("STOPPING").await;
    assert_eq!(daemon.ended(DRAIN).await.code(), Some(0));
}

#[tokio::test]
async fn the_watchdog_is_fed_while_it_lives() {
    let (server, manager) = (Server::start().await, Manager::new());
    let variables = manager.watching(Duration::from_millis(400));
    let daemon = Daemon::start(&server.site("web0"), Options { variables, ..Options::default() }).await;
    for _ in 0..5 {
        manager.told("WATCHDOG").await;
    }

    daemon.signal(Signal::SIGSTOP);
    while manager.next(SILENCE).await.is_some() {}
    daemon.signal(Signal::SIGCONT);

    manager.told("WATCHDOG").await;
}
