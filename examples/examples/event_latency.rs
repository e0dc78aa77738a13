//! Driver. What maglevd costs with many backends, and how soon a watcher learns of a verdict.
//!
//! ```console
//! $ cargo build --release -p maglevd
//! $ cargo run --release --example event_latency -- 1000 30
//! ```
//!
//! The arguments are the number of backends, each probed once a second, and the seconds to measure. One more backend is
//! probed every 50 ms and answers 200 and 503 in turn, with rise and fall 1, so that each of its probes makes a verdict.
//! The latency of one is from just before the server writes its answer to when the event has come over gRPC; both ends
//! are in this process, on one clock. What the daemon costs is read from /proc at the end.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use maglev_api::v1::maglev_client::MaglevClient;
use maglev_api::v1::{EventKind, WatchEventsRequest, event::Event as Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout_at};

/// The backend that changes.
const CHANGING: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// When the changing backend last wrote an answer.
type Answered = Arc<Mutex<Option<Instant>>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let backends: u32 =
        arguments.next().as_deref().unwrap_or("1000").parse().context("how many backends?")?;
    let seconds: u64 = arguments.next().as_deref().unwrap_or("30").parse().context("how many seconds?")?;
    ensure!(backends <= 60_000, "there are addresses for 60000 backends");

    let directory = tempfile::tempdir()?;
    let answered = Answered::default();
    let web = serve(Arc::clone(&answered)).await?;
    let config = directory.path().join("maglev.yaml");
    std::fs::write(&config, configuration(backends, web))?;
    let port = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?.port();
    let daemon = start(&config, port)?;
    let pid = daemon.id().context("maglevd has ended")?;

    let mut client = loop {
        match MaglevClient::connect(format!("http://127.0.0.1:{port}")).await {
            Ok(client) => break client,
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    };
    // Every backend has been probed a few times when it begins.
    sleep(Duration::from_secs(5)).await;
    let request = WatchEventsRequest { backend: true, ..WatchEventsRequest::default() };
    let mut events = client.watch_events(request).await?.into_inner();

    let (begin, spent) = (Instant::now(), cpu_time(pid)?);
    let end = tokio::time::Instant::now() + Duration::from_secs(seconds);
    let mut latencies = Vec::new();
    while let Ok(message) = timeout_at(end, events.message()).await {
        let now = Instant::now();
        let event = message?.context("the watch ended")?.event;
        if let Some(Kind::Backend(event)) = event
            && event.backend == "changing"
            && event.kind() == EventKind::Changed
        {
            let written = answered.lock().ok().and_then(|mut answered| answered.take());
            latencies.extend(written.map(|written| now - written));
        }
    }
    let (wall, spent) = (begin.elapsed(), cpu_time(pid)? - spent);

    latencies.sort_unstable();
    ensure!(!latencies.is_empty(), "no backend changed");
    let percentile =
        |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or_default();
    println!("backends         {backends}, each probed once a second");
    println!("memory           {} now, {} at most", status(pid, "VmRSS")?, status(pid, "VmHWM")?);
    println!("processor        {:.1} % of one core", 100.0 * spent.as_secs_f64() / wall.as_secs_f64());
    println!(
        "verdict to event {:?} median, {:?} 99th percentile, of {}",
        percentile(50),
        percentile(99),
        latencies.len()
    );
    Ok(())
}

/// One web server for all backends: Linux answers on all of 127.0.0.0/8.
async fn serve(answered: Answered) -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        let mut changes = 0_u64;
        while let Ok((mut stream, _)) = listener.accept().await {
            let changing = stream.local_addr().is_ok_and(|local| local.ip() == IpAddr::V4(CHANGING));
            changes += u64::from(changing);
            let status = if changing && changes.is_multiple_of(2) { 503 } else { 200 };
            let answered = Arc::clone(&answered);
            tokio::spawn(async move {
                // A probe's request comes in one segment.
                if stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {
                    let answer = format!("HTTP/1.1 {status} Told\r\ncontent-length: 0\r\n\r\n");
                    if changing && let Ok(mut answered) = answered.lock() {
                        *answered = Some(Instant::now());
                    }
                    // A probe that was broken off does not read it.
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    Ok(port)
}

fn configuration(backends: u32, port: u16) -> String {
    let mut text = format!(
        "maglev:
  healthchecks:
    steady: {{type: http, port: {port}, interval: 1s}}
    changing: {{type: http, port: {port}, interval: 50ms, timeout: 40ms, rise: 1, fall: 1, params: {{response-code: 200}}}}
  backends:
    changing: {{address: {CHANGING}, healthcheck: changing}}
"
    );
    let first = u32::from(Ipv4Addr::new(127, 1, 0, 0));
    for number in 0..backends {
        let address = Ipv4Addr::from(first + number);
        text += &format!("    b{number}: {{address: {address}, healthcheck: steady}}\n");
    }
    text += "  frontends:\n";
    for frontend in 0..backends.div_ceil(100) {
        let members =
            (frontend * 100..backends.min((frontend + 1) * 100)).map(|number| format!("b{number}: {{}}"));
        let members = members.collect::<Vec<_>>().join(", ");
        text += &format!(
            "    f{frontend}: {{address: 203.0.113.1, protocol: tcp, port: {}, pools: [{{name: p, backends: {{{members}}}}}]}}\n",
            frontend + 1
        );
    }
    text
}

/// Starts the maglevd that was built with the same profile as this example.
fn start(config: &Path, port: u16) -> anyhow::Result<Child> {
    let example = std::env::current_exe()?;
    let program: PathBuf =
        example.ancestors().nth(2).context("not where cargo puts examples")?.join("maglevd");
    Command::new(&program)
        .arg("--config")
        .arg(config)
        .args([
            &format!("--grpc-addr=127.0.0.1:{port}"),
            "--metrics-addr=",
            "--vpp-api-addr=",
            "--state-dir=",
        ])
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}; build it first", program.display()))
}

/// A line of /proc/PID/status.
fn status(pid: u32, name: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    Ok(line.with_context(|| format!("no {name}"))?.trim().to_owned())
}

/// What the process has used of the processor, in user and kernel mode.
fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Fields are counted from behind the name, which can hold blanks: proc(5).
    let fields: Vec<_> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    let ticks = ticks(11).zip(ticks(12)).context("no times")?;
    // USER_HZ is 100 on every Linux.
    Ok(Duration::from_millis((ticks.0 + ticks.1) * 10))
}
