//! When this process has no file descriptor left. Alone in its binary, because it is so for all of its tests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod support;

use maglev_core::check::ProbeSpec;
use maglev_core::outcome::{Code, Verdict};
use maglev_probe::Prober;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use support::*;

#[tokio::test]
async fn running_out_of_file_descriptors_drains_nobody() {
    let listener = listen("127.0.0.1:0");
    let address = listener.local_addr().unwrap();
    let spec = ProbeSpec::Tcp { port: address.port(), tls: None };
    let prober = Prober::new();

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, soft.min(64), hard).unwrap();
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    let outcome = run(&prober, address, &spec, PATIENT).await;
    assert_eq!(outcome.verdict(), Verdict::Inconclusive);
    let why = "no file descriptor left for this process, raise its limit (LimitNOFILE)";
    expect("no descriptor", &outcome, Code::SockErr, &regex::escape(&format!("cannot open a socket: {why}")));

    drop(files);
    let after = run(&prober, address, &spec, PATIENT).await;
    assert_eq!(after.code, Code::L4Ok, "{after:?}");
}
