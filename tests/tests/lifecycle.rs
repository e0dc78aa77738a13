//! Edge. How the daemon starts, ends, and comes back.

use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use maglev_api::v1::BackendState;
use maglev_tests::config::Config;
use maglev_tests::daemon::{DRAIN, Daemon, Options, file, run, run_with};
use maglev_tests::server::{LOOPBACK, Server};
use maglev_tests::wait::{SOON, eventually};
use nix::sys::signal::Signal;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;

#[tokio::test]
async fn a_crash_and_a_restart_cause_no_wrong_verdict() {
    let servers = [Server::start().await, Server::start().await, Server::start().await];
    let names = ["good", "bad", "frozen"];
    let config = names.iter().zip(&servers).fold(Config::new(), |config, (name, server)| {
        config.check(name, &server.check()).backend(name, LOOPBACK, name)
    });
    let [_good, bad, frozen] = &servers;
    let config = config.pool("site", "primary", &names);
    let daemon = Daemon::local(&config).await;
    let mut operator = daemon.operator().await;
    operator.all_well().await;
    bad.answer(500);
    operator.becomes("bad", BackendState::Down, SOON).await;
    // What is on disk is at most about a second old.
    eventually("verdicts on disk", SOON, async || {
        let counters = names.map(|name| daemon.kept_counter(name));
        if matches!(counters, [Some(4), Some(0 | 1), Some(4)]) { Ok(()) } else { Err(counters) }
    })
    .await;

    // What was up before the crash does not answer any more after it.
    frozen.hang();
    let daemon = daemon.restart().await;
    let mut operator = daemon.operator().await;

    let states = operator.states().await;
    assert_eq!(
        states.values().copied().collect::<Vec<_>>(),
        [BackendState::Down, BackendState::Up, BackendState::Up]
    );
    let backend = operator.becomes("frozen", BackendState::Down, SOON).await;
    let transition = &backend.transitions[0];
    assert_eq!(
        (backend.transitions.len(), transition.from(), transition.code.as_str()),
        (1, BackendState::Up, "L7TOUT"),
        "it went down by its failures, not for want of a verdict"
    );
    for (name, state, code) in [("good", BackendState::Up, "L7OK"), ("bad", BackendState::Down, "L7STS")] {
        let backend = operator.probed(name, code).await;
        assert_eq!((backend.state(), backend.transitions.len()), (state, 0), "{name} is as it was");
    }
}

#[tokio::test]
async fn what_operators_want_survives_a_crash() {
    let servers = [Server::start().await, Server::start().await, Server::start().await];
    let names = ["paused", "disabled", "weighted"];
    let config = names.iter().zip(&servers).fold(Config::new(), |config, (name, server)| {
        config.check(name, &server.check()).backend(name, LOOPBACK, name)
    });
    let daemon = Daemon::local(&config.pool("site", "primary", &names)).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    operator.pause("paused").await.unwrap();
    operator.disable("disabled").await.unwrap();
    operator.weigh(["site", "primary", "weighted"], 7).await.unwrap();

    let daemon = daemon.restart().await;
    let mut operator = daemon.operator().await;

    operator.becomes("weighted", BackendState::Up, SOON).await;
    assert_eq!(operator.backend("paused").await.state(), BackendState::Paused);
    assert_eq!(operator.backend("disabled").await.state(), BackendState::Disabled);
    let weights: Vec<u32> = operator.frontend("site").await.pools[0]
        .backends
        .iter()
        .map(|member| member.effective_weight)
        .collect();
    assert_eq!(weights, [0, 0, 7]);
    let intent = operator.backend("paused").await.intent.unwrap().attribution.unwrap();
    assert_eq!(intent.reason, "a test");
}

#[tokio::test]
async fn sigterm_ends_it_though_peers_hold_on() {
    let server = Server::start().await;
    let options = Options { grpc: vec!["127.0.0.1:0".to_owned()], ..Options::default() };
    let mut daemon = Daemon::start(&server.site("web0"), options).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let mut watcher = operator.watch().await;
    watcher.present().await;
    // A watcher that does not read, a call whose request never ends, and two peers that fell silent half way.
    let _deaf = operator.watch().await;
    let mut reflection = ServerReflectionClient::new(daemon.operator().await.channel());
    let _endless = reflection.server_reflection_info(tokio_stream::pending()).await.unwrap();
    let mut half_grpc = TcpStream::connect(daemon.grpc_address()).unwrap();
    half_grpc.write_all(b"PRI * HTTP/2.0\r\n\r\nSM").unwrap();
    let mut half_http = TcpStream::connect(daemon.metrics_address()).unwrap();
    half_http.write_all(b"GET /metrics HTTP/1.1\r\nhost: ").unwrap();

    daemon.signal(Signal::SIGTERM);
    let ending = watcher.end().await;
    let status = daemon.ended(DRAIN).await;

    assert_eq!(status.code(), Some(0), "{status}");
    assert!(ending.is_none_or(|status| status.message().contains("shutting down")));
}

#[tokio::test]
async fn with_nobody_holding_on_it_ends_at_once() {
    let server = Server::start().await;
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut daemon = Daemon::local(&server.site("web0")).await;
        let mut operator = daemon.operator().await;
        operator.all_up().await;
        operator.watch().await.present().await;

        let begun = Instant::now();
        daemon.signal(signal);
        let status = daemon.ended(DRAIN).await;

        assert_eq!(status.code(), Some(0), "{signal}: {status}");
        let took = begun.elapsed();
        assert!(took.as_secs() < 3, "{signal}: {took:?} though nothing was under way");
    }
}

