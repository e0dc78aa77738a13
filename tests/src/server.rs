//! Edge. Small servers on loopback, for tests that need no network of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
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
    answered: Arc<Mutex<Option<Instant>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts one that answers 200.
    pub async fn start() -> Self {
        Server::start_at(LOOPBACK).await
    }

    /// Starts one at another address of loopback.
    pub async fn start_at(address: IpAddr) -> Self {
        let status = Arc::new(AtomicU16::new(200));
        let answer = Arc::clone(&status);
        let answered = Arc::new(Mutex::new(None));
        let last = Arc::clone(&answered);
        let mut server = Server::serve(address, move |mut stream| {
            let (answer, last) = (Arc::clone(&answer), Arc::clone(&last));
            async move {
                let status = answer.load(Ordering::SeqCst);
                // A probe that was broken off does not read it.
                let _ = if status == SILENCE {
                    stream.read(&mut [0; 1]).await.map(drop)
                } else {
                    let answer = format!("HTTP/1.1 {status} Fine\r\ncontent-length: 0\r\n\r\n");
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    stream.write_all(answer.as_bytes()).await
                };
            }
        })
        .await;
        server.status = status;
        server.answered = answered;
        server
    }

    /// Starts one that has `answer` for every connection once its request is there.
    async fn serve<F>(address: IpAddr, answer: impl Fn(TcpStream) -> F + Clone + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((address, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, count) = (answer.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    // The whole request of a probe comes in one segment.
                    if stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
                        count.fetch_add(1, Ordering::SeqCst);
                        answer(stream).await;
                    }
                });
            }
        });
        Server { address, status: Arc::default(), requests, answered: Arc::default(), task }
    }

    /// Its address.
    pub fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// Its port.
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

    /// When it began to send its last answer.
    pub fn answered(&self) -> Option<Instant> {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A manner of answering that no server should have.
#[derive(Clone, Copy, Debug)]
pub enum Hostile {
    /// Takes the request and says nothing.
    Silence,
    /// Says something that is not HTTP.
    Garbage,
    /// Hangs up.
    Close,
    /// Sends a header that has no end, as fast as it is taken.
    EndlessHeader,
    /// Sends a header that has no end, a byte at a time.
    Drip,
    /// Sends a body that has no end, as fast as it is taken.
    EndlessBody,
}

/// Between two bytes of [`Hostile::Drip`].
const DRIP: Duration = Duration::from_millis(20);

impl Hostile {
    /// Starts a server that answers every request in this manner.
    pub async fn start(self) -> Server {
        Server::serve(LOOPBACK, move |mut stream| async move {
            let line = b"HTTP/1.1 200 Fine\r\n";
            let filler = [b'x'; 16 << 10];
            // Whatever fails, the peer has had enough.
            let _ = match self {
                Hostile::Silence => stream.read(&mut [0; 1]).await.map(drop),
                Hostile::Garbage => stream.write_all(b"\x16\x03\x01 this is not\0 HTTP\r\n\r\n").await,
                Hostile::Close => Ok(()),
                Hostile::EndlessHeader => forever(&mut stream, line, b"x: y\r\n", None).await,
                Hostile::Drip => forever(&mut stream, line, b"x", Some(DRIP)).await,
                Hostile::EndlessBody => {
                    forever(&mut stream, b"HTTP/1.1 200 Fine\r\n\r\n", &filler, None).await
                }
            };
        })
        .await
    }
}

/// Sends a beginning and then one thing over and over, until the peer has enough.
async fn forever(
    stream: &mut TcpStream,
    begin: &[u8],
    more: &[u8],
    pause: Option<Duration>,
) -> std::io::Result<()> {
    stream.write_all(begin).await?;
    loop {
        stream.write_all(more).await?;
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }
}
