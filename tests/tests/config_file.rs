//! Edge. The configuration file of a running daemon: written slowly, replaced by what is no file, reloaded at any moment.

#![expect(clippy::expect_used, reason = "a test whose daemon does not answer has failed")]

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use maglev_api::v1;
use maglev_tests::cli::maglevc;
use maglev_tests::config::Config;
use maglev_tests::daemon::{self, Daemon};
use maglev_tests::operator::Operator;
use maglev_tests::server::Server;
use maglev_tests::wait::{SOON, eventually};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tonic::Code;

async fn path(operator: &mut Operator) -> PathBuf {
    let version =
        operator.client.get_version(v1::GetVersionRequest {}).await.expect("an answer").into_inner();
    PathBuf::from(version.config_path)
}

async fn names(operator: &mut Operator) -> Vec<String> {
    operator.client.list_names(v1::ListNamesRequest {}).await.expect("an answer").into_inner().frontends
}

/// A configuration without checks: up to 200 frontends, each with a backend of its own.
fn many(count: u8) -> Config {
    (0..count).fold(Config::new(), |config, number| {
        let (backend, frontend) = (format!("web{number}"), format!("site{number}"));
        let config = config.backend_with(&backend, &format!("address: 127.1.0.{}", number + 1));
        config.pool(&frontend, "primary", &[&backend])
    })
}

#[tokio::test]
async fn fifo_as_configuration_is_refused_and_the_next_file_is_loaded() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;
    let path = path(&mut operator).await;

    fs::remove_file(&path).unwrap();
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let refused = operator.reload().await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert!(refused.message().ends_with("it is a FIFO, not a regular file"), "{refused:?}");

    fs::remove_file(&path).unwrap();
    daemon.write(&server.site("web1"));
    operator.reload().await.unwrap();
    assert!(operator.states().await.contains_key("web1"));
}

