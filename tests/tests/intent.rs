//! Edge. What operators ask for: pause and resume, disable and enable, weights.

use maglev_api::v1::{self, BackendState, IntentKind, WeightReason};
use maglev_tests::config::Config;
use maglev_tests::daemon::Daemon;
use maglev_tests::lab::Lab;
use maglev_tests::nginx::Nginx;
use maglev_tests::server::Server;
use maglev_tests::wait::SOON;
use prost_types::Duration as Span;
use tonic::Code;

/// Sees that nobody asks one server, by the clock of another that is asked all the time.
async fn left_alone(quiet: &Nginx, busy: &Nginx) {
    // A probe that was under way when the operator asked has arrived by then.
    busy.requested(2).await;
    let before = quiet.requests().len();
    busy.requested(10).await;
    assert_eq!(quiet.requests().len(), before, "it is still probed");
}

#[tokio::test]
async fn pause_stops_probes_and_resume_restarts_them() {
    let Some(lab) = Lab::open() else { return };
    let (nginx0, nginx1) = (lab.nginx(10).await, lab.nginx(11).await);
    let daemon = lab.daemon(&Config::site([("nginx0", nginx0.v4()), ("nginx1", nginx1.v4())])).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;

    let paused = operator.pause("nginx0").await.unwrap();
    let backend = paused.backend.unwrap();
    assert_eq!(backend.state(), BackendState::Paused);
    assert_eq!(backend.memberships[0].effective_weight, 0);
    assert_eq!(backend.memberships[0].reason(), WeightReason::Paused);
    left_alone(&nginx0, &nginx1).await;

    let resumed = operator.resume("nginx0").await.unwrap();
    assert_eq!(resumed.backend.unwrap().state(), BackendState::Unknown, "a pause ends without a verdict");
    nginx0.requested(2).await;
    let backend = operator.becomes("nginx0", BackendState::Up, SOON).await;
    assert_eq!(backend.memberships[0].effective_weight, 100);
}

#[tokio::test]
async fn disable_stops_probes_and_enable_restarts_them() {
    let Some(lab) = Lab::open() else { return };
    let (nginx0, nginx1) = (lab.nginx(10).await, lab.nginx(11).await);
    let daemon = lab.daemon(&Config::site([("nginx0", nginx0.v4()), ("nginx1", nginx1.v4())])).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;

    let backend = operator.disable("nginx0").await.unwrap().backend.unwrap();
    assert_eq!((backend.state(), backend.enabled), (BackendState::Disabled, false));
    assert_eq!(backend.memberships[0].reason(), WeightReason::Disabled);
    left_alone(&nginx0, &nginx1).await;

    let backend = operator.enable("nginx0").await.unwrap().backend.unwrap();
    assert_eq!((backend.state(), backend.enabled), (BackendState::Unknown, true));
    nginx0.requested(2).await;
    operator.all_up().await;
}

#[tokio::test]
async fn a_backend_disabled_in_the_configuration_is_left_alone_until_enabled() {
    let Some(lab) = Lab::open() else { return };
    let (nginx0, nginx1) = (lab.nginx(10).await, lab.nginx(11).await);
    let disabled = format!("address: {}, healthcheck: web, enabled: false", nginx0.v4());
    let config =
        Config::site([("nginx0", nginx0.v4()), ("nginx1", nginx1.v4())]).backend_with("nginx0", &disabled);
    let daemon = lab.daemon(&config).await;
    let mut operator = daemon.operator().await;

    left_alone(&nginx0, &nginx1).await;
    assert!(nginx0.requests().is_empty());

    operator.enable("nginx0").await.unwrap();
    operator.all_up().await;
}

#[tokio::test]
async fn what_is_so_already_is_no_change_and_no_event() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let mut watcher = operator.watch().await;
    watcher.present().await;

    assert!(operator.pause("web0").await.unwrap().changed);
    assert!(!operator.pause("web0").await.unwrap().changed);
    assert!(operator.resume("web0").await.unwrap().changed);
    assert!(!operator.resume("web0").await.unwrap().changed);
    assert!(!operator.enable("web0").await.unwrap().changed);

    let (_, before) = watcher.backend("web0", BackendState::Unknown).await;
    let states = before.iter().filter(|event| format!("{event:?}").contains("BackendEvent")).count();
    assert_eq!(states, 1, "paused once: {before:#?}");
}

#[tokio::test]
async fn pause_and_resume_of_a_disabled_backend_are_refused() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;
    operator.disable("web0").await.unwrap();

    for refused in [operator.pause("web0").await, operator.resume("web0").await] {
        let status = refused.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(status.message().contains("web0"), "{status}");
    }
    assert_eq!(operator.backend("web0").await.state(), BackendState::Disabled);
}

#[tokio::test]
async fn an_unknown_name_is_named() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;

    let missing = [
        operator.pause("web7").await.unwrap_err(),
        operator.weigh(["site", "primary", "web7"], 1).await.unwrap_err(),
        operator.weigh(["site", "web7", "web0"], 1).await.unwrap_err(),
        operator.weigh(["web7", "primary", "web0"], 1).await.unwrap_err(),
    ];
    for status in missing {
        assert_eq!(status.code(), Code::NotFound, "{status}");
        assert!(status.message().contains("web7"), "{status}");
    }
}

