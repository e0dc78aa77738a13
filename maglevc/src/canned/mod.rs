//! A maglevd that answers from fixtures, over TCP or a Unix socket, and remembers what it was asked to change.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use maglev_api::v1::maglev_server::{Maglev, MaglevServer};
use maglev_api::v1::*;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status};

pub(crate) mod fixtures;
pub(crate) mod fixtures_vpp;
pub(crate) mod pki;

use fixtures as f;
use fixtures_vpp as v;

/// What changes were asked for, in the words of the requests.
pub(crate) type Asked = Arc<Mutex<Vec<String>>>;

/// How a canned server strays from the fixtures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Not at all.
    #[default]
    Well,
    /// It takes every call and answers none. A watch gets its events, and is then left without an end.
    Silent,
    /// Its texts hold what makes terminals do things.
    Hostile,
    /// Everything is already as asked.
    Already,
    /// It refuses every change.
    Refusing,
    /// Its configuration is not valid, and VPP refuses what it is told.
    Unwell,
    /// It is older than some calls.
    Old,
    /// It has nothing configured.
    Empty,
    /// All is as it should be.
    Calm,
    /// It serves whoever has the token `sesame`.
    Guarded,
    /// It watches as many backends as anybody has.
    Crowded,
}

/// The server.
pub(crate) struct Canned {
    mood: Mood,
    asked: Asked,
}

/// A canned server at work. Dropping it ends it and closes its connections.
pub(crate) struct Running {
    /// Where it listens, as `--server` takes it.
    pub(crate) address: String,
    /// What it was asked to change.
    pub(crate) asked: Asked,
    task: tokio::task::JoinHandle<()>,
    directory: Option<tempfile::TempDir>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves on a Unix socket in a directory of its own.
pub(crate) async fn serve_unix(mood: Mood) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let mut running = serve_at(mood, &directory.path().join("maglevd.sock")).await;
    running.directory = Some(directory);
    running
}

/// Serves on a Unix socket at a path.
pub(crate) async fn serve_at(mood: Mood, path: &std::path::Path) -> Running {
    let listener = tokio::net::UnixListener::bind(path).unwrap();
    let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
    let asked = Asked::default();
    let service = MaglevServer::new(Canned { mood, asked: asked.clone() });
    let task = tokio::spawn(async move {
        tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
    });
    Running { address: format!("unix:{}", path.display()), asked, task, directory: None }
}

/// Serves on a port of a loopback address.
pub(crate) async fn serve_tcp(mood: Mood, address: &str) -> std::io::Result<Running> {
    let listener = tokio::net::TcpListener::bind((address, 0)).await?;
    let address = listener.local_addr()?.to_string();
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let asked = Asked::default();
    let service = MaglevServer::new(Canned { mood, asked: asked.clone() });
    let task = tokio::spawn(async move {
        tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
    });
    Ok(Running { address, asked, task, directory: None })
}

impl Canned {
    async fn answer<T>(&self, answer: T) -> Result<Response<T>, Status> {
        if self.mood == Mood::Silent {
            std::future::pending::<()>().await;
        }
        Ok(Response::new(answer))
    }

    async fn change<T>(&self, request: String, answer: T) -> Result<Response<T>, Status> {
        self.asked.lock().unwrap().push(request);
        if self.mood == Mood::Hostile {
            return Err(Status::failed_precondition(f::HOSTILE));
        }
        if self.mood == Mood::Refusing {
            return Err(Status::failed_precondition("backend nginx2 is disabled; enable it first"));
        }
        self.answer(answer).await
    }

    fn backend(&self, name: &str, state: BackendState) -> BackendIntentResponse {
        let backend = f::backends().into_iter().find(|backend| backend.name == name).unwrap_or_default();
        let backend = Backend { state: state.into(), ..backend };
        BackendIntentResponse { backend: Some(backend), changed: self.mood != Mood::Already }
    }
}

