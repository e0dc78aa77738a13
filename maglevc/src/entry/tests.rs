use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::canned::fixtures::NOW;
use crate::canned::{Mood, Running, serve_tcp, serve_unix};
use crate::client::Deadlines;
use crate::entry::{Surroundings, Terminal, run};

mod errors;
pub(crate) mod golden;
mod lines;
mod tls;

/// What a process did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) errors: String,
}

/// An output that can be looked at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A process to be.
pub(crate) struct Process {
    pub(crate) words: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) commands: Option<String>,
    pub(crate) terminal: Terminal,
    pub(crate) deadlines: Deadlines,
}

impl Process {
    pub(crate) fn new(line: &str) -> Self {
        Self {
            words: line.split_whitespace().map(str::to_owned).collect(),
            environment: vec![("USER", "alice".into())],
            commands: None,
            terminal: Terminal { out_color: false, errors_color: false, interactive: false, width: 80 },
            // A busy machine is no reason to leave names out.
            deadlines: Deadlines { help: Duration::from_secs(10), ..Deadlines::default() },
        }
    }

    pub(crate) fn at(mut self, server: &Running) -> Self {
        self.environment.push(("MAGLEV_SERVER", server.address.clone()));
        self
    }

    pub(crate) fn wide(mut self, width: usize) -> Self {
        self.terminal.width = width;
        self
    }

    /// Waits no longer for a silent server than a test can.
    pub(crate) fn impatient(mut self) -> Self {
        self.deadlines.call = Duration::from_millis(500);
        self.deadlines.keepalive = Duration::from_secs(1);
        self
    }

    pub(crate) async fn run(self) -> Ran {
        self.run_into(Shared::default()).await
    }

    /// Runs with an output that can be looked at meanwhile.
    async fn run_into(self, out: Shared) -> Ran {
        let (code, errors) = self.run_into_any(Box::new(out.clone())).await;
        Ran { code, out: out.text(), errors }
    }

    /// Runs with any output, and says the exit code and the errors.
    async fn run_into_any(self, out: Box<dyn Write>) -> (u8, String) {
        let errors = Shared::default();
        let environment = self.environment;
        let surroundings = Surroundings {
            arguments: std::iter::once("maglevc".to_owned()).chain(self.words).collect(),
            environment: Box::new(move |name| {
                environment.iter().find(|(there, _)| *there == name).map(|(_, value)| value.clone())
            }),
            commands: self.commands.map(|text| Box::new(Cursor::new(text)) as _),
            out,
            errors: Box::new(errors.clone()),
            terminal: self.terminal,
            clock: || Timestamp::new(NOW, 0).unwrap(),
            zone: TimeZone::UTC,
            deadlines: self.deadlines,
        };
        let code = run(surroundings).await;
        (code, errors.text())
    }
}

/// Runs a line against a server of the fixtures.
pub(crate) async fn ran(mood: Mood, line: &str) -> Ran {
    let server = serve_unix(mood).await;
    Process::new(line).at(&server).run().await
}

#[tokio::test]
async fn one_command_over_tcp_and_over_a_unix_socket_says_the_same() {
    let unix = ran(Mood::Well, "show backends").await;
    assert_eq!((unix.code, unix.errors.as_str()), (0, ""));
    assert!(unix.out.contains("nginx0"), "{}", unix.out);
    for address in ["127.0.0.1", "::1"] {
        // A machine without IPv6 cannot show that it works there.
        let Ok(server) = serve_tcp(Mood::Well, address).await else { continue };
        assert_eq!(Process::new("show backends").at(&server).run().await, unix, "{address}");
        let line = format!("--server={} show backends", server.address);
        assert_eq!(Process::new(&line).run().await, unix, "{line}");
    }
}
