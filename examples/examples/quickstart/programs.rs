//! Edge. The real maglevd and maglevc, as they are installed on a router.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use maglev_api::v1::maglev_client::MaglevClient;
use maglev_api::v1::{
    BackendState, GetVppInfoRequest, ListBackendsRequest, PlanVpplbStateRequest, VppStatus,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Longer than anything here takes that works.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the programs are.
pub(crate) struct Programs {
    maglevd: PathBuf,
    pub(crate) maglevc: PathBuf,
}

impl Programs {
    /// Builds them beside this example, with the same profile.
    pub(crate) async fn build() -> anyhow::Result<Self> {
        let example = std::env::current_exe()?;
        // target/debug/examples/quickstart
        let directory = example.ancestors().nth(2).context("this is not where cargo puts examples")?;
        let target = directory.parent().context("this is not where cargo puts examples")?;
        let profile = match directory.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--package", "maglevd", "--package", "maglevc", "--profile", profile])
            .arg("--target-dir")
            .arg(target)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
            .kill_on_drop(true)
            .status()
            .await
            .context("cannot run cargo")?;
        ensure!(status.success(), "maglevd and maglevc cannot be built");
        Ok(Programs { maglevd: directory.join("maglevd"), maglevc: directory.join("maglevc") })
    }
}

/// Ports that are free now. Nothing keeps them so, but the kernel does not hand out the same again soon.
pub(crate) fn free_ports<const N: usize>() -> std::io::Result<[u16; N]> {
    let mut ports = [0; N];
    let mut held = Vec::new();
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// A running maglevd.
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
    port: u16,
}

impl Daemon {
    /// Starts it with its files in a directory: configuration, VPP's sockets, state, log.
    pub(crate) fn start(programs: &Programs, directory: &Path, ports: [u16; 2]) -> anyhow::Result<Self> {
        let [port, metrics] = ports;
        let log = directory.join("maglevd.log");
        let child = Command::new(&programs.maglevd)
            .arg("--config")
            .arg(directory.join("maglev.yaml"))
            .args([format!("--grpc-addr=127.0.0.1:{port}"), format!("--metrics-addr=127.0.0.1:{metrics}")])
            .arg("--vpp-api-addr")
            .arg(directory.join("api.sock"))
            .arg("--vpp-stats-addr")
            .arg(directory.join("stats.sock"))
            .arg("--state-dir")
            .arg(directory.join("state"))
            .args(["--log-format", "text"])
            .stderr(std::fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", programs.maglevd.display()))?;
        Ok(Daemon { child, log, port })
    }

    /// Waits until all servers are up and VPP has them.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready().await {
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                bail!("maglevd did not get ready; its log:\n{}", std::fs::read_to_string(&self.log)?);
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut client) = MaglevClient::connect(format!("http://127.0.0.1:{}", self.port)).await else {
            return false;
        };
        let Ok(listed) = client.list_backends(ListBackendsRequest {}).await else { return false };
        let up = listed.into_inner().backends.iter().all(|backend| backend.state() == BackendState::Up);
        let vpp = client.get_vpp_info(GetVppInfoRequest {}).await;
        let in_charge = vpp.is_ok_and(|vpp| vpp.into_inner().status() == VppStatus::Connected);
        let plan = client.plan_vpplb_state(PlanVpplbStateRequest::default()).await;
        up && in_charge && plan.is_ok_and(|plan| plan.into_inner().operations.is_empty())
    }

    /// Ends it as systemd does, and waits for it.
    pub(crate) async fn stop(mut self) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // It may have ended by itself; and if it does not end, dropping it kills it.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
            let _ = timeout(PATIENCE, self.child.wait()).await;
        }
    }
}

/// `maglevc` with the daemon's address and, on a terminal, colours.
#[derive(Clone)]
pub(crate) struct Maglevc {
    program: PathBuf,
    port: u16,
    color: bool,
}

impl Maglevc {
    pub(crate) fn new(programs: &Programs, port: u16, color: bool) -> Self {
        Maglevc { program: programs.maglevc.clone(), port, color }
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(format!("--server=127.0.0.1:{}", self.port));
        command.arg(format!("--color={}", self.color));
        command.args(words.split(' ')).kill_on_drop(true);
        command
    }

    /// What it prints.
    pub(crate) async fn run(&self, words: &str) -> anyhow::Result<String> {
        let output = timeout(PATIENCE, self.command(words).output()).await??;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "maglevc {words}: {}", errors.trim());
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// `watch events`, as it goes on.
    pub(crate) fn watch(&self) -> anyhow::Result<Watch> {
        let mut child = self.command("watch events").stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("no output")?;
        Ok(Watch { _child: child, lines: BufReader::new(output).lines() })
    }
}

/// A running `maglevc watch events`. It ends when this is dropped.
pub(crate) struct Watch {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    /// Hands over lines as they come, up to the first that has all of these words.
    pub(crate) async fn until(&mut self, words: &[&str], mut show: impl FnMut(&str)) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = timeout_at(deadline, self.lines.next_line())
                .await
                .with_context(|| format!("maglevc watch events did not tell of {}", words.join(" ")))??
                .context("maglevc watch events ended")?;
            show(&line);
            if words.iter().all(|word| line.contains(word)) {
                return Ok(());
            }
        }
    }

    /// Forwards lines as they come, to the end of the watch. Dropping the future loses no line.
    pub(crate) async fn forward(&mut self, mut show: impl FnMut(&str)) {
        while let Ok(Some(line)) = self.lines.next_line().await {
            show(&line);
        }
    }
}
