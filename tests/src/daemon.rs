//! Edge. A running maglevd.

use std::fmt::Display;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::binaries;
use crate::lab::connect_in;
use crate::metrics::Metrics;
use crate::operator::Operator;
use crate::process::{Log, Process};
use crate::wait::{SOON, eventually};

/// How the daemon is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its network namespace; by default that of the test.
    pub namespace: Option<String>,
    /// Where it serves gRPC besides a Unix socket.
    pub grpc: Vec<String>,
    /// Where it serves metrics.
    pub metrics: String,
    /// The directory with the sockets of its VPP, `api.sock` and `stats.sock`; by default it runs without VPP.
    pub vpp: Option<PathBuf>,
    /// The least severe log lines.
    pub log_level: String,
    /// Variables of its environment.
    pub variables: Vec<(String, String)>,
    /// Whether it has no capability at all, as root only by name.
    pub powerless: bool,
    /// The user it runs as; by default that of the test.
    pub user: Option<u32>,
    /// Its state directory; by default one of its own.
    pub state: Option<PathBuf>,
    /// Further arguments.
    pub arguments: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            namespace: None,
            grpc: Vec::new(),
            metrics: "127.0.0.1:0".to_owned(),
            vpp: None,
            log_level: "info".to_owned(),
            variables: Vec::new(),
            powerless: false,
            user: None,
            state: None,
            arguments: Vec::new(),
        }
    }
}

/// How long the daemon has for calls under way when it ends, with room for a busy machine.
pub const DRAIN: Duration = Duration::from_secs(8);

/// A running daemon, with a directory of its own. Killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    options: Options,
    directory: TempDir,
}

impl Daemon {
    /// Starts a daemon on a configuration, and waits until it serves.
    pub async fn start(config: &impl Display, options: Options) -> Self {
        let directory = TempDir::with_prefix("maglevd-").expect("a directory");
        std::fs::write(directory.path().join("maglev.yaml"), config.to_string())
            .expect("a configuration file");
        let process = launch(directory.path(), &options);
        let daemon = Daemon { process, options, directory };
        daemon.served().await
    }

    /// Starts a daemon on loopback with the options that most tests take.
    pub async fn local(config: &impl Display) -> Self {
        Daemon::start(config, Options::default()).await
    }

    /// Starts it again where it was: the same files, the same state.
    pub async fn restart(mut self) -> Self {
        self.process.kill();
        self.process = launch(self.directory.path(), &self.options);
        self.served().await
    }

    /// Ends it without a chance to clean up, and leaves its files as they are.
    pub fn crash(&mut self) {
        self.process.kill();
    }

    /// Its state directory.
    pub fn state(&self) -> PathBuf {
        self.options.state.clone().unwrap_or_else(|| self.directory.path().join("state"))
    }