fn find<T>(kind: &str, name: &str, all: Vec<T>, of: impl Fn(&T) -> &str) -> Result<T, Status> {
    all.into_iter()
        .find(|object| of(object) == name)
        .ok_or_else(|| Status::not_found(format!("no {kind} is named {name}")))
}

/// Refuses to take the only backend of `dns`, unless that is forced.
fn guard(empties: bool, force: bool, frontends: &[String]) -> Result<(), Status> {
    if !empties || (force && (frontends.is_empty() || frontends == ["dns"])) {
        return Ok(());
    }
    let mut status = Status::failed_precondition("frontend dns would have no server left");
    maglev_api::attach_would_empty(&mut status, vec!["dns".to_owned()]);
    Err(status)
}

fn said(request: &BackendIntentRequest) -> String {
    format!("{} by {}: {}", request.name, request.by, request.reason)
}

#[tonic::async_trait]
impl Maglev for Canned {
    type WatchEventsStream = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

    async fn get_version(
        &self,
        request: Request<GetVersionRequest>,
    ) -> Result<Response<GetVersionResponse>, Status> {
        if self.mood == Mood::Old {
            return Err(Status::unimplemented(""));
        }
        if self.mood == Mood::Guarded {
            match request.metadata().get("authorization").map(|said| said.as_bytes()) {
                Some(b"Bearer sesame") => {}
                Some(_) => return Err(Status::unauthenticated("the token is nobody's")),
                None => return Err(Status::unauthenticated("a token or a client certificate is needed")),
            }
        }
        let version =
            GetVersionResponse { last_reload_successful: self.mood != Mood::Unwell, ..f::version() };
        self.answer(version).await
    }

    async fn list_frontends(
        &self,
        _: Request<ListFrontendsRequest>,
    ) -> Result<Response<ListFrontendsResponse>, Status> {
        let frontends = match self.mood {
            Mood::Empty => Vec::new(),
            Mood::Calm => f::calm_frontends(),
            _ => f::frontends(),
        };
        self.answer(ListFrontendsResponse { frontends }).await
    }

    async fn get_frontend(&self, request: Request<GetFrontendRequest>) -> Result<Response<Frontend>, Status> {
        let frontend = find("frontend", &request.into_inner().name, f::frontends(), |f| &f.name)?;
        self.answer(frontend).await
    }

    async fn list_backends(
        &self,
        _: Request<ListBackendsRequest>,
    ) -> Result<Response<ListBackendsResponse>, Status> {
        let backends = match self.mood {
            Mood::Empty => Vec::new(),
            Mood::Hostile => vec![f::hostile_backend()],
            Mood::Calm => f::calm_backends(),
            Mood::Crowded => f::crowd(),
            _ => f::backends(),
        };
        self.answer(ListBackendsResponse { backends }).await
    }

    async fn get_backend(&self, request: Request<GetBackendRequest>) -> Result<Response<Backend>, Status> {
        let backends = match self.mood {
            Mood::Empty => Vec::new(),
            Mood::Hostile => vec![f::hostile_backend()],
            Mood::Crowded => f::crowd(),
            _ => f::backends(),
        };
        let backend = find("backend", &request.into_inner().name, backends, |b| &b.name)?;
        self.answer(backend).await
    }

    async fn list_health_checks(
        &self,
        _: Request<ListHealthChecksRequest>,
    ) -> Result<Response<ListHealthChecksResponse>, Status> {
        let health_checks = if self.mood == Mood::Empty { Vec::new() } else { f::health_checks() };
        self.answer(ListHealthChecksResponse { health_checks }).await
    }

    async fn get_health_check(
        &self,
        request: Request<GetHealthCheckRequest>,
    ) -> Result<Response<HealthCheck>, Status> {
        let check = find("health check", &request.into_inner().name, f::health_checks(), |c| &c.name)?;
        self.answer(check).await
    }

