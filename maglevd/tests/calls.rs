//! Every call of the gRPC service, with its answer and with everything it refuses, against a daemon in this process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Running, WebServer, soon};
use maglev_api::v1::{self, event::Event as Kind};
use tonic::{Code, Status};

const CONFIG: &str = "
maglev:
  healthchecks:
    web:
      type: http
      port: PORT
      interval: 50ms
      params: {path: /healthz, response-code: 200-204}
    idle: {type: tcp, port: 9, interval: 1h}
  backends:
    web0: {address: 127.0.0.1, healthcheck: web}
    off0: {address: 127.0.0.2, healthcheck: idle, enabled: false}
    static0: {address: 127.0.0.3}
  frontends:
    site:
      description: the web site
      address: 203.0.113.1
      protocol: tcp
      port: 80
      pools:
        - name: primary
          backends: {web0: {weight: 50}, off0: {}}
        - name: spare
          backends: {static0: {}}
";

/// A daemon whose backend `web0` is up.
async fn daemon() -> (WebServer, Running) {
    let server = WebServer::start().await;
    let mut daemon = Running::start(&CONFIG.replace("PORT", &server.port().to_string())).await;
    daemon.reaches("web0", v1::BackendState::Up).await;
    (server, daemon)
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    (status.code(), status.message().to_owned())
}

fn missing<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    let (code, message) = refusal(answer);
    assert_eq!(code, Code::NotFound, "{message}");
    message
}

fn about(name: &str) -> v1::BackendIntentRequest {
    v1::BackendIntentRequest { name: name.to_owned(), force: true, ..v1::BackendIntentRequest::default() }
}

fn weight(pool: &str, backend: &str, weight: u32) -> v1::SetFrontendPoolBackendWeightRequest {
    v1::SetFrontendPoolBackendWeightRequest {
        frontend: "site".into(),
        pool: pool.into(),
        backend: backend.into(),
        weight: Some(weight),
        force: true,
        ..v1::SetFrontendPoolBackendWeightRequest::default()
    }
}

