//! Edge. A daemon that does not run for a while, or gets too little processor time, drains nobody by it.

#![expect(clippy::expect_used, reason = "a test that cannot stop its daemon has failed")]

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use maglev_api::v1::BackendState;
use maglev_tests::daemon::Daemon;
use maglev_tests::requirements::skip;
use maglev_tests::wait::eventually;
use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How many servers are well all the time.
const HEALTHY: usize = 200;

/// How long a healthy server takes for its answer.
const ANSWER: Duration = Duration::from_millis(50);

/// Until everything is found out on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(90);

/// Web servers on every address of 127.0.0.0/8 at one port. Gone when dropped.
struct Servers {
    port: u16,
    task: JoinHandle<()>,
}

impl Servers {
    async fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    if stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
                        tokio::time::sleep(ANSWER).await;
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                    }
                });
            }
        });
        Servers { port, task }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A daemon with 200 servers that stay well and one more that will die.
struct Scene {
    daemon: Daemon,
    _healthy: Servers,
    mortal: Option<Servers>,
}

impl Scene {
    async fn start() -> Self {
        let (healthy, mortal) = (Servers::start().await, Servers::start().await);
        let check = "type: http, interval: 1s, fast-interval: 300ms, timeout: 300ms, rise: 2, fall: 3";
        let mut text = format!(
            "maglev:\n  healthchecks:\n    web: {{{check}, port: {}}}\n    mortal: {{{check}, port: {}}}\n  backends:\n",
            healthy.port, mortal.port
        );
        for i in 0..HEALTHY {
            let _ = writeln!(text, "    web{i}: {{address: 127.1.0.{}, healthcheck: web}}", i + 1);
        }
        text.push_str("    mortal: {address: 127.2.0.1, healthcheck: mortal}\n  frontends:\n    site:\n");
        text.push_str(
            "      address: 203.0.113.1\n      pools:\n        - name: primary\n          backends:\n",
        );
        for i in 0..HEALTHY {
            let _ = writeln!(text, "            web{i}: {{}}");
        }
        text.push_str("            mortal: {}\n");
        let scene = Scene { daemon: Daemon::local(&text).await, _healthy: healthy, mortal: Some(mortal) };
        scene.everything_up().await;
        scene
    }

    async fn everything_up(&self) {
        eventually("server that is up", PATIENCE, async || {
            let metrics = self.daemon.metrics();
            match metrics.sum("maglev_backend_state", &[("state", "up")]) as usize {
                up if up == HEALTHY + 1 => Ok(()),
                up => Err(up),
            }
        })
        .await;
    }

    /// Nobody was drained, and a server that dies now is found.
    async fn well(mut self) {
        let metrics = self.daemon.metrics();
        let drained = metrics.sum("maglev_backend_transitions_total", &[("from", "up")]);
        let fallen: Vec<_> = self.daemon.said("backend is down");
        assert_eq!(drained, 0.0, "{fallen:#?}");
        assert!(metrics.value("maglev_stalled_seconds_total", &[]) > 0.0);

        self.mortal = None;
        let mut operator = self.daemon.operator().await;
        eventually("dead server that is down", PATIENCE, async || {
            match operator.backend("mortal").await.state() {
                BackendState::Down => Ok(()),
                state => Err(state),
            }
        })
        .await;
        let metrics = self.daemon.metrics();
        assert_eq!(
            metrics.sum("maglev_backend_transitions_total", &[("from", "up")]),
            1.0,
            "only the dead one"
        );
        eventually("end of the shortage", PATIENCE, async || {
            match self.daemon.metrics().value("maglev_processor_short", &[]) {
                0.0 => Ok(()),
                short => Err(short),
            }
        })
        .await;
        self.daemon.stop().await;
    }

