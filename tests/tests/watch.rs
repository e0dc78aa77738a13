//! Edge. Watching: the present first, then what happens.

use std::collections::BTreeMap;
use std::fmt::Write;

use maglev_api::v1::event::Event as Kind;
use maglev_api::v1::{BackendState, EventKind, FrontendState, LogLevel, WatchEventsRequest};
use maglev_tests::daemon::Daemon;
use maglev_tests::lab::Lab;
use maglev_tests::server::Server;

/// More than the daemon keeps for a watcher who does not read, in two reloads.
const CROWD: usize = 4000;

#[tokio::test]
async fn a_watcher_sees_the_present_then_a_failover_and_the_way_back() {
    let Some(lab) = Lab::open() else { return };
    let (mut nginx0, spare) = (lab.nginx(10).await, lab.nginx(11).await);
    let config = maglev_tests::config::Config::new()
        .check("web", maglev_tests::config::WEB)
        .backend("nginx0", nginx0.v4(), "web")
        .backend("spare0", spare.v4(), "web")
        .pool("site", "primary", &["nginx0"])
        .pool("site", "spare", &["spare0"]);
    let daemon = lab.daemon(&config).await;
    let mut operator = daemon.operator().await;
    operator.all_well().await;

    let mut watcher = operator.watch().await;
    let present = watcher.present().await;
    let mut names = Vec::new();
    for event in &present {
        match event {
            Kind::Backend(event) => {
                assert_eq!((event.kind(), event.state()), (EventKind::Present, BackendState::Up));
                names.push(event.backend.as_str());
            }
            Kind::Frontend(event) => {
                assert_eq!((event.kind(), event.state()), (EventKind::Present, FrontendState::Up));
                assert_eq!(event.active_pool, "primary");
                names.push(event.frontend.as_str());
            }
            other => panic!("{other:?} is not of the present"),
        }
    }
    assert_eq!(names, ["nginx0", "spare0", "site"]);

    nginx0.stop();
    let (down, _) = watcher.backend("nginx0", BackendState::Down).await;
    let transition = down.transition.unwrap();
    assert_eq!((down.state, transition.from()), (transition.to, BackendState::Up));
    assert_eq!(transition.code, "L4CON");
    let (failover, _) = watcher.frontend("site", FrontendState::Up, "spare").await;
    assert_eq!((failover.kind(), failover.from_pool.as_str()), (EventKind::Changed, "primary"));

    nginx0.resume().await;
    watcher.backend("nginx0", BackendState::Up).await;
    watcher.frontend("site", FrontendState::Up, "primary").await;
}

#[tokio::test]
async fn a_watcher_gets_only_what_was_asked_for() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let wanted = |request: &mut WatchEventsRequest| request.log_level = LogLevel::Warn.into();
    let mut requests = [WatchEventsRequest::default(); 3];
    requests.iter_mut().for_each(wanted);
    requests[0].log = true;
    requests[1].backend = true;
    requests[2].frontend = true;
    let mut log = operator.watch_for(requests[0]).await;
    let mut backends = operator.watch_for(requests[1]).await;
    let mut frontends = operator.watch_for(requests[2]).await;
    assert_eq!((log.present().await.len(), backends.present().await.len()), (0, 1));
    assert_eq!(frontends.present().await.len(), 1);

    server.answer(500);

    // Each of them sees the end of the same fall in its own way, and nothing else before it.
    let (down, before) = backends.backend("web0", BackendState::Down).await;
    assert!(before.is_empty(), "{before:?}");
    assert!(down.transition.unwrap().detail.contains("500"));
    let (_, before) = frontends.frontend("site", FrontendState::Down, "").await;
    assert!(before.is_empty(), "{before:?}");
    let Kind::Log(line) = log.next().await else { panic!("not a line of the log") };
    assert_eq!(line.level(), LogLevel::Warn);
    assert_eq!(line.fields["backend"], "web0", "{line:?}");
    assert_eq!(line.fields["code"], "L7STS", "{line:?}");
}

#[tokio::test]
async fn a_slow_watcher_is_told_and_starts_anew_and_delays_nobody() {
    let server = Server::start().await;
    let alone = server.site("web0").to_string();
    let crowd = with_crowd(&alone);
    let daemon = Daemon::local(&alone).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let mut slow = daemon.operator().await.watch().await;
    slow.present().await;

    // More than the flow-control window of 2 MiB and every queue on the way hold, while nothing is read.
    for config in [&alone, &crowd].into_iter().cycle().skip(1).take(15) {
        daemon.write(config);
        operator.reload().await.unwrap();
    }

    // The others do not feel it.
    server.requested(3).await;
    let mut quick = operator.watch().await;
    assert_eq!(quick.present().await.len(), CROWD + 2);
    operator.pause("web0").await.unwrap();
    quick.backend("web0", BackendState::Paused).await;

    // It is told that it missed something, and in the end knows what everybody knows.
    let states = operator.states().await;
    let mut known = BTreeMap::new();
    let mut missed = 0;
    while known != states {
        match slow.next().await {
            Kind::Lagged(lagged) => {
                missed += lagged.missed;
                known.clear();
            }
            Kind::Backend(event) if event.kind() == EventKind::Removed => {
                known.remove(&event.backend);
            }
            Kind::Backend(event) => {
                let state = event.state();
                known.insert(event.backend, state);
            }
            _ => {}
        }
    }
    assert!(missed > 0, "it got every single event: the crowd is too small for this test");

    // And it goes on from there.
    operator.resume("web0").await.unwrap();
    slow.backend("web0", BackendState::Unknown).await;
}

/// A configuration with many backends more, which are always up since nothing checks them.
fn with_crowd(config: &str) -> String {
    let mut backends = String::from("  backends:\n");
    let mut members = String::new();
    for number in 0..CROWD {
        let _ =
            writeln!(backends, "    crowd{number}: {{address: 127.1.{}.{}}}", number / 250, 1 + number % 250);
        let _ = write!(members, ", crowd{number}: {{}}");
    }
    config.replace("  backends:\n", &backends).replace("web0: {}}", &format!("web0: {{}}{members}}}"))
}
