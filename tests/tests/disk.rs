//! Edge. A state directory on a disk that hangs.

use std::path::{Path, PathBuf};
use std::process::Command;

use maglev_api::v1::BackendState;
use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::requirements::skip;
use maglev_tests::server::Server;
use maglev_tests::wait::{SOON, eventually};
use tempfile::TempDir;
use tonic::Code;

/// A file system of its own, in which every write waits while it is frozen. Gone when dropped.
struct Disk {
    directory: TempDir,
}

fn run(program: &str, arguments: &[&Path]) -> bool {
    Command::new(program).args(arguments).status().is_ok_and(|status| status.success())
}

impl Disk {
    /// Makes one, where the machine allows it.
    fn new() -> Option<Self> {
        let directory = TempDir::with_prefix("disk-").ok()?;
        let disk = Disk { directory };
        let image = disk.directory.path().join("image");
        std::fs::File::create(&image).ok()?.set_len(16 << 20).ok()?;
        std::fs::create_dir(disk.mount()).ok()?;
        let made = run("mkfs.ext4", &[Path::new("-q"), &image])
            && run("mount", &[Path::new("-o"), Path::new("loop"), &image, &disk.mount()]);
        made.then_some(disk)
    }

    fn mount(&self) -> PathBuf {
        self.directory.path().join("mount")
    }

    fn freeze(&self) {
        assert!(run("fsfreeze", &[Path::new("-f"), &self.mount()]));
    }

    fn thaw(&self) -> bool {
        run("fsfreeze", &[Path::new("-u"), &self.mount()])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Both fail where there is nothing to undo.
        self.thaw();
        run("umount", &[Path::new("-l"), &self.mount()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_that_hangs_is_reported_and_holds_up_nothing_else() {
    let Some(disk) = Disk::new() else { return skip("it needs root, loop devices and mkfs.ext4") };
    let server = Server::start().await;
    let options = Options { state: Some(disk.mount().join("state")), ..Options::default() };
    let daemon = Daemon::start(&server.site("web0"), options).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let durable = |expected: f64| {
        let daemon = &daemon;
        eventually("maglev_state_durable", 2 * SOON, async move || {
            let durable = daemon.metrics().value("maglev_state_durable", &[]);
            if (durable - expected).abs() < 0.5 { Ok(()) } else { Err(durable) }
        })
    };
    durable(1.0).await;

    disk.freeze();
    let mut other = daemon.operator().await;
    let change = tokio::spawn(async move { other.disable("web0").await });
    durable(0.0).await;
    let slow = eventually("line that tells of the disk", SOON, async || {
        let lines = daemon.log().lines();
        lines.into_iter().find(|line| line.contains("a write to the state directory has taken")).ok_or("none")
    });
    slow.await;
    // The change is active, and its answer says what it is worth.
    operator.becomes("web0", BackendState::Disabled, SOON).await;
    assert_eq!(change.await.unwrap().unwrap_err().code(), Code::DeadlineExceeded);
    // Others are answered, and servers are probed.
    assert!(operator.enable("web0").await.is_err());
    operator.becomes("web0", BackendState::Up, SOON).await;
    server.answer(500);
    operator.becomes("web0", BackendState::Down, SOON).await;

    assert!(disk.thaw());
    durable(1.0).await;
    server.answer(200);
    operator.becomes("web0", BackendState::Up, SOON).await;
    operator.disable("web0").await.unwrap();
}
