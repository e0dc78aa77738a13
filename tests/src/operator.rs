//! Edge. Somebody who calls the daemon.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use maglev_api::v1::event::Event as Kind;
use maglev_api::v1::maglev_client::MaglevClient;
use maglev_api::v1::{self, BackendState, Event, FrontendState, WatchEventsRequest};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use crate::wait::{SOON, eventually};

/// For one call.
const CALL: Duration = Duration::from_secs(10);

/// A client of the daemon.
#[derive(Clone, Debug)]
pub struct Operator {
    channel: Channel,
    /// For calls that have no short form here.
    pub client: MaglevClient<Channel>,
}

impl Operator {
    /// One who comes in over a Unix socket.
    pub async fn unix(path: &Path) -> Self {
        let endpoint = Endpoint::try_from(format!("unix:{}", path.display())).expect("an address");
        Operator::new(endpoint.connect().await.expect("a connection"))
    }

    /// One who comes in over TCP.
    pub async fn tcp(address: SocketAddr) -> Self {
        Operator::over(TcpStream::connect(address).expect("a connection")).await
    }

    /// One who comes in over a connection that is made already, from wherever.
    pub async fn over(stream: TcpStream) -> Self {
        Operator::new(channel(asynchronous(stream)).await.expect("a connection"))
    }

    /// One who comes in over TLS, to a server that is certified as `maglevd`.
    pub async fn over_tls(stream: TcpStream, connector: TlsConnector) -> Self {
        Operator::new(tls_channel(stream, connector).await.expect("a connection"))
    }

    fn new(channel: Channel) -> Self {
        Operator { client: MaglevClient::new(channel.clone()), channel }
    }

    /// The connection, for other services of the daemon.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A backend.
    pub async fn backend(&mut self, name: &str) -> v1::Backend {
        let asked = self.client.get_backend(v1::GetBackendRequest { name: name.to_owned() });
        answer(asked.await)
    }

    /// A frontend.
    pub async fn frontend(&mut self, name: &str) -> v1::Frontend {
        let asked = self.client.get_frontend(v1::GetFrontendRequest { name: name.to_owned() });
        answer(asked.await)
    }

    /// The state of each backend.
    pub async fn states(&mut self) -> BTreeMap<String, BackendState> {
        let backends = answer(self.client.list_backends(v1::ListBackendsRequest {}).await).backends;
        backends.into_iter().map(|backend| (backend.name.clone(), backend.state())).collect()
    }

    /// Waits until every backend is up.
    #[track_caller]
    pub fn all_up(&mut self) -> impl Future<Output = ()> {
        eventually("backends that are all up", SOON, async || {
            let states = self.states().await;
            if states.values().all(|&state| state == BackendState::Up) { Ok(()) } else { Err(states) }
        })
    }

    /// Waits until every backend has its counter full, so that it takes `fall` failures to bring it down.
    #[track_caller]
    pub fn all_well(&mut self) -> impl Future<Output = ()> {
        eventually("backends in full health", SOON, async || {
            let backends = answer(self.client.list_backends(v1::ListBackendsRequest {}).await).backends;
            let full = |backend: &v1::Backend| backend.health + 1 == backend.rise + backend.fall;
            if backends.iter().all(full) { Ok(()) } else { Err(backends) }
        })
    }

    /// Waits until a backend is in a state, and returns it.
    #[track_caller]
    pub fn becomes(
        &mut self,
        name: &str,
        state: BackendState,
        within: Duration,
    ) -> impl Future<Output = v1::Backend> {
        let what = format!("{name} that is {}", state.as_str_name());
        async move {
            eventually(&what, within, async || {
                let backend = self.backend(name).await;
                if backend.state() == state { Ok(backend) } else { Err(backend) }
            })
            .await
        }
    }

    /// Waits until there is a backend of that name.
    #[track_caller]
    pub fn becomes_known(&mut self, name: &str) -> impl Future<Output = ()> {
        let what = format!("backend {name}");
        async move {
            eventually(&what, SOON, async || {
                let states = self.states().await;
                if states.contains_key(name) { Ok(()) } else { Err(states) }
            })
            .await;
        }
    }

    /// Waits until a backend was probed and the probe ended with a code, and returns it.
    #[track_caller]
    pub fn probed(&mut self, name: &str, code: &str) -> impl Future<Output = v1::Backend> {
        let what = format!("probe of {name} that ends with {code}");
        async move {
            eventually(&what, SOON, async || {
                let backend = self.backend(name).await;
                match &backend.last_probe {
                    Some(probe) if probe.code == code => Ok(backend),
                    _ => Err(backend),
                }
            })
            .await
        }
    }

    /// Waits until a pool takes the traffic of a frontend.
    #[track_caller]
    pub fn active(
        &mut self,
        frontend: &str,
        pool: &str,
        within: Duration,
    ) -> impl Future<Output = v1::Frontend> {
        let what = format!("pool {pool} that is active in {frontend}");
        async move {
            eventually(&what, within, async || {
                let frontend = self.frontend(frontend).await;
                if frontend.active_pool == pool { Ok(frontend) } else { Err(frontend) }
            })
            .await
        }
    }

    /// Stops the probes of a backend.
    pub async fn pause(&mut self, name: &str) -> Result<v1::BackendIntentResponse, Status> {
        self.client.pause_backend(intent(name)).await.map(tonic::Response::into_inner)
    }

    /// Ends a pause.
    pub async fn resume(&mut self, name: &str) -> Result<v1::BackendIntentResponse, Status> {
        self.client.resume_backend(intent(name)).await.map(tonic::Response::into_inner)
    }

