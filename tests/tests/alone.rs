//! Edge. Only one maglevd for a state directory and for a VPP: the second says who the first is, and touches nothing.

use std::process::{Command, Output};

use maglev_tests::binaries;
use maglev_tests::daemon::{Daemon, Options, file, run};
use maglev_tests::server::Server;
use maglev_tests::vpp::{Farm, Vpp, vip};
use maglev_tests::wait::{SOON, eventually};
use tempfile::TempDir;

/// What another says that is started beside a daemon, on a socket of its own.
fn second(config: &str, state: &str, vpp: &str, socket: &str) -> (Option<i32>, String) {
    let arguments = [
        "--config",
        config,
        "--state-dir",
        state,
        "--vpp-api-addr",
        vpp,
        "--grpc-addr",
        socket,
        "--metrics-addr",
        "",
    ];
    let Output { status, stderr, .. } = run(&arguments);
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_on_the_same_state_is_refused_before_it_binds_or_probes() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    daemon.operator().await.all_up().await;
    // It would probe another server.
    let other = Server::start().await;
    let (directory, config) = file(&other.site("web0").to_string());
    let socket = directory.path().join("second.sock");
    let state = daemon.state();

    let grpc = format!("unix:{}", socket.display());
    let (code, said) = second(&config, &state.display().to_string(), "", &grpc);

    assert_eq!(code, Some(75), "{said}");
    let begin = format!(
        "maglevd: another maglevd (pid {}) runs with the state directory {}",
        daemon.id(),
        state.display()
    );
    assert!(said.contains(&begin), "{said}");
    assert!(said.contains("stop it first, or give this one another --state-dir"), "{said}");
    assert!(!socket.exists(), "it has bound something");
    assert_eq!(other.requests(), 0, "it has probed somebody");
    daemon.operator().await.all_up().await;
}

/// To forget it would put servers that were taken out of service back into it.
#[tokio::test]
async fn what_operators_wanted_and_nobody_can_read_is_not_forgotten() {
    let (directory, config) = file("maglev: {}");
    let state = directory.path().join("state");
    // A directory in its place: this stops root too.
    std::fs::create_dir_all(state.join("intent.json")).expect("a directory");
    let (code, said) = second(&config, &state.display().to_string(), "", "127.0.0.1:0");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("what operators wanted is there and cannot be read"), "{said}");
    assert!(said.contains("intent.json"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_on_the_same_vpp_is_refused_also_without_a_state_directory_and_not_after_a_crash() {
    let (farm, vpp) = (Farm::start(1).await, Vpp::start().await);
    let config = farm.config().pool("site", "primary", &["web0"]);
    let mut daemon = vpp.driven(&config).await;
    let (_directory, path) = file(&config.to_string());
    // Another name of the directory that the socket is in.
    let elsewhere = TempDir::with_prefix("elsewhere-").unwrap();
    let link = elsewhere.path().join("vpp");
    let api = vpp.sim.api_socket().to_owned();
    std::os::unix::fs::symlink(api.parent().unwrap(), &link).unwrap();
    let grpc = format!("unix:{}", elsewhere.path().join("second.sock").display());

    for socket in [api.clone(), link.join(api.file_name().unwrap())] {
        let (code, said) = second(&path, "", &socket.display().to_string(), &grpc);
        assert_eq!(code, Some(75), "{said}");
        let begin =
            format!("maglevd: another maglevd (pid {}) drives the VPP at {}", daemon.id(), socket.display());
        assert!(said.contains(&begin), "{said}");
    }
    assert_eq!(vpp.written(), [""; 0]);

    // What a crash leaves behind is in nobody's way.
    daemon.crash();
    let daemon = daemon.restart().await;
    daemon.operator().await.in_charge().await;
}

/// A user of the machine who may do nothing with VPP.
const STRANGER: u32 = 64_997;

#[tokio::test(flavor = "multi_thread")]
async fn second_in_another_container_is_refused_too() {
    let (farm, vpp) = (Farm::start(1).await, Vpp::start().await);
    let config = farm.config().pool("site", "primary", &["web0"]);
    let daemon = vpp.driven(&config).await;
    let (directory, path) = file(&config.to_string());
    let grpc = format!("unix:{}", directory.path().join("second.sock").display());
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "20", "unshare", "--net", "--mount", "--pid", "--fork"]);
    command.arg(binaries::maglevd()).args(["--config", &path, "--state-dir", "", "--metrics-addr", ""]);
    command.args(["--grpc-addr", &grpc, "--vpp-api-addr", &vpp.sim.api_socket().display().to_string()]);

    let Output { status, stderr, .. } = command.output().unwrap();

    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(75), "{said}");
    assert!(said.contains("another maglevd (its pid cannot be seen from here) drives the VPP at"), "{said}");
    daemon.operator().await.in_charge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn user_without_access_to_vpp_keeps_nobody_from_it() {
    let (farm, vpp) = (Farm::start(1).await, Vpp::start().await);
    let config = farm.config().pool("site", "primary", &["web0"]);
    // As /run/vpp: everybody sees the socket, and few may write to it.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(vpp.directory(), open).unwrap();
    let directory = Some(vpp.directory().to_owned());
    let options = Options { user: Some(STRANGER), vpp: directory, ..Options::default() };
    let stranger = Daemon::start(&config, options).await;
    eventually("refusal of the stranger", SOON, async || stranger.line("no connection to VPP").ok_or("none"))
        .await;
    // What else he can lock: the directory, and names of sockets that are nobody's.
    let at = vpp.directory().display().to_string();
    let uid = format!("--reuid={STRANGER}");
    let mut lock = Command::new("setpriv")
        .args([&uid, "--clear-groups", "flock", "--no-fork", "--exclusive", &at, "sleep", "600"])
        .spawn()
        .unwrap();

    let mut daemon = vpp.driven(&config).await;
    vpp.has(vip(1), [(farm.0[0].ip(), 1)]).await;
    daemon.crash();
    let daemon = daemon.restart().await;
    daemon.operator().await.in_charge().await;

    lock.kill().unwrap();
    lock.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn vpp_that_starts_again_is_driven_by_the_same_one() {
    let (farm, vpp) = (Farm::start(1).await, Vpp::start().await);
    let config = farm.config().pool("site", "primary", &["web0"]);
    let daemon = vpp.driven(&config).await;
    vpp.sim.restart().await.unwrap();
    vpp.has(vip(1), [(farm.0[0].ip(), 1)]).await;
    daemon.operator().await.in_charge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_state_directory_is_made_again_with_its_lock_and_its_content() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    operator.pause("web0").await.unwrap();
    let state = daemon.state();

    std::fs::remove_dir_all(&state).unwrap();

    // Not long after, and without a change: its lock, and what operators want.
    let kept = || std::fs::read_to_string(state.join("intent.json")).unwrap_or_default();
    eventually("content of the new directory", SOON, async || {
        let kept = kept();
        if kept.contains("web0") { Ok(()) } else { Err(kept) }
    })
    .await;
    let (directory, config) = file("maglev: {}");
    let grpc = format!("unix:{}", directory.path().join("second.sock").display());
    let (code, said) = second(&config, &state.display().to_string(), "", &grpc);
    assert_eq!(code, Some(75), "{said}");
    operator.resume("web0").await.unwrap();
    assert!(!kept().contains("web0"));
    assert!(std::fs::read_to_string(state.join("audit.jsonl")).unwrap().contains("ResumeBackend"));
}