#[test]
fn fifo_as_client_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("client.yaml");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    // What hangs is killed, and has no exit code.
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "60"]).arg(maglev_tests::binaries::maglevc());
    let ran = command.arg("--client-config").arg(&fifo).args(["@ams", "show", "version"]).output().unwrap();
    let error = String::from_utf8_lossy(&ran.stderr);
    assert!(error.contains("it is a FIFO, not a regular file"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_is_being_copied_is_never_loaded_in_part() {
    const FRONTENDS: u8 = 200;
    let config = many(FRONTENDS);
    let daemon = Daemon::local(&config).await;
    let mut operator = daemon.operator().await;
    let path = path(&mut operator).await;
    let text = config.to_string();

    // A writer that pauses within the file, as `cp` over a slow link does, beside a reload every few milliseconds.
    let writer = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            let mut file = File::create(&path).unwrap();
            for chunk in text.as_bytes().chunks(2048) {
                file.write_all(chunk).unwrap();
                #[expect(clippy::disallowed_methods, reason = "the pause of the writer is what is tested")]
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    });
    while !writer.is_finished() {
        // Refused where it is being written all the time, and never taken in part.
        drop(operator.reload().await);
        assert_eq!(names(&mut operator).await.len(), usize::from(FRONTENDS));
    }
    writer.await.unwrap();
    operator.reload().await.unwrap();
    assert_eq!(names(&mut operator).await.len(), usize::from(FRONTENDS));
}

#[tokio::test]
async fn sighup_before_the_handler_is_installed_reloads_and_does_not_end_the_daemon() {
    // Large enough that reading it takes longer than the first signals.
    let config = (0..3000).fold(many(200), |config, number| {
        let address = format!("address: 127.2.{}.{}", number / 200, number % 200 + 1);
        config.backend_with(&format!("unused{number}"), &address)
    });
    let (_directory, file) = daemon::file(&config.to_string());
    let state = tempfile::tempdir().unwrap();
    let program = [
        maglev_tests::binaries::maglevd().display().to_string(),
        format!("--config={file}"),
        format!("--state-dir={}", state.path().display()),
        format!("--grpc-addr=unix:{}", state.path().join("maglevd.sock").display()),
        "--metrics-addr=".to_owned(),
        "--vpp-api-addr=".to_owned(),
        "--log-format=json".to_owned(),
    ];
    let mut process = maglev_tests::process::Process::spawn("maglevd", None, &program);
    let executable = format!("/proc/{}/exe", process.id());
    let executed = || async {
        let exe = fs::read_link(&executable).unwrap_or_default();
        if exe.ends_with("maglevd") { Ok(()) } else { Err(exe) }
    };
    eventually("the daemon executes", SOON, executed).await;
    process.signal(Signal::SIGHUP);
    let log = process.log();
    let reloaded = || async {
        let lines = log.lines();
        let found = lines.iter().any(|line| line.contains("configuration reloaded"));
        if found { Ok(()) } else { Err(lines.len()) }
    };
    eventually("a reload by the first signal", SOON, reloaded).await;
    process.signal(Signal::SIGTERM);
    let status = process.ended(daemon::DRAIN).await;
    assert_eq!(status.code(), Some(0), "maglevd ended with {status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reloads_at_once_end_with_the_last_file() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let (mut one, mut other) = (daemon.operator().await, daemon.operator().await);
    for number in 1..10 {
        let name = format!("web{number}");
        let first = tokio::spawn(async move {
            drop(one.reload().await);
            one
        });
        daemon.write(&server.site(&name));
        other.reload().await.unwrap();
        one = first.await.unwrap();
        assert!(other.states().await.contains_key(&name), "reload {number}");
    }
}

#[tokio::test]
async fn changed_settings_are_reported_with_both_values() {
    let server = Server::start().await;
    let before = server.site("web0").lb("sync-interval: 20s");
    let daemon = Daemon::local(&before).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    daemon.write(&server.site("web0").lb("sync-interval: 10s"));

    let diff = maglevc(&daemon, &["show", "config", "diff"]);
    assert_eq!(diff.out, "~ vpp.lb.sync-interval: 20s → 10s\n", "{diff:?}");
    let problems = maglevc(&daemon, &["show", "problems"]);
    assert!(problems.out.contains("not loaded"), "{problems:?}");
    let check = maglevc(&daemon, &["config", "check"]);
    assert!(check.out.contains("vpp.lb.sync-interval: 20s → 10s"), "{check:?}");
    let reload = maglevc(&daemon, &["config", "reload"]);
    assert!(reload.out.contains("vpp.lb.sync-interval: 20s → 10s; nothing is written to VPP"), "{reload:?}");

    let line = || async {
        let lines = daemon.log().lines();
        let found = lines.iter().any(|line| line.contains("vpp.lb.sync-interval: 20s -> 10s"));
        if found { Ok(()) } else { Err(lines) }
    };
    eventually("a log line with the setting", SOON, line).await;
    assert_eq!(maglevc(&daemon, &["show", "config", "diff"]).out, "");
}

#[tokio::test]
async fn configuration_in_force_can_be_loaded_again() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0").lb("sync-interval: 20s")).await;
    let mut operator = daemon.operator().await;
    let written = maglevc(&daemon, &["show", "config"]);
    assert_eq!(written.code, Some(0), "{written:?}");
    let path = path(&mut operator).await;
    fs::write(&path, &written.out).unwrap();
    assert_eq!(maglevc(&daemon, &["show", "config", "diff"]).out, "");
    let reloaded = operator.reload().await.unwrap();
    assert_eq!(
        reloaded.changes.unwrap_or_default(),
        v1::ConfigChanges {
            backends: Some(v1::NameChanges::default()),
            frontends: Some(v1::NameChanges::default()),
            health_checks: Some(v1::NameChanges::default()),
            ..v1::ConfigChanges::default()
        }
    );
}
