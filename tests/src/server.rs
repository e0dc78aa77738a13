//! Edge. Small servers on loopback, for tests that need no network of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

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
