//! Edge. A program that runs beside a test and never outlives it.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait::eventually;

/// Lines of a log that are shown when a test fails.
const SHOWN: usize = 100;

/// The lines a program wrote to its standard error, as they come.
#[derive(Clone, Default)]
pub struct Log(Arc<Shared>);

#[derive(Default)]
struct Shared {
    lines: Mutex<Vec<String>>,
    stopped: Mutex<bool>,
    resumed: Condvar,
}

impl Log {
    /// Every line so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops reading after what is under way, so that the pipe fills.
    pub fn stop_reading(&self) {
        self.set(true);
    }

    /// Reads on.
    pub fn resume_reading(&self) {
        self.set(false);
    }

    fn set(&self, stopped: bool) {
        *self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner) = stopped;
        self.0.resumed.notify_all();
    }

    fn push(&self, line: String) {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        let stopped = self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.resumed.wait_while(stopped, |stopped| *stopped));
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lines()).finish()
    }
}

/// A running program. Killed when dropped; shows its log then if the test is failing.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: Log,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Process {
    /// Starts a program from its words, in a network namespace if one is given. The kernel kills it if the thread that
    /// started it dies, so that nothing is left when a test is killed. It is started from the test's own thread, which
    /// every runtime of `#[tokio::test]` blocks on.
    pub fn spawn(name: &str, namespace: Option<&str>, program: &[String]) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]);
        if let Some(namespace) = namespace {
            command.args(["ip", "netns", "exec", namespace]);
        }
        command.args(program).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let log = Log::default();
        let to = log.clone();
        let reader = std::thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| to.push(line));
        });
        Process { name: name.to_owned(), child, log, reader: Some(reader) }
    }

    /// What it wrote to its standard error.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Its process id: `setpriv` and `ip netns exec` become the program they start.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(id), signal)
            .unwrap_or_else(|error| panic!("cannot signal {}: {error}", self.name));
    }

    /// How it ended, if it has.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child to wait for")
    }

    /// Waits until it ends.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let what = format!("end of {}", self.name);
        eventually(&what, within, async || self.status().ok_or("it runs")).await
    }

    /// Ends it without a chance to clean up, as a crash does.
    pub fn kill(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.log.resume_reading();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let lines = self.log.lines();
            let earlier = lines.len().saturating_sub(SHOWN);
            eprintln!("--- log of {}, after {earlier} earlier lines", self.name);
            for line in &lines[earlier..] {
                eprintln!("{line}");
            }
            eprintln!("---");
        }
    }
}
