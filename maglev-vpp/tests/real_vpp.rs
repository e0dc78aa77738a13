//! The suite against a real VPP. It needs a VPP 26.10 with the lb plugin and
//!
//! - `MAGLEV_TEST_VPP_API`: its API socket; without it, nothing runs;
//! - `MAGLEV_TEST_VPP_STATS`: its stats socket;
//! - `MAGLEV_TEST_VPP_RESTART`: a shell command that restarts it and returns when it is up; without it, that is skipped.
//!
//! It adds VIPs in 198.51.100.0/24 and 2001:db8:5157::/48, removes them again, and puts the plugin's parameters back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it does not expect")]

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use maglev_vpp::stats::Stats;

mod suite;

fn path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[tokio::test]
async fn a_real_vpp_does_what_we_rely_on() {
    let (Some(api), Some(stats)) = (path("MAGLEV_TEST_VPP_API"), path("MAGLEV_TEST_VPP_STATS")) else {
        println!(
            "skipped: set MAGLEV_TEST_VPP_API and MAGLEV_TEST_VPP_STATS to the sockets of a VPP to run this"
        );
        return;
    };
    suite::run(&api, &stats).await;

    let Ok(command) = std::env::var("MAGLEV_TEST_VPP_RESTART") else {
        println!("restart skipped: set MAGLEV_TEST_VPP_RESTART to a command that restarts VPP");
        return;
    };
    let deadline = Duration::from_secs(5);
    let lb = suite::connect(&api).await;
    let mut counters = Stats::connect(&stats, deadline).await.unwrap();
    let before = counters.boot_time().await.unwrap();
    let status = tokio::task::spawn_blocking(move || Command::new("sh").args(["-c", &command]).status());
    assert!(status.await.unwrap().unwrap().success());
    tokio::time::timeout(deadline, lb.client().closed()).await.expect("a restart ends the connection");
    let end = Instant::now() + Duration::from_secs(60);
    let after = loop {
        if let Ok(mut counters) = Stats::connect(&stats, deadline).await {
            break counters.boot_time().await.unwrap();
        }
        assert!(Instant::now() < end, "VPP did not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(after > before, "boot time {before} before, {after} after");
    suite::run(&api, &stats).await;
}