    /// The health counter of a backend as it is kept for the next start; none where there is no verdict.
    pub fn kept_counter(&self, backend: &str) -> Option<u64> {
        let text = std::fs::read_to_string(self.state().join("health.json")).ok()?;
        let (_, body) = text.split_once('\n')?;
        serde_json::from_str::<Value>(body).ok()?[backend]["counter"].as_u64()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    async fn served(mut self) -> Self {
        eventually("started daemon", SOON, async || {
            if let Some(status) = self.process.status() {
                panic!("maglevd ended at once with {status}: {:#?}", self.process.log());
            }
            self.line("started").ok_or("a daemon that is not ready")
        })
        .await;
        self
    }

    /// Its log: one JSON object a line.
    pub const fn log(&self) -> &Log {
        self.process.log()
    }

    /// The first line of its log with that message.
    pub fn line(&self, message: &str) -> Option<Value> {
        self.said(message).into_iter().next()
    }

    /// Every line of its log with that message.
    pub fn said(&self, message: &str) -> Vec<Value> {
        let lines =
            self.log().lines().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        lines.filter(|line| line["message"] == message).collect()
    }

    /// Where it serves metrics.
    pub fn metrics_address(&self) -> SocketAddr {
        self.address("serving metrics").expect("an address for metrics")
    }

    /// Where it serves gRPC over TCP.
    pub fn grpc_address(&self) -> SocketAddr {
        self.address("serving gRPC").expect("an address for gRPC")
    }

    /// The daemon logs where it listens; a Unix socket is no socket address.
    fn address(&self, message: &str) -> Option<SocketAddr> {
        let said = self.said(message).into_iter();
        said.filter_map(|line| line["address"].as_str().and_then(|address| address.parse().ok())).next()
    }

    /// Somebody who calls it over its Unix socket, and so may do everything.
    pub async fn operator(&self) -> Operator {
        Operator::unix(&self.socket()).await
    }

    /// Its Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("maglevd.sock")
    }

    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.directory.path().join("maglev.yaml")
    }

    /// Writes another configuration file, for it to reload.
    pub fn write(&self, config: &impl Display) {
        std::fs::write(self.config(), config.to_string()).expect("a configuration file");
    }

    /// What Prometheus sees, asked for where the daemon lives.
    pub fn metrics(&self) -> Metrics {
        Metrics::parse(&self.scrape())
    }

    /// The text that Prometheus sees.
    pub fn scrape(&self) -> String {
        let address = SocketAddr::new([127, 0, 0, 1].into(), self.metrics_address().port());
        let connected = match &self.options.namespace {
            Some(namespace) => connect_in(namespace, address),
            None => TcpStream::connect(address),
        };
        let mut stream = connected.expect("a connection for metrics");
        stream.set_read_timeout(Some(SOON)).expect("a timeout");
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a header");
        assert!(head.contains(" 200 "), "{head}");
        body.to_owned()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until it ends.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        self.process.ended(within).await
    }

    /// Ends it as an operator does, and sees that it goes well.
    pub async fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.ended(DRAIN).await;
        assert_eq!(status.code(), Some(0), "maglevd ended with {status}");
    }
}

fn launch(directory: &Path, options: &Options) -> Process {
    let path = |file: &str| directory.join(file).display().to_string();
    let mut program = vec!["env".to_owned()];
    program.extend(options.variables.iter().map(|(name, value)| format!("{name}={value}")));
    if options.powerless {
        program.extend(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"].map(str::to_owned));
    }
    if let Some(user) = options.user {
        std::os::unix::fs::chown(directory, Some(user), Some(user)).expect("a directory of that user");
        let (uid, gid) = (format!("--reuid={user}"), format!("--regid={user}"));
        // Another user's process loses what it was told of its parent's death.
        let words = ["setpriv", &uid, &gid, "--clear-groups", "--pdeathsig", "KILL", "--"];
        program.extend(words.map(str::to_owned));
    }
    program.push(binaries::maglevd().display().to_string());
    let mut add = |flag: &str, value: &str| program.extend([flag.to_owned(), value.to_owned()]);
    add("--config", &path("maglev.yaml"));
    let state = options.state.as_ref().map_or_else(|| path("state"), |state| state.display().to_string());
    add("--state-dir", &state);
    let socket =
        |name| options.vpp.as_ref().map_or(String::new(), |vpp| vpp.join(name).display().to_string());
    add("--vpp-api-addr", &socket("api.sock"));
    add("--vpp-stats-addr", &socket("stats.sock"));
    add("--grpc-addr", &format!("unix:{}", path("maglevd.sock")));
    options.grpc.iter().for_each(|address| add("--grpc-addr", address));
    add("--metrics-addr", &options.metrics);
    add("--log-level", &options.log_level);
    add("--log-format", "json");
    program.extend(options.arguments.iter().cloned());
    Process::spawn("maglevd", options.namespace.as_deref(), &program)
}

/// A configuration file of that text, with its path as an argument. It is gone with the directory.
pub fn file(text: &str) -> (TempDir, String) {
    let directory = TempDir::with_prefix("maglev-config-").expect("a directory");
    let path = directory.path().join("maglev.yaml");
    std::fs::write(&path, text).expect("a configuration file");
    (directory, path.display().to_string())
}

/// Runs maglevd with these arguments until it ends by itself.
pub fn run(arguments: &[&str]) -> Output {
    run_with(&[], arguments)
}

/// The same with variables in its environment.
pub fn run_with(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    // What should have ended and did not is killed, and ends with another code than any of its own.
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "20"]).arg(binaries::maglevd()).args(arguments);
    command.envs(variables.iter().copied()).output().expect("the program timeout, of coreutils")
}
