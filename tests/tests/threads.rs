//! Edge. A daemon that can have no further thread.

use std::path::Path;
use std::process::Command;

use maglev_api::v1::{self, BackendState};
use maglev_tests::daemon::{DRAIN, Daemon, Options};
use maglev_tests::requirements::skip;
use maglev_tests::server::Server;
use maglev_tests::wait::SOON;
use nix::sys::signal::Signal;

/// A user of nothing else, since the limit counts all processes of a user, and root has none.
const USER: u32 = 64_998;

#[expect(clippy::expect_used, reason = "a test that cannot see the daemon has failed")]
fn threads(daemon: &Daemon) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", daemon.id())).expect("its threads").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_of_processes_keeps_nothing_from_working() {
    if !nix::unistd::geteuid().is_root() || !Path::new("/usr/bin/prlimit").exists() {
        return skip("it needs root, and prlimit of util-linux");
    }
    let server = Server::start().await;
    let options = Options { user: Some(USER), ..Options::default() };
    let mut daemon = Daemon::start(&server.site("web0"), options).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let (pid, before) = (daemon.id().to_string(), threads(&daemon));
    // As the same user: to limit others takes a capability that containers lack.
    let (uid, gid) = (format!("--reuid={USER}"), format!("--regid={USER}"));
    let limit = [&uid, &gid, "--clear-groups", "prlimit", "--pid", &pid, "--nproc=1:1"];
    let limited = Command::new("setpriv").args(limit).status().unwrap();
    assert!(limited.success());

    // Whatever may block has its thread already.
    operator.pause("web0").await.unwrap();
    operator.resume("web0").await.unwrap();
    assert!(operator.client.check_config(v1::CheckConfigRequest {}).await.unwrap().into_inner().valid);
    operator.reload().await.unwrap();
    daemon.signal(Signal::SIGHUP);
    let audit = operator.client.list_audit(v1::ListAuditRequest::default()).await.unwrap();
    assert!(audit.into_inner().records.len() >= 3);
    daemon.metrics();
    operator.all_up().await;
    server.answer(500);
    operator.becomes("web0", BackendState::Down, SOON).await;

    assert!(threads(&daemon) <= before, "it started a thread, so the test shows nothing");
    daemon.signal(Signal::SIGTERM);
    let status = daemon.ended(DRAIN).await;
    assert!(status.success(), "{status}");
    assert!(!daemon.log().lines().iter().any(|line| line.contains("bug:")));
    assert!(Path::new(&daemon.state()).join("intent.json").exists());
}