    /// Stops the daemon for `off` and lets it run for `on`, again and again.
    async fn interrupted(&self, cycles: u32, off: Duration, on: Duration) {
        for _ in 0..cycles {
            self.daemon.signal(Signal::SIGSTOP);
            tokio::time::sleep(off).await;
            self.daemon.signal(Signal::SIGCONT);
            tokio::time::sleep(on).await;
        }
    }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_daemon_drains_nobody() {
    let scene = Scene::start().await;
    scene.interrupted(4, ms(2000), ms(700)).await;
    scene.well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes three minutes: the whole of what stopped_daemon_drains_nobody does in short"]
async fn daemon_stopped_twenty_times_drains_nobody() {
    let scene = Scene::start().await;
    scene.interrupted(20, ms(5000), ms(1500)).await;
    scene.well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_that_hardly_runs_drains_nobody() {
    let scene = Scene::start().await;
    // About a fiftieth of the time, as with a CPU quota.
    scene.interrupted(60, ms(98), ms(2)).await;
    scene.well().await;
}

/// A control group with the daemon in it, of the first version of cgroups or of the second. Removed when dropped.
struct Group {
    path: PathBuf,
    parent: PathBuf,
    v2: bool,
}

impl Group {
    /// `None`, said on the terminal, where there are no control groups that can be written to.
    fn with(daemon: &Daemon, controller: &str) -> Option<Group> {
        let name = format!("maglev-stall-{}", daemon.id());
        let root = Path::new("/sys/fs/cgroup");
        let v2 = root.join("cgroup.controllers").exists();
        let parent = if v2 { root.to_owned() } else { root.join(controller) };
        let group = Group { path: parent.join(name), parent, v2 };
        match group.enter(daemon.id()) {
            Ok(()) => Some(group),
            Err(error) => {
                skip(&format!("no control group for {controller}: {error}"));
                None
            }
        }
    }

    fn enter(&self, id: u32) -> io::Result<()> {
        if self.v2 {
            std::fs::write(self.parent.join("cgroup.subtree_control"), "+cpu")?;
        }
        std::fs::create_dir(&self.path)?;
        std::fs::write(self.path.join("cgroup.procs"), id.to_string())
    }

    fn freeze(&self, frozen: bool) {
        let (file, value) = match (self.v2, frozen) {
            (true, true) => ("cgroup.freeze", "1"),
            (true, false) => ("cgroup.freeze", "0"),
            (false, true) => ("freezer.state", "FROZEN"),
            (false, false) => ("freezer.state", "THAWED"),
        };
        std::fs::write(self.path.join(file), value).expect("the freezer");
    }

    /// Lets it run for `permille` thousandths of one processor; `None` for as long as it likes.
    fn quota(&self, permille: Option<u32>) {
        let quota = permille.map(|permille| (permille * 100).to_string());
        let (file, value) = match (self.v2, quota) {
            (true, Some(quota)) => ("cpu.max", format!("{quota} 100000")),
            (true, None) => ("cpu.max", "max 100000".to_owned()),
            (false, Some(quota)) => ("cpu.cfs_quota_us", quota),
            (false, None) => ("cpu.cfs_quota_us", "-1".to_owned()),
        };
        std::fs::write(self.path.join(file), value).expect("the quota");
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Whoever is in it goes back to where it came from; without that it cannot be removed.
        for id in std::fs::read_to_string(self.path.join("cgroup.procs")).unwrap_or_default().lines() {
            let _ = std::fs::write(self.parent.join("cgroup.procs"), id);
        }
        let _ = std::fs::remove_dir(&self.path);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute, and needs control groups"]
async fn frozen_daemon_drains_nobody() {
    let scene = Scene::start().await;
    let Some(group) = Group::with(&scene.daemon, "freezer") else { return };
    for _ in 0..30 {
        group.freeze(true);
        tokio::time::sleep(ms(1500)).await;
        group.freeze(false);
        tokio::time::sleep(ms(500)).await;
    }
    drop(group);
    scene.well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes, and needs control groups"]
async fn daemon_with_a_cpu_quota_drains_nobody() {
    let scene = Scene::start().await;
    let Some(group) = Group::with(&scene.daemon, "cpu") else { return };
    for permille in [10, 20, 50] {
        group.quota(Some(permille));
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    group.quota(None);
    drop(group);
    scene.well().await;
}
