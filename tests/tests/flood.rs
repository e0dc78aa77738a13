//! Edge. Peers that do not play by the rules, on every listener: memory has an end, others are served meanwhile, and each
//! is refused with a reason.
//!
//! `MAGLEV_TESTS_FLOOD=1` sends as much as the attacks are known for; without it, enough to see that there is an end.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use maglev_api::v1;
use maglev_tests::authority::Authority;
use maglev_tests::config::Config;
use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::http2::{END_HEADERS, END_STREAM, End, Kind, Stream, attack, call, frame, preface};
use maglev_tests::wait::{SOON, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// What the daemon may have in memory at any time, and more than ten times what it has at rest.
const MEMORY: f64 = 256.0 * (1 << 20) as f64;

/// How long another client may wait meanwhile, on a machine that is busy with the attack itself.
const OTHERS: Duration = Duration::from_secs(2);

/// How long the daemon may look on.
const PATIENCE: Duration = Duration::from_secs(15);

fn full() -> bool {
    std::env::var_os("MAGLEV_TESTS_FLOOD").is_some_and(|value| value == "1")
}

/// So many, or as many as the real thing has.
fn scaled(short: u32, long: u32) -> u32 {
    if full() { long } else { short }
}

struct Scene {
    daemon: Daemon,
    authority: Authority,
    address: SocketAddr,
    socket: PathBuf,
    _files: tempfile::TempDir,
}

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Plain,
    Tls,
    Unix,
}

const DOORS: [Door; 3] = [Door::Plain, Door::Tls, Door::Unix];

impl Scene {
    async fn start(backends: u32) -> Self {
        let files = tempfile::tempdir().unwrap();
        let path = |name: &str| files.path().join(name);
        let authority = Authority::new();
        authority.certify(&["maglevd"]).write(&path("cert.pem"), &path("key.pem"));
        let flags = [("--tls-cert", "cert.pem"), ("--tls-key", "key.pem")];
        let mut arguments: Vec<_> = flags
            .iter()
            .flat_map(|(flag, file)| [(*flag).to_owned(), path(file).display().to_string()])
            .collect();
        arguments.push("--metrics-tls".to_owned());
        let options = Options { grpc: vec!["127.0.0.1:0".to_owned()], arguments, ..Options::default() };
        let config = (0..backends).fold(Config::new(), |config, number| {
            config.backend_with(
                &format!("web{number}"),
                &format!("address: 10.0.{}.{}", number / 250, number % 250 + 1),
            )
        });
        let daemon = Daemon::start(&config, options).await;
        let (address, socket) = (daemon.grpc_address(), daemon.socket());
        Scene { daemon, authority, address, socket, _files: files }
    }

    async fn open(&self, door: Door) -> Box<dyn Stream> {
        match door {
            Door::Plain => Box::new(TcpStream::connect(self.address).await.unwrap()),
            Door::Unix => Box::new(UnixStream::connect(&self.socket).await.unwrap()),
            Door::Tls => {
                let tcp = TcpStream::connect(self.address).await.unwrap();
                let session = self.authority.connector(None).connect("maglevd".try_into().unwrap(), tcp);
                Box::new(session.await.unwrap())
            }
        }
    }

    /// Another client is served, and memory is bounded. Returns what is resident, in MiB.
    async fn others_are_served(&self, during: &str) -> f64 {
        let begun = Instant::now();
        let mut operator = self.daemon.operator().await;
        operator.client.get_version(v1::GetVersionRequest {}).await.unwrap();
        let took = begun.elapsed();
        assert!(took < OTHERS, "another client waited for {took:?} during {during}");
        let resident = self.daemon.metrics().value("process_resident_memory_bytes", &[]);
        assert!(resident < MEMORY, "{} MiB are resident during {during}", resident / f64::from(1 << 20));
        resident / f64::from(1 << 20)
    }

    /// Attacks through every door, while others are served.
    async fn besieged(
        &self,
        what: &str,
        first: &[u8],
        next: impl Fn(u32) -> Option<Vec<u8>> + Clone + Send + 'static,
        fits: impl Fn(End) -> bool,
    ) {
        for door in DOORS {
            let stream = self.open(door).await;
            let attacked = tokio::spawn(attack(stream, first.to_vec(), next.clone(), PATIENCE));
            let during = self.others_are_served(what).await;
            let end = attacked.await.unwrap();
            let after = self.others_are_served(what).await;
            eprintln!("{what} over {door:?}: {end:?}, {during:.0} MiB during it and {after:.0} MiB after it");
            assert!(fits(end), "{what} over {door:?} ended with {end:?}");
        }
    }
}

