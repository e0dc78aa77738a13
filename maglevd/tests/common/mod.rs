//! A daemon in this process and servers for it to watch, on ports that the kernel chooses.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]
#![allow(dead_code, reason = "each test uses its part of it")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use maglev_api::v1;
use maglev_api::v1::maglev_client::MaglevClient;
use maglevd::daemon::{Daemon, config_options};
use maglevd::listen::Address;
use maglevd::logging::{Format, Level, Lines};
use maglevd::reload;
use maglevd::settings::Settings;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;
use tonic::transport::Channel;

/// Longer than anything takes that works.
const DEADLINE: Duration = Duration::from_secs(10);

/// Waits for something that has to come soon.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it did not come in time")
}

/// A web server on 127.0.0.1. Gone when dropped.
pub(crate) struct WebServer {
    port: u16,
    status: Arc<AtomicU16>,
    _task: AbortOnDropHandle<()>,
}

impl WebServer {
    /// One that answers 200.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let status = Arc::new(AtomicU16::new(200));
        let answer = Arc::clone(&status);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let status = answer.load(Ordering::SeqCst);
                tokio::spawn(async move {
                    // A probe's request comes in one segment.
                    if stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
                        let answer = format!("HTTP/1.1 {status} Told\r\ncontent-length: 0\r\n\r\n");
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                });
            }
        });
        WebServer { port, status, _task: AbortOnDropHandle::new(task) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Answers with this status from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }
}

/// A daemon that runs in this process.
pub(crate) struct Running {
    pub(crate) client: MaglevClient<Channel>,
    pub(crate) config: PathBuf,
    directory: TempDir,
    stop: CancellationToken,
    task: AbortOnDropHandle<anyhow::Result<()>>,
}

impl Running {
    /// Starts one without VPP on a configuration.
    pub(crate) async fn start(config: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), config).await
    }

    /// Starts one on the state directory of another.
    pub(crate) async fn start_in(directory: TempDir, text: &str) -> Self {
        let config = directory.path().join("maglev.yaml");
        std::fs::write(&config, text).unwrap();
        let settings = Settings {
            config: config.clone(),
            grpc: vec![Address::Host("127.0.0.1".into(), 0)],
            metrics: Some(Address::Host("127.0.0.1".into(), 0)),
            vpp: None,
            state_dir: Some(directory.path().join("state")),
            tls: None,
            access: None,
            audit: Some(directory.path().join("audit.jsonl")),
            metrics_tls: false,
            metrics_tokens: None,
            log_level: Level::Info,
            log_format: Format::Text,
            reflection: true,
        };
        let parsed = reload::load(&config, &config_options(&settings)).unwrap();
        let daemon = Daemon::bind(settings, parsed, None, Lines::new()).await.unwrap();
        let bound = daemon.bound();
        let stop = daemon.stopper();
        let task = AbortOnDropHandle::new(tokio::spawn(daemon.run()));
        let client = MaglevClient::connect(format!("http://{}", bound.grpc[0])).await.unwrap();
        Running { client, config, directory, stop, task }
    }

    /// Puts another text into the configuration file.
    pub(crate) fn write(&self, text: &str) {
        std::fs::write(&self.config, text).unwrap();
    }

    pub(crate) async fn backend(&mut self, name: &str) -> Result<v1::Backend, Status> {
        let request = v1::GetBackendRequest { name: name.to_owned() };
        self.client.get_backend(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn frontend(&mut self, name: &str) -> Result<v1::Frontend, Status> {
        let request = v1::GetFrontendRequest { name: name.to_owned() };
        self.client.get_frontend(request).await.map(tonic::Response::into_inner)
    }

    /// Waits until a backend has a state.
    pub(crate) async fn reaches(&mut self, name: &str, state: v1::BackendState) {
        soon(async {
            let events = self.client.watch_events(v1::WatchEventsRequest::default()).await.unwrap();
            let mut events = events.into_inner();
            loop {
                let event = events.message().await.unwrap().unwrap().event.unwrap();
                if let v1::event::Event::Backend(event) = event
                    && event.backend == name
                    && event.state() == state
                {
                    return;
                }
            }
        })
        .await;
    }

    /// Ends it as SIGTERM does, and returns its directory.
    pub(crate) async fn end(self) -> TempDir {
        self.stop.cancel();
        soon(self.task).await.unwrap().unwrap();
        self.directory
    }
}
