//! Edge. The servers that carry the gRPC service.

use std::time::Duration;

use maglev_api::v1::maglev_server::MaglevServer;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::grpc::incoming::bounded;
use crate::grpc::{Calls, Service};
use crate::listen::Listener;
use crate::reload::Chain;

/// Calls one connection may have under way at once.
const STREAMS: u32 = 128;

/// How often a connection is asked whether it is still there, so that a watcher that vanished is noticed.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// The largest message taken: a configuration file with ten thousand backends. All other requests are a few names.
const REQUEST_LIMIT: usize = 1 << 20;

/// The running servers.
pub type Servers = JoinSet<Result<(), tonic::transport::Error>>;

/// Counts the calls of everything that is served.
pub fn calls() -> Calls {
    Calls::of(&[
        maglev_api::v1::FILE_DESCRIPTOR_SET,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ])
}

/// Serves on every listener until `stop`, then lets calls end.
pub async fn serve(
    listeners: Vec<Listener>,
    service: Service,
    reflection: bool,
    calls: &Calls,
    stop: &CancellationToken,
) -> Servers {
    let routes = routes(service, reflection).await;
    let mut servers = JoinSet::new();
    for listener in listeners {
        let router = Server::builder()
            .max_concurrent_streams(STREAMS)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .layer(calls.clone())
            .add_routes(routes.clone());
        let stopped = stop.clone().cancelled_owned();
        match listener {
            Listener::Tcp(tcp) => {
                // An event is worth a packet of its own.
                let accepted = TcpIncoming::from(tcp).with_nodelay(Some(true));
                servers.spawn(router.serve_with_incoming_shutdown(bounded(accepted), stopped));
            }
            Listener::Unix(unix) => {
                let accepted = UnixListenerStream::new(unix);
                servers.spawn(router.serve_with_incoming_shutdown(bounded(accepted), stopped));
            }
        }
    }
    servers
}

async fn routes(service: Service, reflection: bool) -> Routes {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<MaglevServer<Service>>().await;
    let service = MaglevServer::new(service).max_decoding_message_size(REQUEST_LIMIT);
    let mut routes = Routes::new(health).add_service(service);
    if reflection {
        let describe = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(maglev_api::v1::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        // Older clients only know the alpha.
        match (describe().build_v1(), describe().build_v1alpha()) {
            (Ok(v1), Ok(v1alpha)) => routes = routes.add_service(v1).add_service(v1alpha),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(error = %Chain(&error), "gRPC reflection is not served");
            }
        }
    }
    routes
}