    async fn list_names(&self, _: Request<ListNamesRequest>) -> Result<Response<ListNamesResponse>, Status> {
        if self.mood == Mood::Old {
            return Err(Status::unimplemented(""));
        }
        let all = match self.mood {
            Mood::Empty => ListNamesResponse::default(),
            mood => ListNamesResponse {
                frontends: f::frontends().into_iter().map(|frontend| frontend.name).collect(),
                backends: match mood {
                    Mood::Crowded => f::crowd().into_iter().map(|backend| backend.name).collect(),
                    _ => f::backends().into_iter().map(|backend| backend.name).collect(),
                },
                health_checks: f::health_checks().into_iter().map(|check| check.name).collect(),
            },
        };
        self.answer(all).await
    }

    async fn pause_backend(
        &self,
        request: Request<BackendIntentRequest>,
    ) -> Result<Response<BackendIntentResponse>, Status> {
        let request = request.into_inner();
        let answer = self.backend(&request.name, BackendState::Paused);
        guard(request.name == "static", request.force, &request.force_frontends)?;
        self.change(format!("pause {}", said(&request)), answer).await
    }

    async fn resume_backend(
        &self,
        request: Request<BackendIntentRequest>,
    ) -> Result<Response<BackendIntentResponse>, Status> {
        let request = request.into_inner();
        let answer = self.backend(&request.name, BackendState::Unknown);
        self.change(format!("resume {}", said(&request)), answer).await
    }

    async fn enable_backend(
        &self,
        request: Request<BackendIntentRequest>,
    ) -> Result<Response<BackendIntentResponse>, Status> {
        let request = request.into_inner();
        let answer = self.backend(&request.name, BackendState::Unknown);
        self.change(format!("enable {}", said(&request)), answer).await
    }

    async fn disable_backend(
        &self,
        request: Request<BackendIntentRequest>,
    ) -> Result<Response<BackendIntentResponse>, Status> {
        let request = request.into_inner();
        let answer = self.backend(&request.name, BackendState::Disabled);
        guard(request.name == "static", request.force, &request.force_frontends)?;
        self.change(format!("disable {}", said(&request)), answer).await
    }

