//! Edge. `show problems`: everything that is wrong with a daemon, and its exit code for monitoring systems.

use maglev_api::v1::{ProblemKind, ProblemSeverity};
use maglev_tests::cli::maglevc;
use maglev_tests::config::Config;
use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::server::Server;

async fn site(servers: &[&Server]) -> Config {
    let mut config = Config::new();
    let names: Vec<_> = (0..servers.len()).map(|number| format!("web{number}")).collect();
    for (name, server) in names.iter().zip(servers) {
        config = config.check(name, &server.check()).backend(name, server.ip(), name);
    }
    config.pool("site", "primary", &names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_is_that_of_a_monitoring_plugin() {
    let (one, other) = (Server::start().await, Server::start().await);
    let daemon = Daemon::local(&site(&[&one, &other]).await).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let status = || maglevc(&daemon, &["show", "problems", "exit-status"]);

    let said = status();
    assert_eq!((said.code, said.out.as_str()), (Some(0), "OK: no problems\n"));

    operator.pause("web0").await.unwrap();
    let said = status();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.starts_with("WARNING: 1 notice\n"), "{said:?}");

    other.answer(503);
    operator.has_problem("frontend-down").await;
    let said = status();
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.out.starts_with("CRITICAL: 2 bad, 1 notice\n"), "{said:?}");
    assert_eq!(maglevc(&daemon, &["show", "problems"]).code, Some(0), "only where it is asked for");

    let said =
        maglevc(&daemon, &["--server", "unix:/nowhere/maglevd.sock", "show", "problems", "exit-status"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.starts_with("UNKNOWN: cannot connect"), "{said:?}");
    let said = maglevc(&daemon, &["--tls-ca", "/nowhere/ca.pem", "show", "problems", "exit-status"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let said = maglevc(&daemon, &["--no-such-flag", "show", "problems", "exit-status"]);
    assert_eq!(said.code, Some(3), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_file_that_is_changed_broken_or_gone_is_listed() {
    let server = Server::start().await;
    let daemon = Daemon::local(&site(&[&server]).await).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    assert!(operator.problems().await.is_empty(), "{:?}", operator.problems().await);

    daemon.write(&site(&[&server, &server]).await);
    let problem = operator.has_problem("config-not-loaded").await;
    assert_eq!((problem.severity(), problem.kind()), (ProblemSeverity::Notice, ProblemKind::Config));
    operator.reload().await.unwrap();
    operator.has_no_problem("config-not-loaded").await;

    std::fs::write(daemon.config(), "maglev: {nonsense: 1}\n").unwrap();
    let problem = operator.has_problem("config-invalid").await;
    assert!(problem.name.ends_with("maglev.yaml:1:10"), "{problem:?}");
    assert!(problem.because.contains("unknown key"), "{problem:?}");
    operator.reload().await.unwrap_err();
    let refused = operator.has_problem("reload-refused").await;
    assert!(refused.since.is_some(), "{refused:?}");

    std::fs::remove_file(daemon.config()).unwrap();
    operator.has_problem("config-unreadable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn state_that_is_damaged_and_an_audit_log_that_cannot_be_written_are_listed() {
    let server = Server::start().await;
    let config = site(&[&server]).await;
    let mut daemon = Daemon::local(&config).await;
    daemon.operator().await.pause("web0").await.unwrap();
    daemon.crash();
    std::fs::write(daemon.state().join("intent.json"), "damage").unwrap();
    std::fs::remove_file(daemon.state().join("audit.jsonl")).unwrap();
    std::fs::create_dir(daemon.state().join("audit.jsonl")).unwrap();

    let daemon = daemon.restart().await;

    let mut operator = daemon.operator().await;
    let damaged = operator.has_problem("state-damaged").await;
    assert!(damaged.because.contains("intent.json.damaged-1"), "{damaged:?}");
    assert_eq!((damaged.severity(), damaged.alert.as_str()), (ProblemSeverity::Bad, "MaglevStateDamaged"));
    let audit = operator.has_problem("audit-failing").await;
    assert!(audit.name.ends_with("audit.jsonl") && audit.since.is_some(), "{audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_that_cannot_be_used_is_listed() {
    let server = Server::start().await;
    let arguments = ["--state-dir", "/proc/nowhere", "--audit-log", ""].map(str::to_owned).to_vec();
    let options = Options { arguments, ..Options::default() };
    let daemon = Daemon::start(&site(&[&server]).await, options).await;

    let problem = daemon.operator().await.has_problem("state-not-durable").await;

    assert!(problem.because.contains("/proc/nowhere"), "{problem:?}");
    let said = maglevc(&daemon, &["--output", "json", "show", "problems"]).json();
    let listed = said.as_array().unwrap().iter().find(|one| one["code"] == "state-not-durable").unwrap();
    assert_eq!((&listed["severity"], &listed["kind"]), (&"bad".into(), &"state".into()));
    assert!(listed["remedy"].as_str().unwrap().contains("--state-dir"), "{listed}");
    let bad = daemon.metrics().value("maglev_problems", &[("severity", "bad")]);
    assert!(bad >= 1.0, "{bad}");
}
