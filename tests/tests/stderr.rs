//! Edge. What becomes of a daemon whose log is not read, or read by a program that ends.

use std::time::{Duration, Instant};

use maglev_api::v1::BackendState;
use maglev_tests::config::Config;
use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::http2::{END_HEADERS, Kind, call, frame, preface};
use maglev_tests::server::{LOOPBACK, Server};
use maglev_tests::wait::{SOON, eventually};
use nix::sys::signal::Signal;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// A daemon that logs much: every probe of many backends with long names, besides the two of `site`.
async fn talkative(dies: &Server, lives: &Server) -> Daemon {
    let config = Config::new()
        .check("dies", &dies.check())
        .check("lives", &lives.check())
        .check("often", &format!("type: tcp, port: {}, interval: 20ms, timeout: 1s", lives.port()))
        .backend("web0", LOOPBACK, "dies")
        .backend("web1", LOOPBACK, "lives")
        .pool("site", "primary", &["web0", "web1"]);
    let names: Vec<_> = (0..30).map(|number| format!("{}{number}", "x".repeat(200))).collect();
    let config = names.iter().fold(config, |config, name| config.backend(name, LOOPBACK, "often"));
    let members: Vec<_> = names.iter().map(String::as_str).collect();
    let config = config.pool("many", "primary", &members);
    Daemon::start(&config, Options { log_level: "debug".to_owned(), ..Options::default() }).await
}

/// Waits until lines are dropped: the pipe is full, and so is the queue.
async fn overflows(daemon: &Daemon) {
    let lost = || daemon.metrics().value("maglev_log_lines_lost_total", &[]);
    let before = lost();
    eventually("lost log lines", 4 * SOON, async || {
        let lost = lost();
        if lost > before { Ok(()) } else { Err(lost) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_that_is_not_read_holds_up_nothing_and_says_what_was_lost() {
    let (dies, lives) = (Server::start().await, Server::start().await);
    let mut daemon = talkative(&dies, &lives).await;
    let mut operator = daemon.operator().await;
    operator.becomes("web0", BackendState::Up, SOON).await;

    daemon.log().stop_reading();
    overflows(&daemon).await;

    // Health, gRPC, state and metrics go on.
    dies.answer(500);
    operator.becomes("web0", BackendState::Down, SOON).await;
    operator.pause("web1").await.unwrap();
    operator.resume("web1").await.unwrap();
    operator.becomes("web1", BackendState::Up, SOON).await;
    daemon.metrics();

    daemon.log().resume_reading();
    let lost = eventually("line that tells what was lost", SOON, async || {
        let lines = daemon.log().lines();
        lines.into_iter().find(|line| line.contains(" log lines lost")).ok_or("none")
    });
    let lost: serde_json::Value = serde_json::from_str(&lost.await).unwrap();
    let number = lost["lines"].as_u64().unwrap();
    assert!(number > 0);
    assert_eq!(lost["message"], format!("{number} log lines lost: standard error was not read fast enough"));

    // The end does not wait for a reader either.
    daemon.log().stop_reading();
    overflows(&daemon).await;
    let signalled = Instant::now();
    daemon.signal(Signal::SIGTERM);
    let status = daemon.ended(Duration::from_secs(20)).await;
    assert!(status.success(), "{status} after {:?}", signalled.elapsed());
}

/// Calls that are made and reset at once, until the daemon closes the connection.
async fn reset_rapidly(to: std::net::SocketAddr) {
    let Ok(mut stream) = TcpStream::connect(to).await else { return };
    let headers = call("/maglev.v1.Maglev/ListNames", &[]);
    let mut bytes = preface(&[]);
    for stream in (1..2000).step_by(2) {
        bytes.extend(frame(Kind::Headers, END_HEADERS, stream, &headers));
        bytes.extend(frame(Kind::Reset, 0, stream, &8_u32.to_be_bytes()));
    }
    // An error is what the daemon should answer with.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.flush().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_libraries_that_a_peer_causes_are_folded() {
    let config = Config::new().backend_with("web0", "address: 127.0.0.1").pool("site", "primary", &["web0"]);
    let options = Options { grpc: vec!["127.0.0.1:0".to_owned()], ..Options::default() };
    let daemon = Daemon::start(&config, options).await;
    let address = daemon.grpc_address();
    for _ in 0..10 {
        let attackers: tokio::task::JoinSet<()> = (0..20).map(|_| reset_rapidly(address)).collect();
        attackers.join_all().await;
    }
    let of_libraries = || {
        let lines = daemon.log().lines();
        let is_foreign =
            |line: &String| line.contains(r#""target":"h2"#) || line.contains(r#""target":"hyper"#);
        lines.into_iter().filter(is_foreign).count()
    };
    let folded = eventually("line with the count", 2 * SOON, async || {
        let lines = daemon.log().lines();
        lines
            .into_iter()
            .find(|line| line.contains(r#""message":"message repeated "#))
            .ok_or_else(of_libraries)
    })
    .await;
    assert!(folded.contains(r#""source":"h2::"#), "{folded}");
    // A few for each kind in each ten seconds, of thousands.
    assert!(of_libraries() < 50, "{}", of_libraries());
}