const VERSION: &str = "/maglev.v1.Maglev/GetVersion";

fn stream(number: u32) -> u32 {
    number * 2 + 1
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_http2_end_with_a_reason() {
    let scene = Scene::start(2).await;
    let refused = |end| matches!(end, End::GoAway(_) | End::Reset(_) | End::Closed | End::Answered);
    let many = scaled(20_000, 1_000_000);

    // CVE-2023-44487.
    let headers = call(VERSION, &[]);
    scene
        .besieged(
            "rapid reset",
            &preface(&[]),
            move |number| {
                let open = frame(Kind::Headers, END_HEADERS | END_STREAM, stream(number), &headers);
                let reset = frame(Kind::Reset, 0, stream(number), &8_u32.to_be_bytes());
                (number < many).then(|| [open, reset].concat())
            },
            |end| matches!(end, End::GoAway(11) | End::Closed),
        )
        .await;

    // CVE-2024-27983 and others.
    let first = [preface(&[]), frame(Kind::Headers, 0, 1, &call(VERSION, &[]))].concat();
    scene
        .besieged(
            "headers without end",
            &first,
            move |number| {
                let more = call(VERSION, &[("x", &"y".repeat(8000))]);
                (number < many).then(|| frame(Kind::Continuation, 0, 1, &more))
            },
            |end| matches!(end, End::GoAway(_) | End::Closed),
        )
        .await;

    let large = call(VERSION, &[("x", &"y".repeat(15_000)), ("z", &"y".repeat(100))]);
    let first = [preface(&[]), frame(Kind::Headers, END_HEADERS | END_STREAM, 1, &large)].concat();
    scene
        .besieged("large headers", &first, |_| None, |end| matches!(end, End::Answered | End::Reset(_)))
        .await;

    // CVE-2019-9512, -9515 and -9518.
    scene
        .besieged(
            "settings",
            &preface(&[]),
            move |number| (number < many).then(|| frame(Kind::Settings, 0, 0, &[]).repeat(60)),
            |end| end == End::Closed,
        )
        .await;
    scene
        .besieged(
            "pings",
            &preface(&[]),
            move |number| (number < many).then(|| frame(Kind::Ping, 0, 0, &[7; 8]).repeat(60)),
            |end| end == End::Closed,
        )
        .await;
    let first = [preface(&[]), frame(Kind::Headers, END_HEADERS, 1, &call(VERSION, &[]))].concat();
    scene
        .besieged(
            "empty data",
            &first,
            move |number| (number < many).then(|| frame(Kind::Data, 0, 1, &[]).repeat(10)),
            refused,
        )
        .await;

    let headers = call(VERSION, &[]);
    scene
        .besieged(
            "calls that never end",
            &preface(&[]),
            move |number| {
                (number < many).then(|| frame(Kind::Headers, END_HEADERS, stream(number), &headers))
            },
            refused,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_without_measure_are_refused() {
    let scene = Scene::start(2).await;
    let gib = (1_u32 << 30).to_be_bytes();
    let declared = [&[0], &gib[..]].concat();
    let first = [
        preface(&[]),
        frame(Kind::Headers, END_HEADERS, 1, &call("/maglev.v1.Maglev/PlanVPPLBState", &[])),
        frame(Kind::Data, 0, 1, &declared),
    ]
    .concat();
    let refused = |end| matches!(end, End::Answered | End::Reset(_) | End::GoAway(_) | End::Closed);
    scene.besieged("a GiB that is declared", &first, |_| None, refused).await;
    // It is sent whatever the daemon says of its window.
    let chunk = vec![0; 16_000];
    let many = scaled(2000, 68_000);
    scene
        .besieged(
            "a GiB that is sent",
            &first,
            move |number| (number < many).then(|| frame(Kind::Data, 0, 1, &chunk)),
            refused,
        )
        .await;
    // A compressed message that would be large.
    let first = [
        preface(&[]),
        frame(Kind::Headers, END_HEADERS, 1, &call(VERSION, &[("grpc-encoding", "gzip")])),
        frame(Kind::Data, END_STREAM, 1, &[1, 0, 0, 0, 4, 0x1f, 0x8b, 8, 0]),
    ]
    .concat();
    scene.besieged("a compressed message", &first, |_| None, |end| end == End::Answered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_are_bounded() {
    let scene = Scene::start(500).await;
    // No window for data, and then as many large answers as one connection may ask for, from many connections.
    let mut held = Vec::new();
    for _ in 0..scaled(4, 64) {
        let mut stream = scene.open(Door::Plain).await;
        stream.write_all(&preface(&[(4, 0)])).await.unwrap();
        for number in 0..100 {
            let headers = frame(
                Kind::Headers,
                END_HEADERS,
                self::stream(number),
                &call("/maglev.v1.Maglev/ListBackends", &[]),
            );
            let body = frame(Kind::Data, END_STREAM, self::stream(number), &[0; 5]);
            stream.write_all(&[headers, body].concat()).await.unwrap();
        }
        held.push(stream);
    }
    let resident = scene.others_are_served("answers that nobody reads").await;
    eprintln!("{resident:.0} MiB with {} connections of unread answers", held.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tls_and_no_http_is_closed() {
    let scene = Scene::start(2).await;
    for door in DOORS {
        for (what, bytes) in [
            ("garbage", vec![0xa5; 4096]),
            ("a TLS record of garbage", [&[0x16, 3, 1, 0x3f, 0xff][..], &[0xa5; 0x3fff]].concat()),
            ("HTTP/1.1", b"GET / HTTP/1.1\r\nhost: maglevd\r\n\r\n".to_vec()),
        ] {
            let mut stream = scene.open(door).await;
            // It may be closed before all is written.
            let _ = stream.write_all(&bytes).await;
            let closed = async { while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} };
            tokio::time::timeout(PATIENCE, closed).await.unwrap_or_else(|_| panic!("{what} over {door:?}"));
        }
    }
    // Half a handshake is closed once its time is over.
    let mut half = TcpStream::connect(scene.address).await.unwrap();
    half.write_all(&[0x16, 3, 1, 2, 0]).await.unwrap();
    scene.others_are_served("half a handshake").await;
    let read = tokio::time::timeout(PATIENCE, half.read(&mut [0; 100])).await;
    assert!(matches!(read, Ok(Ok(0) | Err(_))), "{read:?}");
    let failed = |result: &str| {
        let labels = [("listener", "grpc"), ("result", result)];
        scene.daemon.metrics().value("maglev_connections_total", &labels)
    };
    assert!(failed("handshake_failed") >= 1.0 && failed("handshake_timeout") >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_make_room_for_others() {
    let scene = Scene::start(2).await;
    let many = scaled(1000, 100_000);
    let mut idle: Vec<TcpStream> = Vec::new();
    for number in 0..many {
        idle.push(TcpStream::connect(scene.address).await.unwrap());
        // The daemon holds 256; so that this side has room too, those that it has closed are let go.
        if idle.len() > 600 {
            idle.drain(..300);
        }
        if number % 500 == 499 {
            scene.others_are_served("idle connections").await;
            // Also over the same listener, where an idle one leaves for it.
            let begun = Instant::now();
            let stream = std::net::TcpStream::connect(scene.address).unwrap();
            let mut operator = maglev_tests::operator::Operator::over(stream).await;
            operator.client.get_version(v1::GetVersionRequest {}).await.unwrap();
            assert!(begun.elapsed() < OTHERS, "{:?}", begun.elapsed());
        }
    }
    let labels = [("listener", "grpc"), ("result", "evicted")];
    eventually("evictions", SOON, async || {
        let evicted = scene.daemon.metrics().value("maglev_connections_total", &labels);
        // Not all: some were let go by this side before the daemon came to them.
        if evicted >= f64::from(many) / 10.0 { Ok(()) } else { Err(evicted) }
    })
    .await;
    let lines = scene.daemon.said("gRPC connection closed to make room for another").len();
    assert!((1..100).contains(&lines), "{lines} lines in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_served_beside_requests_without_end() {
    let scene = Scene::start(2).await;
    let address = scene.daemon.metrics_address();
    let mut endless = TcpStream::connect(address).await.unwrap();
    endless.write_all(b"GET /metrics HTTP/1.1\r\n").await.unwrap();
    let line = [b"x-".as_slice(), &[b'y'; 1000], b": z\r\n"].concat();
    let mut sent = 0_u64;
    let limit = if full() { 1 << 30 } else { 16 << 20 };
    while sent < limit && endless.write_all(&line).await.is_ok() {
        sent += line.len() as u64;
    }
    assert!(sent < limit, "all of it was taken");
    // More than there are places, each with a request that never comes.
    let mut slow = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(b"GET /me").await;
        slow.push(stream);
    }
    let begun = Instant::now();
    scene.others_are_served("slow requests for metrics").await;
    assert!(begun.elapsed() < OTHERS * 2);
    let mut garbage = TcpStream::connect(address).await.unwrap();
    garbage.write_all(&[0x16, 3, 1, 0, 4, 1, 2, 3, 4]).await.unwrap();
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, garbage.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "garbage in place of TLS is closed");
}