    async fn set_frontend_pool_backend_weight(
        &self,
        request: Request<SetFrontendPoolBackendWeightRequest>,
    ) -> Result<Response<SetFrontendPoolBackendWeightResponse>, Status> {
        let r = request.into_inner();
        let frontend = find("frontend", &r.frontend, f::frontends(), |f| &f.name)?;
        let asked = format!(
            "weight {}/{}/{} {}{} by {}: {}",
            r.frontend,
            r.pool,
            r.backend,
            r.weight(),
            if r.flush { " flush" } else { "" },
            r.by,
            r.reason
        );
        let changed = self.mood != Mood::Already;
        guard(r.backend == "static" && r.weight == Some(0), r.force, &r.force_frontends)?;
        self.change(asked, SetFrontendPoolBackendWeightResponse { frontend: Some(frontend), changed }).await
    }

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let events = f::events(&request.into_inner());
        let events = tokio_stream::iter(events.into_iter().map(Ok));
        let stream: Self::WatchEventsStream = match self.mood {
            Mood::Silent => Box::pin(events.chain(tokio_stream::pending())),
            Mood::Hostile => Box::pin(tokio_stream::iter([Ok(f::hostile_event())])),
            _ => Box::pin(events),
        };
        Ok(Response::new(stream))
    }

    async fn get_config(&self, _: Request<GetConfigRequest>) -> Result<Response<GetConfigResponse>, Status> {
        self.answer(f::active()).await
    }

    async fn list_kept_intents(
        &self,
        _: Request<ListKeptIntentsRequest>,
    ) -> Result<Response<ListKeptIntentsResponse>, Status> {
        self.answer(ListKeptIntentsResponse::default()).await
    }

    async fn check_config(
        &self,
        _: Request<CheckConfigRequest>,
    ) -> Result<Response<CheckConfigResponse>, Status> {
        if self.mood == Mood::Calm {
            return self.answer(CheckConfigResponse { valid: true, ..Default::default() }).await;
        }
        self.answer(f::check(self.mood != Mood::Unwell)).await
    }

    async fn reload_config(
        &self,
        _: Request<ReloadConfigRequest>,
    ) -> Result<Response<ReloadConfigResponse>, Status> {
        if self.mood == Mood::Unwell {
            return Err(Status::failed_precondition(
                "the configuration is not valid; nothing was changed\nmaglev.yaml:7:5: unknown field",
            ));
        }
        self.answer(f::reload(self.mood != Mood::Already)).await
    }

    async fn get_vpp_info(&self, _: Request<GetVppInfoRequest>) -> Result<Response<VppInfo>, Status> {
        self.answer(v::info(self.mood != Mood::Unwell)).await
    }

    async fn get_vpplb_state(
        &self,
        _: Request<GetVpplbStateRequest>,
    ) -> Result<Response<VpplbState>, Status> {
        if self.mood == Mood::Unwell {
            return Err(Status::unavailable("VPP is not connected: no such file /run/vpp/api.sock"));
        }
        let vips = if matches!(self.mood, Mood::Empty | Mood::Calm) { Vec::new() } else { v::state().vips };
        self.answer(VpplbState { vips, ..v::state() }).await
    }

    async fn get_vpplb_counters(
        &self,
        _: Request<GetVpplbCountersRequest>,
    ) -> Result<Response<VpplbCounters>, Status> {
        let vips = if self.mood == Mood::Empty { Vec::new() } else { v::counters().vips };
        self.answer(VpplbCounters { vips, ..v::counters() }).await
    }

    async fn sync_vpplb_state(
        &self,
        request: Request<SyncVpplbStateRequest>,
    ) -> Result<Response<SyncVpplbStateResponse>, Status> {
        let operations = v::operations(&request.into_inner().frontend, self.mood);
        self.change("sync".to_owned(), SyncVpplbStateResponse { operations }).await
    }

    async fn plan_vpplb_state(
        &self,
        request: Request<PlanVpplbStateRequest>,
    ) -> Result<Response<PlanVpplbStateResponse>, Status> {
        let operations = v::operations(&request.into_inner().frontend, self.mood);
        let impacts = v::impacts(&operations);
        self.answer(PlanVpplbStateResponse { operations, impacts, ..Default::default() }).await
    }

    async fn get_access(&self, _: Request<GetAccessRequest>) -> Result<Response<GetAccessResponse>, Status> {
        if self.mood == Mood::Old {
            return Err(Status::unimplemented(""));
        }
        self.answer(f::access(self.mood)).await
    }

    async fn list_problems(
        &self,
        _: Request<ListProblemsRequest>,
    ) -> Result<Response<ListProblemsResponse>, Status> {
        let problems = match self.mood {
            Mood::Old => return Err(Status::unimplemented("")),
            Mood::Calm | Mood::Empty => Vec::new(),
            Mood::Unwell => f::problems_of_vpp(),
            Mood::Already => f::problems_of_operators(),
            Mood::Hostile => vec![f::hostile_problem()],
            _ => f::problems(),
        };
        self.answer(ListProblemsResponse { problems }).await
    }

    async fn list_audit(
        &self,
        request: Request<ListAuditRequest>,
    ) -> Result<Response<ListAuditResponse>, Status> {
        match self.mood {
            Mood::Old => Err(Status::unimplemented("")),
            Mood::Unwell => Err(Status::permission_denied("the audit log is for admins; alice is a viewer")),
            Mood::Empty => self.answer(ListAuditResponse::default()).await,
            _ => self.answer(f::audit(&request.into_inner())).await,
        }
    }
}
