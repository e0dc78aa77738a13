//! Edge. A service manager to be told how it goes, as systemd is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::time::timeout;

use crate::wait::SOON;

/// One datagram: fields by name.
pub type Message = BTreeMap<String, String>;

/// A socket as systemd has it, in a directory of its own.
#[derive(Debug)]
pub struct Manager {
    socket: UnixDatagram,
    directory: TempDir,
}

impl Manager {
    /// Nobody has told it anything yet.
    pub fn new() -> Self {
        let directory = TempDir::with_prefix("manager-").expect("a directory");
        let socket = UnixDatagram::bind(directory.path().join("notify")).expect("a socket");
        Manager { socket, directory }
    }

    /// What a program needs in its environment to find it.
    pub fn variables(&self) -> Vec<(String, String)> {
        vec![("NOTIFY_SOCKET".to_owned(), self.path("notify").display().to_string())]
    }

    /// The same with a watchdog of that time.
    pub fn watching(&self, period: Duration) -> Vec<(String, String)> {
        let mut variables = self.variables();
        variables.push(("WATCHDOG_USEC".to_owned(), period.as_micros().to_string()));
        variables
    }

    /// A path in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The next datagram, or none within that time.
    pub async fn next(&self, within: Duration) -> Option<Message> {
        let mut buffer = [0; 8192];
        let length = timeout(within, self.socket.recv(&mut buffer)).await.ok()?.expect("a datagram");
        let text = std::str::from_utf8(&buffer[..length]).expect("text");
        let fields = text.lines().map(|line| line.split_once('=').expect("name=value"));
        Some(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The next datagram with that field, past others.
    pub async fn told(&self, field: &str) -> Message {
        self.until(&format!("datagram with {field}"), |message| message.contains_key(field)).await
    }

    /// Waits for a status line.
    pub async fn status(&self, wanted: &str) {
        let is_it = |message: &Message| message.get("STATUS").is_some_and(|status| status == wanted);
        self.until(&format!("status {wanted:?}"), is_it).await;
    }

    async fn until(&self, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        let mut seen = Vec::new();
        let found = timeout(SOON, async {
            loop {
                let message = self.next(SOON).await.unwrap_or_default();
                if wanted(&message) {
                    return message;
                }
                seen.push(message);
            }
        });
        found.await.unwrap_or_else(|_| panic!("no {what} within {SOON:?}; told: {seen:#?}"))
    }
}

impl Default for Manager {
    fn default() -> Self {
        Manager::new()
    }
}