/// Checks a file of that text, and returns the exit code, standard output and standard error.
fn check(text: &str) -> (Option<i32>, String, String) {
    let (_directory, path) = file(text);
    let output = run(&["--check", "--vpp-api-addr", "", "--config", &path]);
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&path, "FILE");
    (output.status.code(), words(&output.stdout), words(&output.stderr))
}

const VALID: &str = "maglev:
  healthchecks:
    web: {type: http, port: 80}
  backends:
    web0: {address: 192.0.2.11, healthcheck: web}
  frontends:
    site: {address: 203.0.113.1, protocol: tcp, port: 80, pools: [{name: primary, backends: {web0: {}}}]}
";

#[test]
fn check_takes_what_is_valid() {
    let (code, out, _) = check(VALID);
    assert_eq!((code, out.as_str()), (Some(0), "FILE is valid\n"));
}

#[test]
fn check_warns_of_what_is_odd_and_takes_it() {
    let (code, _, err) =
        check(&VALID.replace("port: 80}\n  backends", "port: 80, interval: 1s, timeout: 2s}\n  backends"));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.starts_with("FILE:3:") && err.contains("warning"), "{err}");
}

#[test]
fn check_refuses_what_is_not_a_configuration_with_1() {
    for (broken, place) in [
        (VALID.replace("type: http", "tipe: http"), "FILE:3:11:"),
        (VALID.replace("port: 80}\n  backends", "port: many}\n  backends"), "FILE:3:"),
        (
            VALID.replace("web0: {address: 192.0.2.11,", "web0: {address: 192.0.2.11, address: 192.0.2.12,"),
            "FILE:5:",
        ),
        (VALID.replace("healthcheck: web}", "healthcheck: web"), "FILE:"),
        (String::new(), "FILE:1:1:"),
    ] {
        let (code, out, err) = check(&broken);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.contains(place), "nothing at {place} in {err}");
    }
}

#[test]
fn check_refuses_what_makes_no_sense_with_2_and_all_of_it_at_once() {
    let broken = VALID
        .replace("port: 80}\n  backends", "port: 80, rise: 0}\n  backends")
        .replace("healthcheck: web}", "healthcheck: wep}")
        .replace("{web0: {}}", "{web9: {}}");
    let (code, out, err) = check(&broken);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    for (place, words) in [("FILE:3:", "rise"), ("FILE:5:", "wep"), ("FILE:7:", "web9")] {
        let line = err.lines().find(|line| line.starts_with(place));
        assert!(line.is_some_and(|line| line.contains(words)), "nothing of {words} at {place} in {err}");
    }
}

#[test]
fn a_flag_beats_its_variable() {
    let refusal = |arguments: &[&str], variable: &str| {
        let output = run_with(&[("MAGLEV_CONFIG", variable)], arguments);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let words = refusal(&["--check"], "/no/such/variable.yaml");
    assert!(words.contains("/no/such/variable.yaml"), "{words}");
    let words = refusal(&["--check", "--config=/no/such/flag.yaml"], "/no/such/variable.yaml");
    assert!(words.contains("/no/such/flag.yaml") && !words.contains("variable"), "{words}");
}

#[test]
fn check_says_which_file_it_cannot_read() {
    let output = run(&["--check", "--config", "/no/such/maglev.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/maglev.yaml"));
}

#[test]
fn check_refuses_what_a_start_could_not_use() {
    let (_directory, path) = file(VALID);
    for (flag, value, more) in [
        ("--tls-cert", "/no/such/cert.pem", &["--tls-key", "/no/such/key.pem"][..]),
        ("--metrics-token-file", "/no/such/tokens", &[]),
        ("--state-dir", "/dev/null", &[]),
        ("--grpc-addr", "unix:/no/such/socket", &[]),
    ] {
        let flags = ["--check", "--vpp-api-addr", "", "--config", &path, flag, value];
        let output = run(&[&flags[..], more].concat());
        assert_eq!(output.status.code(), Some(1), "{flag}");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(words.contains(flag) && words.contains(value.trim_start_matches("unix:")), "{flag}: {words}");
    }
    let https =
        VALID.replace("type: http, port: 80", "type: https, port: 443, params: {ca-file: /no/such/ca.pem}");
    let (status, _, words) = check(&https);
    assert_eq!(status, Some(2));
    assert!(
        words.contains("FILE:3:53: ") && words.contains("cannot read the ca-file /no/such/ca.pem"),
        "{words}"
    );
}

#[test]
fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (_directory, path) = file(VALID);

    for (flags, what) in [
        (["--grpc-addr", &address, "--metrics-addr", ""], "gRPC"),
        (["--grpc-addr", "127.0.0.1:0", "--metrics-addr", &address], "metrics"),
    ] {
        let mut arguments = vec!["--config", &path, "--vpp-api-addr", "", "--state-dir", ""];
        arguments.extend(flags);
        let output = run(&arguments);
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}");
        for part in [what, &address, "in use"] {
            assert!(words.contains(part), "no {part} in {words}");
        }
    }
}

#[test]
fn a_broken_configuration_is_refused_before_anything_listens() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (_directory, path) = file(&VALID.replace("healthcheck: web}", "healthcheck: wep}"));

    let output = run(&["--config", &path, "--vpp-api-addr", "", "--state-dir", "", "--grpc-addr", &address]);

    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains("wep") && !words.contains("in use"), "{words}");
}
