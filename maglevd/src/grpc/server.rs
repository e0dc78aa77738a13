//! Edge. The servers that carry the gRPC service.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use maglev_api::v1::maglev_server::MaglevServer;
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;

use crate::accept::Gate;
use crate::access::Access;
use crate::audit::Audit;
use crate::grpc::judge::{Judge, Judged};
use crate::grpc::rules::CONFIG;
use crate::grpc::{Calls, Service};
use crate::listen::Listener;
use crate::places::Limits;
use crate::reload::Chain;

/// Connections and calls of a listener. Without an end, whoever can reach the port could take every file descriptor, and
/// then no probe could be made. Each listener has its own, so that a Unix socket stays open to operators when a port is
/// flooded. Calls under way hold what they are answered until it is read: with 1000 backends that is 300 kB.
pub const LIMITS: Limits = Limits { room: 256, source: 128, calls: 256, calls_of_source: 64 };

/// Calls one connection may have under way at once.
const STREAMS: u32 = 128;

/// How often a connection is asked whether it is still there, so that a watcher that vanished is noticed.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// All headers of a call together: a path, a token and what proxies add.
const HEADERS: u32 = 16 << 10;

/// What a peer may send before we have read it, for one call and for all calls of a connection. Requests are small, and the
/// largest one, a configuration to plan for, still goes through in a few round trips.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 256 << 10;

/// The largest message of a client that asks what there is to call.
const REFLECTION: usize = 16 << 10;

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
    gate: &Gate,
    service: Service,
    (access, audit): (Access, Audit),
    reflection: bool,
    calls: &Calls,
    stop: &CancellationToken,
) -> Servers {
    let routes = routes(service, reflection).await;
    let judge = Arc::new(Judge { access, audit });
    let mut servers = JoinSet::new();
    for listener in listeners {
        let router = Server::builder()
            .max_concurrent_streams(STREAMS)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_max_header_list_size(HEADERS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            // Outermost, so that what is refused counts too.
            .layer(calls.clone())
            .layer(Judged(Arc::clone(&judge)))
            .add_routes(routes.clone());
        let connections = gate.clone().open(listener, stop.clone());
        let incoming = ReceiverStream::new(connections).map(Ok::<_, io::Error>);
        servers.spawn(router.serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned()));
    }
    servers
}

async fn routes(service: Service, reflection: bool) -> Routes {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<MaglevServer<Service>>().await;
    let service = MaglevServer::new(service).max_decoding_message_size(CONFIG);
    let mut routes = Routes::new(health).add_service(service);
    if reflection {
        let describe = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(maglev_api::v1::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        // Older clients only know the alpha.
        match (describe().build_v1(), describe().build_v1alpha()) {
            (Ok(v1), Ok(v1alpha)) => {
                routes = routes
                    .add_service(v1.max_decoding_message_size(REFLECTION))
                    .add_service(v1alpha.max_decoding_message_size(REFLECTION));
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(error = %Chain(&error), "gRPC reflection is not served");
            }
        }
    }
    routes
}
