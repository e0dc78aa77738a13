//! Servers that behave as they are told, badly for the most part, and what tests say about outcomes.
#![allow(dead_code, unreachable_pub, reason = "each test binary has this file, and uses its own part")]

pub mod netns;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use maglev_core::check::{HttpSpec, ProbeSpec, StatusSet, TlsSpec};
use maglev_core::outcome::{Code, Outcome};
use maglev_probe::{Prober, Target};
use regex::Regex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Long enough that a machine under load does not turn another result into a timeout.
pub const PATIENT: Duration = Duration::from_secs(20);

/// For servers that never do what is waited for.
pub const HASTY: Duration = Duration::from_millis(300);

/// How much longer than its timeout a probe may seem to take on a machine under load. It is long because tests share
/// processors with who knows what; a probe that has no timeout would take for ever.
pub const MARGIN: Duration = Duration::from_secs(5);

/// What a server does with a connection, one after the other. After the last step it closes.
#[derive(Clone, Debug)]
pub enum Step {
    /// Reads up to the empty line of a request.
    ReadRequest,
    /// Waits until something has come, and leaves it there.
    AwaitBytes,
    Send(Vec<u8>),
    /// Sends byte by byte with a pause after each.
    Drip(Vec<u8>, Duration),
    /// Sends the same again and again until the peer is gone.
    Flood(Vec<u8>),
    /// Closes with a reset.
    Reset,
    /// Does nothing until the peer is gone.
    Hang,
}

pub fn send(text: impl AsRef<[u8]>) -> Step {
    Step::Send(text.as_ref().to_vec())
}

/// A server and what it has seen.
#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    /// Bytes that went out.
    pub sent: Arc<AtomicU64>,
}

impl Server {
    pub async fn start(bind: &str, steps: Vec<Step>) -> Server {
        let listener = listen(bind);
        let address = listener.local_addr().unwrap();
        let sent = Arc::new(AtomicU64::new(0));
        let server = Server { address, sent: sent.clone() };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A small buffer, so that what was sent is about what was read.
                socket2::SockRef::from(&stream).set_send_buffer_size(16 * 1024).unwrap();
                let (steps, sent) = (steps.clone(), sent.clone());
                tokio::spawn(async move { play(stream, &steps, &sent).await });
            }
        });
        server
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// A listener with room for the connections of a whole test at once.
pub fn listen(bind: &str) -> TcpListener {
    let address: SocketAddr = bind.parse().unwrap();
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
    socket.bind(address).unwrap();
    socket.listen(1024).unwrap()
}

async fn play(mut stream: TcpStream, steps: &[Step], sent: &AtomicU64) {
    for step in steps {
        match step {
            Step::AwaitBytes => stream.readable().await.unwrap(),
            Step::Reset => {
                stream.set_zero_linger().unwrap();
                return;
            }
            step => {
                if act(&mut stream, step, sent).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The steps that make sense on any stream.
pub async fn act<S>(stream: &mut S, step: &Step, sent: &AtomicU64) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match step {
        Step::ReadRequest => {
            read_request(stream).await?;
        }
        Step::Send(bytes) => {
            stream.write_all(bytes).await?;
            stream.flush().await?;
        }
        Step::Drip(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[*byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(*pause).await;
            }
        }
        Step::Flood(bytes) => loop {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let n = stream.write(rest).await?;
                sent.fetch_add(n as u64, Ordering::Relaxed);
                rest = &rest[n..];
            }
        },
        Step::Hang => {
            let mut sink = [0; 1024];
            while stream.read(&mut sink).await? > 0 {}
        }
        Step::AwaitBytes | Step::Reset => unreachable!("only on TCP"),
    }
    Ok(())
}

/// The head of a request.
pub async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap())
}

pub fn get() -> HttpSpec {
    HttpSpec { path: "/".into(), host: None, method: "GET".into(), status: StatusSet::default(), body: None }
}

pub fn get_body(pattern: &str) -> HttpSpec {
    HttpSpec { body: Some(pattern.parse().unwrap()), ..get() }
}

pub fn get_status(status: &str) -> HttpSpec {
    HttpSpec { status: status.parse().unwrap(), ..get() }
}

pub fn http(port: u16, request: HttpSpec) -> ProbeSpec {
    ProbeSpec::Http { port, tls: None, request }
}

pub fn verified_by(ca_file: &std::path::Path) -> TlsSpec {
    TlsSpec { server_name: None, verify: true, ca_file: Some(ca_file.to_owned()), client: None }
}

/// Probes, and again where the machine was too busy for a result: tests share their runtime with servers that flood.
pub async fn run(prober: &Prober, at: SocketAddr, spec: &ProbeSpec, timeout: Duration) -> Outcome {
    let target = Target { address: at.ip(), source: None, spec };
    let mut outcome = prober.run(&target, timeout).await;
    for _ in 0..20 {
        if outcome.code != Code::Stalled {
            break;
        }
        outcome = prober.run(&target, timeout).await;
    }
    outcome
}

/// Asserts the code, that the whole sentence matches `pattern`, and that times add up.
#[track_caller]
pub fn expect(what: &str, outcome: &Outcome, code: Code, pattern: &str) {
    let whole = Regex::new(&format!("^(?:{pattern})$")).unwrap();
    assert_eq!(outcome.code, code, "{what}: {outcome:?}");
    assert!(whole.is_match(&outcome.detail), "{what}: {:?} does not match {pattern:?}", outcome.detail);
    assert!(!outcome.detail.contains(char::is_control), "{what}: {:?}", outcome.detail);
    assert!(outcome.detail.len() < 500, "{what}: {:?}", outcome.detail);
    let timings = outcome.timings;
    let phases = [timings.connect, timings.tls, timings.response].into_iter().flatten().sum::<Duration>();
    assert!(phases <= timings.total, "{what}: {timings:?}");
}

/// Says on the terminal, which the test harness does not catch, that something was not tested.
pub fn skip(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}: {why}");
}
