//! Edge. Only one maglevd for a state directory and for a VPP: the second says who the first is, and touches nothing.

use std::process::Output;

use maglev_tests::daemon::{Daemon, file, run};
use maglev_tests::server::Server;
use maglev_tests::vpp::{Farm, Vpp};
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
