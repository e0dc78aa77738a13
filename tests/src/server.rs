//! Edge. Small servers on loopback, for tests that need no network of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::wait::{SOON, eventually};

/// Answered to nobody: the connection is kept open in silence.
const SILENCE: u16 = 0;

/// Loopback.
pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A web server that answers every request with one status. Gone when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    requests: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts one that answers 200.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (status, requests) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicUsize::new(0)));
        let (answer, count) = (Arc::clone(&status), Arc::clone(&requests));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, count) = (Arc::clone(&answer), Arc::clone(&count));
                tokio::spawn(async move {
                    // The whole request of a probe comes in one segment.
                    if stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
                        count.fetch_add(1, Ordering::SeqCst);
                        let status = answer.load(Ordering::SeqCst);
                        if status == SILENCE {
                            // Until the probe gives up.
                            let _ = stream.read(&mut [0; 1]).await;
                            return;
                        }
                        let answer = format!("HTTP/1.1 {status} Fine\r\ncontent-length: 0\r\n\r\n");
                        // A probe that was broken off does not read it.
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                });
            }
        });
        Server { address, status, requests, task }
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers with this status from now on.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Answers nobody from now on, and keeps everybody waiting.
    pub fn hang(&self) {
        self.answer(SILENCE);
    }

    /// The fields of a check that is quick to ask it.
    pub fn check(&self) -> String {
        let port = self.port();
        format!(
            "type: http, port: {port}, interval: 200ms, fast-interval: 50ms, timeout: 500ms, rise: 2, fall: 3"
        )
    }

    /// A configuration with this server as the one backend of the frontend `site`, in its pool `primary`, with the check
    /// `web`.
    pub fn site(&self, backend: &str) -> Config {
        Config::new().check("web", &self.check()).backend(backend, LOOPBACK, "web").pool(
            "site",
            "primary",
            &[backend],
        )
    }

    /// Waits until it is asked so many times more.
    #[track_caller]
    pub fn requested(&self, more: usize) -> impl Future<Output = ()> {
        let before = self.requests();
        eventually("requests", SOON, async move || {
            let seen = self.requests() - before;
            if seen >= more { Ok(()) } else { Err(seen) }
        })
    }

    /// How often it was asked.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
