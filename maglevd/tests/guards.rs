//! Requests that do more than they seem to: those that leave a frontend without a server, and those that lack what they
//! are about.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;

use common::Running;
use maglev_api::{v1, would_empty};
use prost_reflect::DescriptorPool;
use tonic::{Code, Status};

/// Backends without a check are up at once.
const CONFIG: &str = "
maglev:
  backends:
    a: {address: 127.0.0.1}
    b: {address: 127.0.0.2}
    c: {address: 127.0.0.3}
  frontends:
    site:
      address: 203.0.113.1
      pools: [{name: primary, backends: {a: {}, b: {}}}, {name: spare, backends: {c: {}}}]
    blog:
      address: 203.0.113.2
      pools: [{name: only, backends: {a: {}}}]
";

fn about(name: &str) -> v1::BackendIntentRequest {
    v1::BackendIntentRequest { name: name.to_owned(), ..Default::default() }
}

fn weight(place: [&str; 3], weight: Option<u32>) -> v1::SetFrontendPoolBackendWeightRequest {
    let [frontend, pool, backend] = place.map(str::to_owned);
    v1::SetFrontendPoolBackendWeightRequest { frontend, pool, backend, weight, ..Default::default() }
}

/// What is refused, with the frontends that the answer lists for programs.
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, frontends: &[&str]) -> String {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    assert_eq!(would_empty(&status).unwrap(), frontends);
    status.message().to_owned()
}

#[tokio::test]
async fn the_last_server_of_a_frontend_is_refused_unless_forced() {
    let mut daemon = Running::start(CONFIG).await;
    let client = &mut daemon.client;
    let sentence = "frontend blog would have no server left, and new flows would be dropped; set `force` to do it all the \
                    same";
    assert_eq!(refused(client.disable_backend(about("a")).await, &["blog"]), sentence);
    assert_eq!(refused(client.pause_backend(about("a")).await, &["blog"]), sentence);
    let zero = weight(["blog", "only", "a"], Some(0));
    assert_eq!(refused(client.set_frontend_pool_backend_weight(zero.clone()).await, &["blog"]), sentence);
    let backend = daemon.backend("a").await.unwrap();
    assert!(backend.intent.is_none() && backend.state() == v1::BackendState::Up, "nothing has changed");

    let client = &mut daemon.client;
    let forced = v1::SetFrontendPoolBackendWeightRequest { force: true, ..zero.clone() };
    assert!(client.set_frontend_pool_backend_weight(forced).await.unwrap().into_inner().changed);
    assert!(
        !client.set_frontend_pool_backend_weight(zero).await.unwrap().into_inner().changed,
        "it is so already"
    );
    // The spare takes over for site, and blog has no server already.
    client.disable_backend(about("b")).await.unwrap();
    client.disable_backend(about("a")).await.unwrap();
    refused(client.pause_backend(about("c")).await, &["site"]);
}

#[tokio::test]
async fn force_goes_no_further_than_the_frontends_it_names() {
    let mut daemon = Running::start(CONFIG).await;
    let client = &mut daemon.client;
    client.disable_backend(about("b")).await.unwrap();
    client.disable_backend(about("c")).await.unwrap();
    refused(client.disable_backend(about("a")).await, &["blog", "site"]);
    let force = |frontends: &[&str]| v1::BackendIntentRequest {
        force: true,
        force_frontends: frontends.iter().map(|name| (*name).to_owned()).collect(),
        ..about("a")
    };
    refused(client.disable_backend(force(&["blog"])).await, &["site"]);
    client.disable_backend(force(&["blog", "site"])).await.unwrap();

    let list_alone = v1::BackendIntentRequest { force: false, ..force(&["blog"]) };
    assert_eq!(client.pause_backend(list_alone).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_weight_that_is_not_given_is_not_zero() {
    let mut daemon = Running::start(CONFIG).await;
    let absent = weight(["site", "primary", "a"], None);
    let status = daemon.client.set_frontend_pool_backend_weight(absent).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::InvalidArgument, "weight is not set: give a number from 0 to 100")
    );
    let zero = weight(["site", "primary", "a"], Some(0));
    let answer = daemon.client.set_frontend_pool_backend_weight(zero).await.unwrap().into_inner();
    assert_eq!(answer.frontend.unwrap().pools[0].backends[0].weight_override, Some(0));
}