#[tokio::test]
async fn who_did_it_when_and_why_is_kept() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;

    operator.pause("web0").await.unwrap();

    let intent = operator.backend("web0").await.intent.unwrap();
    assert_eq!(intent.kind(), IntentKind::Paused);
    let attribution = intent.attribution.unwrap();
    assert!(attribution.by.starts_with("tester (uid "), "{}", attribution.by);
    assert_eq!(attribution.reason, "a test");
    assert!(attribution.at.is_some());
}

#[tokio::test]
async fn a_weight_set_by_hand_holds_until_the_configured_one_is_set() {
    let (server0, server1) = (Server::start().await, Server::start().await);
    let config = server0.site("web0").check("other", &server1.check()).backend(
        "web1",
        maglev_tests::server::LOOPBACK,
        "other",
    );
    let config = config.pool("site", "spare", &["web1"]);
    let daemon = Daemon::local(&config).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;

    let site = operator.weigh(["site", "primary", "web0"], 42).await.unwrap();
    let member = &site.pools[0].backends[0];
    let weights = (member.configured_weight, member.weight_override, member.effective_weight);
    assert_eq!(weights, (100, Some(42), 42));

    // A pool without weight is no pool to send traffic to.
    let site = operator.weigh(["site", "primary", "web0"], 0).await.unwrap();
    assert_eq!(site.active_pool, "spare");
    assert_eq!(site.pools[0].backends[0].reason(), WeightReason::Zero);

    let site = operator.weigh(["site", "primary", "web0"], 100).await.unwrap();
    assert_eq!((site.active_pool.as_str(), site.pools[0].backends[0].weight_override), ("primary", None));

    let status = operator.weigh(["site", "primary", "web0"], 101).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn what_is_asked_for_a_time_ends_by_itself_also_while_nobody_runs() {
    let (server0, server1) = (Server::start().await, Server::start().await);
    let config = server0.site("web0").check("other", &server1.check());
    let config = config.backend("web1", maglev_tests::server::LOOPBACK, "other");
    let config = config.pool("site", "spare", &["web1"]);
    let daemon = Daemon::local(&config).await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    let mut watcher = operator.watch().await;
    watcher.present().await;

    let asked = |millis: i32| v1::BackendIntentRequest {
        name: "web0".to_owned(),
        reason: "a test".to_owned(),
        by: "tester".to_owned(),
        expires_in: Some(Span { seconds: i64::from(millis / 1000), nanos: millis % 1000 * 1_000_000 }),
        force: true,
        ..v1::BackendIntentRequest::default()
    };
    let paused = operator.client.pause_backend(asked(3_600_000)).await.unwrap().into_inner();
    let until = paused.backend.unwrap().intent.unwrap().attribution.unwrap().expires_at;
    assert!(until.is_some());
    let again = operator.client.pause_backend(asked(300)).await.unwrap().into_inner();
    assert!(again.changed, "another end is a change");
    assert_eq!(again.backend.unwrap().state(), BackendState::Paused);
    assert!(daemon.line("what an operator wants has another end").is_some());

    let (ended, _) = watcher.backend("web0", BackendState::Unknown).await;
    let transition = ended.transition.unwrap();
    assert_eq!(transition.cause(), v1::Cause::Expired);
    assert!(transition.detail.starts_with("pause ended as asked by tester (uid "), "{}", transition.detail);
    assert!(transition.detail.ends_with(": a test"), "{}", transition.detail);
    operator.becomes("web0", BackendState::Up, SOON).await;

    // One that ends while nobody runs, and a weight.
    operator.client.disable_backend(asked(1)).await.unwrap();
    let request = v1::SetFrontendPoolBackendWeightRequest {
        frontend: "site".into(),
        pool: "primary".into(),
        backend: "web0".into(),
        weight: Some(7),
        force: true,
        expires_in: Some(Span { seconds: 0, nanos: 1 }),
        ..v1::SetFrontendPoolBackendWeightRequest::default()
    };
    operator.client.set_frontend_pool_backend_weight(request).await.unwrap();
    let daemon = daemon.restart().await;
    let mut operator = daemon.operator().await;
    operator.all_up().await;
    assert_eq!(operator.backend("web0").await.intent, None);
    assert_eq!(operator.frontend("site").await.pools[0].backends[0].weight_override, None);
}

#[tokio::test]
async fn an_end_that_makes_no_sense_is_refused() {
    let server = Server::start().await;
    let daemon = Daemon::local(&server.site("web0")).await;
    let mut operator = daemon.operator().await;
    let asked = |seconds: i64| v1::BackendIntentRequest {
        name: "web0".to_owned(),
        expires_in: Some(Span { seconds, nanos: 0 }),
        force: true,
        ..v1::BackendIntentRequest::default()
    };

    for seconds in [0, -1, 366 * 24 * 3600 + 1, i64::MAX] {
        let refused = operator.client.pause_backend(asked(seconds)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{seconds}: {refused}");
        assert!(refused.message().contains("at most 366 days"), "{refused}");
    }
    // It is enabled by the configuration, so there is nothing to go back to.
    let refused = operator.client.enable_backend(asked(60)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    let refused = operator.client.resume_backend(asked(60)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    assert_eq!(operator.backend("web0").await.intent, None);
}