#[tokio::test]
async fn the_version_tells_what_runs_on_what() {
    let (_server, mut daemon) = daemon().await;
    let version = daemon.client.get_version(v1::GetVersionRequest {}).await.unwrap().into_inner();
    assert_eq!(version.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(version.config_path, daemon.config.display().to_string());
    assert!(version.last_reload_successful);
    assert!(version.started_at.is_some() && version.config_loaded_at.is_some());
}

#[tokio::test]
async fn frontends_are_shown_whole() {
    let (_server, mut daemon) = daemon().await;
    let listed = daemon.client.list_frontends(v1::ListFrontendsRequest {}).await.unwrap().into_inner();
    let site = daemon.frontend("site").await.unwrap();
    assert_eq!(listed.frontends, std::slice::from_ref(&site));
    assert_eq!(site.description, "the web site");
    assert_eq!((&*site.prefix, &*site.protocol, site.port), ("203.0.113.1/32", "tcp", 80));
    assert_eq!((site.state(), &*site.active_pool), (v1::FrontendState::Up, "primary"));
    let shown: Vec<_> = site
        .pools
        .iter()
        .flat_map(|pool| {
            pool.backends.iter().map(move |b| (pool.active, &*b.name, b.effective_weight, b.reason()))
        })
        .collect();
    assert_eq!(
        shown,
        [
            (true, "web0", 50, v1::WeightReason::Active),
            (true, "off0", 0, v1::WeightReason::Disabled),
            (false, "static0", 0, v1::WeightReason::Standby),
        ]
    );
    assert_eq!(missing(daemon.frontend("nope").await), "there is no frontend nope");
}

#[tokio::test]
async fn backends_are_shown_whole() {
    let (_server, mut daemon) = daemon().await;
    let listed = daemon.client.list_backends(v1::ListBackendsRequest {}).await.unwrap().into_inner();
    let names: Vec<_> = listed.backends.iter().map(|backend| &*backend.name).collect();
    assert_eq!(names, ["off0", "static0", "web0"]);

    let web0 = daemon.backend("web0").await.unwrap();
    assert_eq!(
        (web0.state(), &*web0.address, &*web0.health_check),
        (v1::BackendState::Up, "127.0.0.1", "web")
    );
    assert!(web0.enabled && web0.intent.is_none());
    let probe = web0.last_probe.unwrap();
    assert_eq!((&*probe.code, probe.success), ("L7OK", Some(true)));
    assert_eq!(web0.transitions.len(), 1);
    assert_eq!(web0.memberships[0].effective_weight, 50);

    let off0 = daemon.backend("off0").await.unwrap();
    assert_eq!(off0.state(), v1::BackendState::Disabled);
    assert!(!off0.enabled && off0.last_probe.is_none() && off0.next_probe_at.is_none());
    assert_eq!(missing(daemon.backend("nope").await), "there is no backend nope");
}

#[tokio::test]
async fn health_checks_are_shown_whole() {
    let (server, mut daemon) = daemon().await;
    let listed = daemon.client.list_health_checks(v1::ListHealthChecksRequest {}).await.unwrap().into_inner();
    let names: Vec<_> = listed.health_checks.iter().map(|check| &*check.name).collect();
    assert_eq!(names, ["idle", "web"]);
    let request = v1::GetHealthCheckRequest { name: "web".into() };
    let web = daemon.client.get_health_check(request).await.unwrap().into_inner();
    assert_eq!((&*web.r#type, web.port, web.rise, web.fall), ("http", server.port().into(), 2, 3));
    assert_eq!(web.interval.unwrap().nanos, 50_000_000);
    assert_eq!((&*web.params["path"], &*web.params["response-code"]), ("/healthz", "200-204"));
    assert_eq!(web.backends, ["web0"]);
    let request = v1::GetHealthCheckRequest { name: "nope".into() };
    assert_eq!(missing(daemon.client.get_health_check(request).await), "there is no health check nope");
}

#[tokio::test]
async fn the_names_of_everything_are_told_at_once() {
    let (_server, mut daemon) = daemon().await;
    let names = daemon.client.list_names(v1::ListNamesRequest {}).await.unwrap().into_inner();
    assert_eq!(names.frontends, ["site"]);
    assert_eq!(names.backends, ["off0", "static0", "web0"]);
    assert_eq!(names.health_checks, ["idle", "web"]);
}

#[tokio::test]
async fn a_backend_is_paused_resumed_disabled_and_enabled() {
    let (_server, mut daemon) = daemon().await;
    for again in [true, false] {
        let request = v1::BackendIntentRequest {
            name: "web0".into(),
            reason: "deploy 7".into(),
            by: "alice".into(),
            ..v1::BackendIntentRequest::default()
        };
        let answer = daemon.client.pause_backend(request).await.unwrap().into_inner();
        assert_eq!(answer.changed, again, "asking for what is so changes nothing");
        let backend = answer.backend.unwrap();
        assert_eq!(backend.state(), v1::BackendState::Paused);
        let who = backend.intent.unwrap().attribution.unwrap();
        assert_eq!((&*who.by, &*who.reason), ("alice (127.0.0.1)", "deploy 7"));
    }
    let answer = daemon.client.resume_backend(about("web0")).await.unwrap().into_inner();
    assert_eq!(answer.backend.unwrap().state(), v1::BackendState::Unknown);
    daemon.reaches("web0", v1::BackendState::Up).await;

    let answer = daemon.client.disable_backend(about("web0")).await.unwrap().into_inner();
    assert_eq!(answer.backend.unwrap().state(), v1::BackendState::Disabled);
    let is_disabled = |verb: &str| {
        (
            Code::FailedPrecondition,
            format!("backend web0 is disabled: it cannot be {verb}d before it is enabled"),
        )
    };
    assert_eq!(refusal(daemon.client.pause_backend(about("web0")).await), is_disabled("pause"));
    assert_eq!(refusal(daemon.client.resume_backend(about("web0")).await), is_disabled("resume"));
    daemon.client.enable_backend(about("web0")).await.unwrap();
    daemon.reaches("web0", v1::BackendState::Up).await;
}

#[tokio::test]
async fn changes_of_what_is_not_there_are_refused() {
    let (_server, mut daemon) = daemon().await;
    let client = &mut daemon.client;
    let sentence = "there is no backend nope";
    assert_eq!(missing(client.pause_backend(about("nope")).await), sentence);
    assert_eq!(missing(client.resume_backend(about("nope")).await), sentence);
    assert_eq!(missing(client.enable_backend(about("nope")).await), sentence);
    assert_eq!(missing(client.disable_backend(about("nope")).await), sentence);
    let mut elsewhere = weight("primary", "web0", 1);
    elsewhere.frontend = "nope".into();
    for (request, sentence) in [
        (elsewhere, "there is no frontend nope"),
        (weight("nope", "web0", 1), "frontend site has no pool nope"),
        (weight("spare", "web0", 1), "pool spare of frontend site has no backend web0"),
    ] {
        assert_eq!(missing(client.set_frontend_pool_backend_weight(request).await), sentence);
    }
}

#[tokio::test]
async fn a_name_without_end_is_refused_with_a_sentence_that_arrives() {
    let (_server, mut daemon) = daemon().await;
    let message = missing(daemon.client.pause_backend(about(&"é".repeat(4000))).await);
    assert!(message.starts_with("there is no backend éé") && message.ends_with('…'), "{message}");
    let refused = refusal(daemon.client.pause_backend(about(&"é".repeat(30_000))).await);
    assert_eq!(refused, (Code::ResourceExhausted, "a request like this has at most 16384 bytes".into()));
}

#[tokio::test]
async fn words_that_are_too_long_are_refused_and_nothing_is_changed() {
    let (_server, mut daemon) = daemon().await;
    let long = |reason: usize, by: usize| v1::BackendIntentRequest {
        name: "web0".into(),
        reason: "x".repeat(reason),
        by: "x".repeat(by),
        ..v1::BackendIntentRequest::default()
    };
    let refused = refusal(daemon.client.disable_backend(long(1025, 0)).await);
    assert_eq!(refused, (Code::InvalidArgument, "reason has at most 1024 bytes, not 1025".into()));
    let refused = refusal(daemon.client.disable_backend(long(0, 129)).await);
    assert_eq!(refused, (Code::InvalidArgument, "by has at most 128 bytes, not 129".into()));
    assert_eq!(daemon.backend("web0").await.unwrap().state(), v1::BackendState::Up);
    daemon.client.disable_backend(long(1024, 128)).await.unwrap();
}

#[tokio::test]
async fn a_weight_is_set_and_set_back() {
    let (_server, mut daemon) = daemon().await;
    let mut set = async |value| {
        let request = weight("primary", "web0", value);
        daemon.client.set_frontend_pool_backend_weight(request).await.map(tonic::Response::into_inner)
    };
    let answer = set(7).await.unwrap();
    assert!(answer.changed);
    let member = answer.frontend.unwrap().pools.remove(0).backends.remove(0);
    assert_eq!((member.configured_weight, member.weight_override, member.effective_weight), (50, Some(7), 7));
    assert!(!set(7).await.unwrap().changed);
    assert_eq!(set(101).await.unwrap_err().code(), Code::InvalidArgument);
    let refused = refusal(set(u32::MAX).await);
    assert_eq!(
        refused,
        (Code::InvalidArgument, "a weight is a whole number from 0 to 100, not 4294967295".into())
    );
    let member = set(50).await.unwrap().frontend.unwrap().pools.remove(0).backends.remove(0);
    assert_eq!((member.weight_override, member.effective_weight), (None, 50));
}

#[tokio::test]
async fn a_watcher_sees_a_server_go_and_come_back() {
    let (server, mut daemon) = daemon().await;
    let mut events =
        daemon.client.watch_events(v1::WatchEventsRequest::default()).await.unwrap().into_inner();
    let mut next = async || soon(events.message()).await.unwrap().unwrap().event.unwrap();
    loop {
        if matches!(next().await, Kind::Synchronized(_)) {
            break;
        }
    }
    server.answer(503);
    let Kind::Backend(event) = next().await else { panic!("not about a backend") };
    assert_eq!((&*event.backend, event.state()), ("web0", v1::BackendState::Down));
    let change = event.transition.unwrap();
    assert_eq!((&*change.code, change.cause()), ("L7STS", v1::Cause::Probe));
    let Kind::Frontend(event) = next().await else { panic!("not about a frontend") };
    assert_eq!((&*event.from_pool, &*event.active_pool), ("primary", "spare"));
    server.answer(200);
    let Kind::Backend(event) = next().await else { panic!("not about a backend") };
    assert_eq!(event.state(), v1::BackendState::Up);
}

#[tokio::test]
async fn a_reload_takes_a_good_file_and_tells_every_error_of_a_bad_one() {
    let (server, mut daemon) = daemon().await;
    let good = CONFIG.replace("PORT", &server.port().to_string());
    daemon.write(&good.replace("static0", "static1"));
    let checked = daemon.client.check_config(v1::CheckConfigRequest {}).await.unwrap().into_inner();
    assert!(checked.valid);
    assert_eq!(
        daemon.backend("static0").await.unwrap().state(),
        v1::BackendState::Up,
        "a check takes nothing"
    );

    let reloaded =
        daemon.client.reload_config(v1::ReloadConfigRequest::default()).await.unwrap().into_inner();
    assert_eq!(reloaded.changes, checked.changes);
    let backends = reloaded.changes.unwrap().backends.unwrap();
    assert_eq!((backends.added, backends.removed), (vec!["static1".to_owned()], vec!["static0".to_owned()]));
    assert_eq!(daemon.backend("web0").await.unwrap().state(), v1::BackendState::Up, "and disturbs nobody");

    daemon.write(&good.replace("weight: 50", "weight: 500").replace("interval: 1h", "interval: soon"));
    let checked = daemon.client.check_config(v1::CheckConfigRequest {}).await.unwrap().into_inner();
    assert!(!checked.valid && checked.changes.is_none());
    let keys: Vec<_> = checked.diagnostics.iter().map(|diagnostic| &*diagnostic.key).collect();
    let expected =
        ["maglev.healthchecks.idle.interval", "maglev.frontends.site.pools[0].backends.web0.weight"];
    assert_eq!(keys, expected);
    let (code, message) = refusal(daemon.client.reload_config(v1::ReloadConfigRequest::default()).await);
    assert_eq!(code, Code::FailedPrecondition);
    assert_eq!(message.lines().count(), 2, "{message}");
    for (line, diagnostic) in message.lines().zip(&checked.diagnostics) {
        let at = format!("{}:{}:{}: ", daemon.config.display(), diagnostic.line, diagnostic.column);
        assert!(line.starts_with(&at) && line.ends_with(&diagnostic.message), "{line}");
    }
    assert!(daemon.backend("static1").await.is_ok(), "the old one stays in force");
    let version = daemon.client.get_version(v1::GetVersionRequest {}).await.unwrap().into_inner();
    assert!(!version.last_reload_successful);

    std::fs::remove_file(&daemon.config).unwrap();
    let gone = (
        Code::FailedPrecondition,
        format!("cannot read {}: No such file or directory (os error 2)", daemon.config.display()),
    );
    assert_eq!(refusal(daemon.client.reload_config(v1::ReloadConfigRequest::default()).await), gone);
    assert_eq!(refusal(daemon.client.check_config(v1::CheckConfigRequest {}).await), gone);
}

#[tokio::test]
async fn a_file_with_hundreds_of_errors_is_refused_with_as_many_as_arrive() {
    let (_server, mut daemon) = daemon().await;
    let many: String = (0..500).map(|n| format!("    b{n}: {{adress: 127.0.0.1}}\n")).collect();
    daemon.write(&format!("maglev:\n  backends:\n{many}"));
    let (code, message) = refusal(daemon.client.reload_config(v1::ReloadConfigRequest::default()).await);
    assert_eq!(code, Code::FailedPrecondition, "{message}");
    assert!(message.ends_with("more lines: a check of the configuration lists all"), "{message}");
    let checked = daemon.client.check_config(v1::CheckConfigRequest {}).await.unwrap().into_inner();
    assert_eq!(checked.diagnostics.len(), 101);
    let last = checked.diagnostics.last().unwrap();
    assert!(last.message.starts_with("900 more errors are not listed"), "{last:?}");
}

#[tokio::test]
async fn without_vpp_calls_about_it_say_so() {
    let (_server, mut daemon) = daemon().await;
    let client = &mut daemon.client;
    let info = client.get_vpp_info(v1::GetVppInfoRequest {}).await.unwrap().into_inner();
    assert_eq!(info.status(), v1::VppStatus::Off);
    let off = (Code::Unavailable, "maglevd runs without VPP".to_owned());
    assert_eq!(refusal(client.get_vpplb_state(v1::GetVpplbStateRequest {}).await), off);
    assert_eq!(refusal(client.get_vpplb_counters(v1::GetVpplbCountersRequest {}).await), off);
    assert_eq!(refusal(client.sync_vpplb_state(v1::SyncVpplbStateRequest::default()).await), off);
    assert_eq!(refusal(client.plan_vpplb_state(v1::PlanVpplbStateRequest::default()).await), off);
}

#[tokio::test]
async fn what_operators_want_is_there_after_a_restart() {
    let (server, mut daemon) = daemon().await;
    daemon.client.disable_backend(about("static0")).await.unwrap();
    daemon.client.set_frontend_pool_backend_weight(weight("primary", "web0", 7)).await.unwrap();
    let state = daemon.end().await;

    let config = CONFIG.replace("PORT", &server.port().to_string());
    let mut daemon = Running::start_in(state, &config).await;
    assert_eq!(daemon.backend("static0").await.unwrap().state(), v1::BackendState::Disabled);
    let site = daemon.frontend("site").await.unwrap();
    assert_eq!(site.pools[0].backends[0].weight_override, Some(7));
}

#[tokio::test]
async fn the_end_comes_to_watchers_too() {
    let (_server, mut daemon) = daemon().await;
    let mut events =
        daemon.client.watch_events(v1::WatchEventsRequest::default()).await.unwrap().into_inner();
    soon(events.message()).await.unwrap();
    daemon.end().await;
    let status = soon(async {
        loop {
            if let Err(status) = events.message().await {
                break status;
            }
        }
    });
    let status = status.await;
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "the daemon is shutting down"));
}