/// An empty message asks for nothing in particular, so it changes nothing in particular.
#[tokio::test]
async fn empty_requests_change_nothing() {
    let mut daemon = Running::start(CONFIG).await;
    let before = state(&mut daemon).await;
    let client = &mut daemon.client;
    let mut called = BTreeSet::new();
    let mut note = |call: &'static str, answer: Result<(), Status>, expected: Result<(), Code>| {
        called.insert(call.to_owned());
        assert_eq!(answer.map_err(|status| status.code()), expected, "{call}");
    };
    let invalid = Err(Code::InvalidArgument);
    note("PauseBackend", client.pause_backend(about("")).await.map(drop), invalid);
    note("ResumeBackend", client.resume_backend(about("")).await.map(drop), invalid);
    note("EnableBackend", client.enable_backend(about("")).await.map(drop), invalid);
    note("DisableBackend", client.disable_backend(about("")).await.map(drop), invalid);
    let empty = v1::SetFrontendPoolBackendWeightRequest::default();
    let answer = client.set_frontend_pool_backend_weight(empty).await.map(drop);
    note("SetFrontendPoolBackendWeight", answer, invalid);
    // All of it, as documented: it is the same file, and there is no VPP.
    note("ReloadConfig", client.reload_config(v1::ReloadConfigRequest::default()).await.map(drop), Ok(()));
    let sync = client.sync_vpplb_state(v1::SyncVpplbStateRequest::default()).await.map(drop);
    note("SyncVPPLBState", sync, Err(Code::Unavailable));

    // What a plan supposes is not there either where it is not said.
    use v1::plan_vpplb_state_request::Suppose;
    for suppose in [
        Suppose::Backend(v1::SupposeBackend::default()),
        Suppose::Backend(v1::SupposeBackend {
            request: v1::BackendRequest::Disable.into(),
            ..Default::default()
        }),
        Suppose::Weight(v1::SupposeWeight::default()),
        Suppose::Weight(v1::SupposeWeight {
            frontend: "site".into(),
            pool: "primary".into(),
            backend: "a".into(),
            weight: None,
        }),
    ] {
        let request = v1::PlanVpplbStateRequest { suppose: Some(suppose), ..Default::default() };
        let status = client.plan_vpplb_state(request.clone()).await.unwrap_err();
        assert!(matches!(status.code(), Code::InvalidArgument | Code::Unavailable), "{request:?}: {status}");
    }

    let pool = DescriptorPool::decode(v1::FILE_DESCRIPTOR_SET).unwrap();
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let looks = ["Get", "List", "Watch", "Check", "Plan"];
    let changes = methods.map(|method| method.name().to_owned());
    let changes: BTreeSet<_> =
        changes.filter(|name| !looks.iter().any(|verb| name.starts_with(verb))).collect();
    assert_eq!(called, changes, "every call that changes something is tried here");
    assert_eq!(state(&mut daemon).await, before);
}

async fn state(daemon: &mut Running) -> (Vec<v1::Backend>, Vec<v1::Frontend>) {
    let backends =
        daemon.client.list_backends(v1::ListBackendsRequest {}).await.unwrap().into_inner().backends;
    let frontends =
        daemon.client.list_frontends(v1::ListFrontendsRequest {}).await.unwrap().into_inner().frontends;
    // Times are told by two clocks that are read one after the other.
    let timeless = |backend| v1::Backend { since: None, ..backend };
    let frontends = frontends.into_iter().map(|frontend| v1::Frontend { since: None, ..frontend });
    (backends.into_iter().map(timeless).collect(), frontends.collect())
}
