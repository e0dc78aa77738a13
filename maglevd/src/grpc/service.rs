//! Edge. The calls of the gRPC service.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use maglev_api::v1;
use maglev_api::v1::maglev_server::Maglev;
use maglev_core::access::Role;
use maglev_core::config::Diagnostic;
use maglev_core::engine::{CommandError, ReloadReport};
use maglev_core::intent::Request as Intent;
use maglev_core::pattern::Pattern;
use prost::Message;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::access::Caller;
use crate::answers::Answers;
use crate::audit::{Audit, Note, Wanted};
use crate::clock::Clock;
use crate::control::{Change, ChangeError, Control, Snapshot, Who};
use crate::grpc::access::{by, caller, reason};
use crate::grpc::answer::{list, message, response};
use crate::grpc::convert::{self, Converter, timestamp};
use crate::grpc::dataplane::Dataplane;
use crate::grpc::expiry::lasts;
use crate::grpc::force::{forced, out_of_bounds};
use crate::grpc::kept::{self, sentences};
use crate::grpc::reads::Reads;
use crate::grpc::refusal::{no_such, not_taken, refused, unavailable};
use crate::grpc::required::{present, weight};
use crate::grpc::watch::Sources;
use crate::logging::Lines;
use crate::problems::Problems;
use crate::reload::{Checked, Reloader};
use crate::version;
use crate::vpp::Link;

/// How many records of the audit log are shown where nothing is said, and at most.
const AUDIT_DEFAULT: u32 = 100;
const AUDIT_MOST: u32 = 10_000;

/// The service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    control: Control,
    reads: Reads,
    reloader: Reloader,
    clock: Clock,
    lines: Lines,
    vpp: Dataplane,
    audit: Audit,
    problems: Problems,
    stop: CancellationToken,
    started: SystemTime,
}

pub(super) type Answer<T> = Result<Response<T>, Status>;

/// The parts of the daemon that calls read and change.
#[derive(Debug)]
pub struct Parts {
    /// The engine.
    pub control: Control,
    /// The thread that makes large answers.
    pub answers: Answers,
    /// The configuration file.
    pub reloader: Reloader,
    /// Both clocks.
    pub clock: Clock,
    /// The log lines for watchers.
    pub lines: Lines,
    /// VPP, where the daemon drives one.
    pub vpp: Option<Link>,
    /// The audit log.
    pub audit: Audit,
    /// The list of problems.
    pub problems: Problems,
}

impl Service {
    /// A service over `parts`. Its streams end at `stop`.
    pub fn new(parts: Parts, stop: CancellationToken) -> Self {
        let Parts { control, answers, reloader, clock, lines, vpp, audit, problems } = parts;
        let reads = Reads { control: control.clone(), answers, lanes: Arc::default() };
        let vpp = Dataplane {
            control: control.clone(),
            reads: reads.clone(),
            clock,
            link: vpp,
            options: reloader.options().clone(),
        };
        Service {
            control,
            reads,
            reloader,
            clock,
            lines,
            vpp,
            audit,
            problems,
            stop,
            started: SystemTime::now(),
        }
    }

