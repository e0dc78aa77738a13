//! Edge. What every gRPC client expects to find: health and reflection.

use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::operator::Operator;
use maglev_tests::server::Server;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

async fn operator(options: Options) -> (Daemon, Operator) {
    let server = Server::start().await;
    let daemon = Daemon::start(&server.site("web0"), options).await;
    let operator = daemon.operator().await;
    (daemon, operator)
}

#[tokio::test]
async fn it_says_that_it_serves() {
    let (_daemon, operator) = operator(Options::default()).await;
    let mut health = HealthClient::new(operator.channel());

    for service in ["", "maglev.v1.Maglev"] {
        let asked = health.check(HealthCheckRequest { service: service.to_owned() }).await.unwrap();
        assert_eq!(asked.into_inner().status(), ServingStatus::Serving, "{service:?}");
    }
    let asked = health.check(HealthCheckRequest { service: "no.such.Service".to_owned() }).await;
    assert_eq!(asked.unwrap_err().code(), Code::NotFound);
}

/// Asks for the services there are, in either version of reflection, whose messages are the same.
macro_rules! services {
    ($version:ident, $operator:expr) => {{
        use $version::server_reflection_client::ServerReflectionClient;
        use $version::server_reflection_request::MessageRequest;
        use $version::server_reflection_response::MessageResponse;
        let request = $version::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let mut client = ServerReflectionClient::new($operator.channel());
        match client.server_reflection_info(tokio_stream::once(request)).await {
            Ok(answers) => match answers.into_inner().message().await.unwrap().unwrap().message_response {
                Some(MessageResponse::ListServicesResponse(list)) => {
                    Ok(list.service.into_iter().map(|service| service.name).collect::<Vec<_>>())
                }
                other => panic!("not a list of services: {other:?}"),
            },
            Err(status) => Err(status.code()),
        }
    }};
}

#[tokio::test]
async fn it_says_what_can_be_called() {
    let (_daemon, operator) = operator(Options::default()).await;

    for services in [services!(v1, operator), services!(v1alpha, operator)] {
        let services = services.unwrap();
        for service in ["maglev.v1.Maglev", "grpc.health.v1.Health"] {
            assert!(services.iter().any(|name| name == service), "no {service} among {services:?}");
        }
    }
}

#[tokio::test]
async fn it_keeps_that_to_itself_when_told_to() {
    let arguments = vec!["--reflection".to_owned(), "false".to_owned()];
    let (_daemon, operator) = operator(Options { arguments, ..Options::default() }).await;

    assert_eq!(services!(v1, operator), Err(Code::Unimplemented));
    assert_eq!(services!(v1alpha, operator), Err(Code::Unimplemented));
}
