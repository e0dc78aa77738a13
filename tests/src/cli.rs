//! Edge. maglevc, as an operator's shell runs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::binaries;
use crate::daemon::Daemon;

/// What maglevc said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Said {
    /// Its output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("not JSON ({error}): {self:#?}"))
    }
}

/// Runs a command of maglevc against a daemon until it ends.
pub fn maglevc(daemon: &Daemon, words: &[&str]) -> Said {
    let output = command(daemon, words).output().expect("the program timeout, of coreutils");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn command(daemon: &Daemon, words: &[&str]) -> Command {
    // What should have ended and did not is killed, and ends with another code than any of its own.
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "30"]).arg(binaries::maglevc());
    command.arg("--server").arg(format!("unix:{}", daemon.socket().display())).args(words);
    command
}

/// A command of maglevc that writes JSON lines and does not end by itself. Ended when dropped.
#[derive(Debug)]
pub struct Lines {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Lines {
    /// Starts one.
    pub fn of(daemon: &Daemon, words: &[&str]) -> Self {
        let mut command = command(daemon, words);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program timeout, of coreutils");
        let stdout = child.stdout.take().expect("standard output is a pipe");
        Lines { child, lines: BufReader::new(stdout).lines() }
    }

    /// The next line that `is` the one. Blocks the thread until then, at most half a minute, so the test needs a runtime
    /// with several.
    pub fn until(&mut self, is: impl Fn(&Value) -> bool) -> Value {
        for line in self.lines.by_ref().map_while(Result::ok) {
            let value =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"));
            if is(&value) {
                return value;
            }
        }
        panic!("maglevc ended before the line that was waited for");
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // The program timeout hands it on to maglevc. An error means that both have ended by themselves.
        let id = i32::try_from(self.child.id()).map(Pid::from_raw);
        let _ = id.map(|id| kill(id, Signal::SIGTERM));
        let _ = self.child.wait();
    }
}