    /// Takes a backend out of service.
    pub async fn disable(&mut self, name: &str) -> Result<v1::BackendIntentResponse, Status> {
        self.client.disable_backend(intent(name)).await.map(tonic::Response::into_inner)
    }

    /// Puts a backend back into service.
    pub async fn enable(&mut self, name: &str) -> Result<v1::BackendIntentResponse, Status> {
        self.client.enable_backend(intent(name)).await.map(tonic::Response::into_inner)
    }

    /// Sets the weight of a backend in a pool, also where that leaves the frontend without a server.
    pub async fn weigh(&mut self, place: [&str; 3], weight: u32) -> Result<v1::Frontend, Status> {
        let [frontend, pool, backend] = place.map(str::to_owned);
        let request = v1::SetFrontendPoolBackendWeightRequest {
            frontend,
            pool,
            backend,
            weight: Some(weight),
            force: true,
            ..v1::SetFrontendPoolBackendWeightRequest::default()
        };
        let answer = self.client.set_frontend_pool_backend_weight(request).await?.into_inner();
        Ok(answer.frontend.expect("the frontend"))
    }

    /// Has the configuration file read again.
    pub async fn reload(&mut self) -> Result<v1::ReloadConfigResponse, Status> {
        self.client.reload_config(v1::ReloadConfigRequest::default()).await.map(tonic::Response::into_inner)
    }

    /// Watches backends and frontends.
    pub async fn watch(&mut self) -> Watcher {
        self.watch_for(WatchEventsRequest::default()).await
    }

    /// Watches what is asked for.
    pub async fn watch_for(&mut self, request: WatchEventsRequest) -> Watcher {
        Watcher(answer(self.client.watch_events(request).await))
    }
}

fn asynchronous(stream: TcpStream) -> tokio::net::TcpStream {
    stream.set_nonblocking(true).expect("a socket");
    tokio::net::TcpStream::from_std(stream).expect("a socket")
}

/// A channel over a TLS session on a connection, with a server that is certified as `maglevd`.
pub async fn tls_channel(stream: TcpStream, connector: TlsConnector) -> Result<Channel, Box<dyn Error>> {
    tls_channel_to(stream, connector, "maglevd").await
}

/// The same with a server of any name.
pub async fn tls_channel_to(
    stream: TcpStream,
    connector: TlsConnector,
    name: &'static str,
) -> Result<Channel, Box<dyn Error>> {
    let name = ServerName::try_from(name)?;
    channel(connector.connect(name, asynchronous(stream)).await?).await
}

/// A channel over a connection. There is one only, so the channel fails when it ends.
async fn channel<S>(stream: S) -> Result<Channel, Box<dyn Error>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = Mutex::new(Some(stream));
    let connector = tower::service_fn(move |_| {
        let stream = stream.lock().ok().and_then(|mut stream| stream.take());
        async {
            stream.map(TokioIo::new).ok_or_else(|| std::io::Error::other("there is one connection only"))
        }
    });
    Ok(Endpoint::from_static("http://maglevd").connect_with_connector(connector).await?)
}

#[track_caller]
fn answer<T>(answer: Result<tonic::Response<T>, Status>) -> T {
    answer.expect("an answer").into_inner()
}

/// Whether two times are the same, but for the rounding of a daemon that reads its two clocks one after the other.
pub fn same_moment(one: Option<prost_types::Timestamp>, other: Option<prost_types::Timestamp>) -> bool {
    let seconds = |time: prost_types::Timestamp| time.seconds as f64 + f64::from(time.nanos) / 1e9;
    one.zip(other).is_some_and(|(one, other)| (seconds(one) - seconds(other)).abs() < 1e-3)
}

fn intent(name: &str) -> v1::BackendIntentRequest {
    v1::BackendIntentRequest {
        name: name.to_owned(),
        reason: "a test".to_owned(),
        by: "tester".to_owned(),
        force: true,
        ..v1::BackendIntentRequest::default()
    }
}

/// Somebody who watches what happens.
#[derive(Debug)]
pub struct Watcher(Streaming<Event>);

impl Watcher {
    /// The next event.
    pub async fn next(&mut self) -> Kind {
        match tokio::time::timeout(CALL, self.0.message()).await.expect("an event in time") {
            Ok(Some(event)) => event.event.expect("an event of some kind"),
            ended => panic!("the stream ended: {ended:?}"),
        }
    }

    /// How the stream ends, whatever comes before.
    pub async fn end(&mut self) -> Option<Status> {
        loop {
            match tokio::time::timeout(CALL, self.0.message()).await.expect("an end in time") {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(status) => return Some(status),
            }
        }
    }

    /// Everything up to and without `synchronized`.
    pub async fn present(&mut self) -> Vec<Kind> {
        let mut seen = Vec::new();
        loop {
            match self.next().await {
                Kind::Synchronized(_) => return seen,
                other => seen.push(other),
            }
        }
    }

    /// The next change of a backend to a state, with everything seen before it.
    pub async fn backend(&mut self, name: &str, state: BackendState) -> (v1::BackendEvent, Vec<Kind>) {
        let mut seen = Vec::new();
        loop {
            match self.next().await {
                Kind::Backend(event) if event.backend == name && event.state() == state => {
                    return (event, seen);
                }
                other => seen.push(other),
            }
        }
    }

    /// The next change of a frontend to a state and a pool, with everything seen before it.
    pub async fn frontend(
        &mut self,
        name: &str,
        state: FrontendState,
        pool: &str,
    ) -> (v1::FrontendEvent, Vec<Kind>) {
        let mut seen = Vec::new();
        loop {
            match self.next().await {
                Kind::Frontend(event)
                    if event.frontend == name && event.state() == state && event.active_pool == pool =>
                {
                    return (event, seen);
                }
                other => seen.push(other),
            }
        }
    }
}
