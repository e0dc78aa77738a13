//! How fast the program is, and how little memory it takes, with ten thousand backends.
//!
//! `cargo test --release -p maglevc --test reach -- --ignored --nocapture` measures; other builds would measure themselves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

#[allow(dead_code, reason = "the servers are shared with the tests of the crate, which use more of them")]
#[path = "../src/canned/mod.rs"]
mod canned;

use canned::Mood;

/// What one run took.
#[derive(Clone, Copy, Debug)]
struct Took {
    wall: Duration,
    cpu: Duration,
    peak_mib: i64,
}

/// The best of some runs: what is slower was disturbed.
fn best(address: &str, arguments: &[&str]) -> Took {
    let runs = (0..9).map(|_| run(address, arguments));
    runs.min_by_key(|took| took.wall).unwrap()
}

fn run(address: &str, arguments: &[&str]) -> Took {
    let cpu = || {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
        Duration::from_micros(
            u64::try_from((usage.user_time() + usage.system_time()).num_microseconds()).unwrap(),
        )
    };
    let (before, began) = (cpu(), Instant::now());
    let status = Command::new(env!("CARGO_BIN_EXE_maglevc"))
        .arg0("maglevc")
        .args(arguments)
        .env("MAGLEV_SERVER", address)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let wall = began.elapsed();
    // The largest of all children so far, in KiB: the runs go from small to large.
    let peak_mib = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() / 1024;
    Took { wall, cpu: cpu() - before, peak_mib }
}

#[test]
#[ignore = "measures, which only a release build on a quiet machine can"]
fn it_is_fast_and_small_among_ten_thousand() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let calm = runtime.block_on(canned::serve_unix(Mood::Well));
    let crowded = runtime.block_on(canned::serve_unix(Mood::Crowded));
    let start = best(&calm.address, &["show", "version"]);
    println!("show version: {start:?}");
    let name = best(&crowded.address, &["--complete", "maglevc show backends backend-0123"]);
    println!("completion of a name among 10,000: {name:?}");
    let all = best(&crowded.address, &["show", "backends"]);
    println!("show backends of 10,000: {all:?}");
    assert!(start.cpu < Duration::from_millis(10));
    assert!(name.wall < Duration::from_millis(50));
    assert!(all.wall < Duration::from_millis(300));
    assert!(all.peak_mib < 50);
}
