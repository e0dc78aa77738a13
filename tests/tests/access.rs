//! Edge. Who may change things: those on the same host, and nobody from the network.

use maglev_api::v1::{self, BackendState};
use maglev_tests::config::Config;
use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::lab::Lab;
use maglev_tests::operator::Operator;
use maglev_tests::requirements::skip;
use maglev_tests::server::Server;
use tonic::Code;

#[tokio::test]
async fn over_the_unix_socket_things_can_be_changed() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;

    assert!(daemon.operator().await.pause("web0").await.unwrap().changed);
}

async fn changes_are_taken_over(address: &str) {
    let server = Server::start().await;
    let options = Options { grpc: vec![address.to_owned()], ..Options::default() };
    let daemon = Daemon::start(&server.site("web0"), options).await;

    let paused = Operator::tcp(daemon.grpc_address()).await.pause("web0").await;

    assert!(paused.is_ok_and(|paused| paused.changed), "over {address}");
}

#[tokio::test]
async fn over_ipv4_loopback_things_can_be_changed() {
    changes_are_taken_over("127.0.0.1:0").await;
}

#[tokio::test]
async fn over_ipv6_loopback_things_can_be_changed() {
    if let Err(error) = std::net::TcpListener::bind("[::1]:0") {
        return skip(&format!("there is no ::1 here: {error}"));
    }
    changes_are_taken_over("[::1]:0").await;
}

#[tokio::test]
async fn over_loopback_of_every_interface_things_can_be_changed() {
    let Some(lab) = Lab::open() else { return };
    let nginx = lab.nginx(10).await;
    let daemon = lab.daemon(&Config::site([("nginx0", nginx.v4())])).await;
    daemon.operator().await.all_up().await;

    // On a socket for both families 127.0.0.1 looks like an IPv6 address.
    let mut v4 = Operator::over(lab.hub().connect("127.0.0.1:9090".parse().unwrap()).unwrap()).await;
    assert!(v4.pause("nginx0").await.unwrap().changed);
    let mut v6 = Operator::over(lab.hub().connect("[::1]:9090".parse().unwrap()).unwrap()).await;
    assert!(v6.resume("nginx0").await.unwrap().changed);
}

#[tokio::test]
async fn from_the_network_things_can_only_be_read() {
    let Some(lab) = Lab::open() else { return };
    let (nginx, elsewhere) = (lab.nginx(10).await, lab.host(20));
    let daemon = lab.daemon(&Config::site([("nginx0", nginx.v4())])).await;
    daemon.operator().await.all_up().await;

    for address in ["10.0.0.1:9090", "[fd00::1]:9090"] {
        let stream = elsewhere.namespace.connect(address.parse().unwrap()).unwrap();
        let mut stranger = Operator::over(stream).await;

        assert_eq!(stranger.backend("nginx0").await.state(), BackendState::Up);
        assert_eq!(stranger.frontend("site").await.active_pool, "primary");
        assert_eq!(stranger.watch().await.present().await.len(), 2);
        let refused = [
            stranger.pause("nginx0").await.err(),
            stranger.resume("nginx0").await.err(),
            stranger.disable("nginx0").await.err(),
            stranger.enable("nginx0").await.err(),
            stranger.weigh(["site", "primary", "nginx0"], 1).await.err(),
            stranger.reload().await.err(),
            stranger.client.sync_vpplb_state(v1::SyncVpplbStateRequest::default()).await.err(),
        ];
        for (number, status) in refused.into_iter().enumerate() {
            let status = status.unwrap_or_else(|| panic!("call {number} was taken from {address}"));
            assert_eq!(status.code(), Code::PermissionDenied, "{status}");
            assert!(
                status.message().contains("unix:"),
                "it does not say how to get in: {}",
                status.message()
            );
        }
    }

    let backend = daemon.operator().await.backend("nginx0").await;
    assert_eq!((backend.state(), backend.intent), (BackendState::Up, None));
}