    /// Makes messages of what the engine has.
    async fn show<R>(&self, make: impl FnOnce(Converter<'_>) -> R) -> Result<R, Status> {
        let read = self.control.read(|seen| make(Converter { engine: &seen.engine, reading: seen.reading }));
        read.await.map_err(|stopped| unavailable(&stopped))
    }

    /// Makes a change, and messages of what is there right after it.
    async fn change<R>(
        &self,
        change: Change,
        who: Who,
        make: impl FnOnce(Converter<'_>) -> R,
    ) -> Result<(bool, R), Status> {
        let force = who.force.clone();
        let changed = self.control.change_and_look(change, who).await;
        let (changed, seen) = changed.map_err(|error| match (&error, force) {
            (ChangeError::Refused(CommandError::WouldEmpty { frontends }), Some(force)) => {
                out_of_bounds(&force, frontends).unwrap_or_else(|| refused(&error))
            }
            _ => refused(&error),
        })?;
        Ok((changed, make(Converter { engine: &seen.engine, reading: seen.reading })))
    }

    async fn change_backend(
        &self,
        request: Request<v1::BackendIntentRequest>,
        intent: Intent,
    ) -> Answer<v1::BackendIntentResponse> {
        let (by, note, within) =
            (by(&request, &request.get_ref().by)?, note(&request), caller(&request)?.frontends);
        let v1::BackendIntentRequest { name, reason: why, expires_in, force, force_frontends, .. } =
            request.into_inner();
        present("name", "the backend", &name)?;
        let force = forced(force, force_frontends, within)?;
        let who = Who { by, reason: reason(&why)?, lasts: lasts(expires_in)?, force, note };
        let change = Change::Backend { backend: name.clone(), request: intent };
        let (changed, backend) = self
            .change(change, who, move |c| c.engine.backend(&name).map(|backend| c.backend(backend)))
            .await?;
        Ok(Response::new(v1::BackendIntentResponse { backend, changed }))
    }

    /// Checks the configuration file. Only an administrator sees what is wrong with the files beside it.
    async fn check(&self, is_admin: bool) -> Result<v1::CheckConfigResponse, Status> {
        let invalid =
            |diagnostics| v1::CheckConfigResponse { diagnostics, ..v1::CheckConfigResponse::default() };
        Ok(match self.reloader.check().await {
            Ok(checked) => v1::CheckConfigResponse {
                valid: true,
                diagnostics: self.warnings(&checked, is_admin),
                changes: Some(convert::changes(&checked.changes, &checked.keys)),
                needs_force: sentences(&checked.report.dangers),
                notes: sentences(&checked.report.notes),
            },
            Err(error) if is_admin || error.is_public(self.reloader.path()) => match error.diagnostics() {
                Some(found) => invalid(convert::diagnostics(found)),
                None => return Err(not_taken(&error)),
            },
            Err(error) => {
                let public = error.public(self.reloader.path());
                let mut found = Vec::new();
                for error in public {
                    found.extend(convert::diagnostics(error.diagnostics().ok_or_else(|| not_taken(error))?));
                }
                found.push(convert::withheld());
                invalid(found)
            }
        })
    }

    fn file(&self) -> String {
        self.reloader.path().display().to_string()
    }

    /// What is odd, of the access file only for administrators.
    fn warnings(&self, checked: &Checked, is_admin: bool) -> Vec<v1::Diagnostic> {
        let of = |file: &Path, found: &[Diagnostic]| -> Vec<v1::Diagnostic> {
            let file = file.display().to_string();
            found.iter().map(|warning| convert::diagnostic(&file, warning)).collect()
        };
        let mut warnings = of(self.reloader.path(), &checked.warnings);
        if let (Some(path), true) = (self.reloader.access().path(), is_admin) {
            warnings.extend(of(path, &checked.access_warnings));
        }
        warnings
    }
}

#[tonic::async_trait]
impl Maglev for Service {
    async fn get_version(&self, _: Request<v1::GetVersionRequest>) -> Answer<v1::GetVersionResponse> {
        let config = self.reloader.status().read();
        Ok(Response::new(v1::GetVersionResponse {
            version: version::VERSION.to_owned(),
            commit: version::COMMIT.to_owned(),
            date: version::DATE.to_owned(),
            started_at: Some(timestamp(self.started)),
            config_path: self.file(),
            last_reload_successful: config.last_reload_successful,
            config_loaded_at: Some(timestamp(config.loaded_at)),
        }))
    }

    async fn list_frontends(
        &self,
        _: Request<v1::ListFrontendsRequest>,
    ) -> Answer<v1::ListFrontendsResponse> {
        let encode = |seen: &Snapshot| {
            let c = Converter::of(seen);
            Ok(list(c.engine.frontends().map(|frontend| c.frontend(frontend))))
        };
        self.reads.answer(&self.reads.lanes.frontends, &[], encode).await
    }

    async fn get_frontend(&self, request: Request<v1::GetFrontendRequest>) -> Answer<v1::Frontend> {
        let name = request.into_inner().name;
        // Before it waits in the lane, so that names that do not exist keep nobody waiting.
        self.show(|c| c.engine.frontend(&name).map(drop)).await?.ok_or_else(|| no_such("frontend", &name))?;
        let key = name.clone().into_bytes();
        let encode = move |seen: &Snapshot| {
            let frontend = seen.engine.frontend(&name).ok_or_else(|| no_such("frontend", &name))?;
            Ok(message(&Converter::of(seen).frontend(frontend)))
        };
        self.reads.answer(&self.reads.lanes.frontend, &key, encode).await
    }

    async fn list_backends(&self, _: Request<v1::ListBackendsRequest>) -> Answer<v1::ListBackendsResponse> {
        let encode = |seen: &Snapshot| Ok(list(Converter::of(seen).backends()));
        self.reads.answer(&self.reads.lanes.backends, &[], encode).await
    }

    async fn get_backend(&self, request: Request<v1::GetBackendRequest>) -> Answer<v1::Backend> {
        let name = request.into_inner().name;
        let missing = no_such("backend", &name);
        let found = self.show(move |c| c.engine.backend(&name).map(|backend| c.backend(backend))).await?;
        found.map(Response::new).ok_or(missing)
    }

    async fn list_health_checks(
        &self,
        _: Request<v1::ListHealthChecksRequest>,
    ) -> Answer<v1::ListHealthChecksResponse> {
        let encode = |seen: &Snapshot| {
            let c = Converter::of(seen);
            Ok(list(c.engine.config().checks.values().map(|check| c.health_check(check))))
        };
        self.reads.answer(&self.reads.lanes.health_checks, &[], encode).await
    }

    async fn get_health_check(&self, request: Request<v1::GetHealthCheckRequest>) -> Answer<v1::HealthCheck> {
        let name = request.into_inner().name;
        let missing = no_such("health check", &name);
        let found = self
            .show(move |c| c.engine.config().checks.get(name.as_str()).map(|check| c.health_check(check)))
            .await?;
        found.map(Response::new).ok_or(missing)
    }

    async fn list_names(&self, _: Request<v1::ListNamesRequest>) -> Answer<v1::ListNamesResponse> {
        let encode = |seen: &Snapshot| {
            Ok(message(&v1::ListNamesResponse {
                frontends: seen.engine.frontends().map(|frontend| frontend.name().to_string()).collect(),
                backends: seen.engine.backends().map(|backend| backend.name().to_string()).collect(),
                health_checks: seen.engine.config().checks.keys().map(ToString::to_string).collect(),
            }))
        };
        self.reads.answer(&self.reads.lanes.names, &[], encode).await
    }

    async fn pause_backend(
        &self,
        request: Request<v1::BackendIntentRequest>,
    ) -> Answer<v1::BackendIntentResponse> {
        self.change_backend(request, Intent::Pause).await
    }

    async fn resume_backend(
        &self,
        request: Request<v1::BackendIntentRequest>,
    ) -> Answer<v1::BackendIntentResponse> {
        self.change_backend(request, Intent::Resume).await
    }

    async fn enable_backend(
        &self,
        request: Request<v1::BackendIntentRequest>,
    ) -> Answer<v1::BackendIntentResponse> {
        self.change_backend(request, Intent::Enable).await
    }

    async fn disable_backend(
        &self,
        request: Request<v1::BackendIntentRequest>,
    ) -> Answer<v1::BackendIntentResponse> {
        self.change_backend(request, Intent::Disable).await
    }

    async fn set_frontend_pool_backend_weight(
        &self,
        request: Request<v1::SetFrontendPoolBackendWeightRequest>,
    ) -> Answer<v1::SetFrontendPoolBackendWeightResponse> {
        let (by, note, within) =
            (by(&request, &request.get_ref().by)?, note(&request), caller(&request)?.frontends);
        let request = request.into_inner();
        present("frontend", "the frontend", &request.frontend)?;
        present("pool", "its pool", &request.pool)?;
        present("backend", "the backend in the pool", &request.backend)?;
        let weight = weight(request.weight)?;
        let force = forced(request.force, request.force_frontends, within)?;
        let (reason, lasts) = (reason(&request.reason)?, lasts(request.expires_in)?);
        let who = Who { by, reason, lasts, force, note };
        let name = request.frontend.clone();
        let change = Change::Weight {
            frontend: request.frontend,
            pool: request.pool,
            backend: request.backend,
            weight,
            flush: request.flush,
        };
        let (changed, frontend) = self
            .change(change, who, move |c| c.engine.frontend(&name).map(|frontend| c.frontend(frontend)))
            .await?;
        Ok(Response::new(v1::SetFrontendPoolBackendWeightResponse { frontend, changed }))
    }

    type WatchEventsStream = ReceiverStream<Result<v1::Event, Status>>;

    async fn watch_events(
        &self,
        request: Request<v1::WatchEventsRequest>,
    ) -> Answer<Self::WatchEventsStream> {
        let sources = Sources {
            control: self.control.clone(),
            clock: self.clock,
            lines: self.lines.clone(),
            stop: self.stop.clone(),
        };
        Ok(Response::new(ReceiverStream::new(sources.watch(request.into_inner()))))
    }

    async fn get_config(&self, _: Request<v1::GetConfigRequest>) -> Answer<v1::GetConfigResponse> {
        let encode =
            |seen: &Snapshot| Ok(message(&v1::GetConfigResponse { yaml: seen.engine.config().to_yaml() }));
        self.reads.answer(&self.reads.lanes.running_config, &[], encode).await
    }

    async fn list_kept_intents(
        &self,
        _: Request<v1::ListKeptIntentsRequest>,
    ) -> Answer<v1::ListKeptIntentsResponse> {
        let intents = self.show(kept::list).await?;
        Ok(Response::new(v1::ListKeptIntentsResponse { intents }))
    }

    async fn check_config(
        &self,
        request: Request<v1::CheckConfigRequest>,
    ) -> Answer<v1::CheckConfigResponse> {
        let is_admin = caller(&request)?.role >= Role::Admin;
        let key = [is_admin.into()];
        // One at a time: the tree of a large file takes a hundred megabytes while it is read.
        let checked = self.reads.lanes.config.get(&key, async {
            let answer = self.check(is_admin).await?;
            self.reads.encode(move || message(&answer)).await
        });
        Ok(response(checked.await?))
    }

    async fn reload_config(
        &self,
        request: Request<v1::ReloadConfigRequest>,
    ) -> Answer<v1::ReloadConfigResponse> {
        let by = by(&request, "")?;
        tracing::info!(by, "reload asked for");
        let force = request.get_ref().force;
        let reloaded = self.reloader.reload(force, &note(&request)).await;
        let checked = reloaded.map_err(|error| not_taken(&error))?;
        let ReloadReport { notes, dangers } = &checked.report;
        Ok(Response::new(v1::ReloadConfigResponse {
            changes: Some(convert::changes(&checked.changes, &checked.keys)),
            warnings: self.warnings(&checked, true),
            notes: sentences(notes).into_iter().chain(sentences(dangers)).collect(),
        }))
    }

    async fn get_vpp_info(&self, _: Request<v1::GetVppInfoRequest>) -> Answer<v1::VppInfo> {
        self.vpp.info().await
    }

    async fn get_vpplb_state(&self, _: Request<v1::GetVpplbStateRequest>) -> Answer<v1::VpplbState> {
        self.vpp.state().await
    }

    async fn get_vpplb_counters(&self, _: Request<v1::GetVpplbCountersRequest>) -> Answer<v1::VpplbCounters> {
        self.vpp.counters().await
    }

    async fn sync_vpplb_state(
        &self,
        request: Request<v1::SyncVpplbStateRequest>,
    ) -> Answer<v1::SyncVpplbStateResponse> {
        let (by, note) = (by(&request, "")?, note(&request));
        self.vpp.sync(request.into_inner(), by, &note).await
    }

    async fn plan_vpplb_state(
        &self,
        request: Request<v1::PlanVpplbStateRequest>,
    ) -> Answer<v1::PlanVpplbStateResponse> {
        self.vpp.plan(request.into_inner()).await
    }

    async fn get_access(&self, request: Request<v1::GetAccessRequest>) -> Answer<v1::GetAccessResponse> {
        let Caller { user, from, role, backends, frontends, .. } = caller(&request)?;
        let words = |patterns: Vec<Pattern>| patterns.iter().map(ToString::to_string).collect();
        Ok(Response::new(v1::GetAccessResponse {
            user: user.map(String::from).unwrap_or_default(),
            from,
            role: convert::role(role).into(),
            backends: words(backends),
            frontends: words(frontends),
        }))
    }

    async fn list_problems(&self, _: Request<v1::ListProblemsRequest>) -> Answer<v1::ListProblemsResponse> {
        let listed = self.reads.lanes.problems.get(&[], async {
            let found = self.problems.list().await;
            self.reads.encode(move || list(found.into_iter().map(convert::problem))).await
        });
        Ok(response(listed.await?))
    }

    async fn list_audit(&self, request: Request<v1::ListAuditRequest>) -> Answer<v1::ListAuditResponse> {
        let key = request.get_ref().encode_to_vec();
        let v1::ListAuditRequest { limit, backend, frontend } = request.into_inner();
        let limit = if limit == 0 { AUDIT_DEFAULT } else { limit.min(AUDIT_MOST) };
        let wanted = Wanted { limit: usize::try_from(limit).unwrap_or(usize::MAX), backend, frontend };
        let read = self.reads.lanes.audit.get(&key, async {
            let tail = match self.audit.tail(wanted).await {
                Ok(Some(tail)) => tail,
                Ok(None) => {
                    return Err(Status::failed_precondition(
                        "maglevd keeps no audit log: it runs with an empty --audit-log, or without a --state-dir",
                    ));
                }
                Err(error) => {
                    return Err(Status::unavailable(format!("the audit log cannot be read: {error}")));
                }
            };
            let encode = move || {
                let records = tail.records.into_iter().map(convert::audit).collect();
                message(&v1::ListAuditResponse { records, more: tail.more })
            };
            self.reads.encode(encode).await
        });
        Ok(response(read.await?))
    }
}

/// Where a change is noted for its record.
fn note<T>(request: &Request<T>) -> Note {
    request.extensions().get::<Note>().cloned().unwrap_or_default()
}
