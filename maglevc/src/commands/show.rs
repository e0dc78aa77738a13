//! Edge. The `show` commands of what the daemon watches.

use maglev_api::v1::{
    GetBackendRequest, GetFrontendRequest, GetHealthCheckRequest, GetVersionRequest, ListBackendsRequest,
    ListFrontendsRequest, ListHealthChecksRequest,
};

use crate::failure::Failure;
use crate::session::Session;
use crate::tree::{Arguments, Flow};
use crate::view::backend::Backend;
use crate::view::check::HealthCheck;
use crate::view::daemon::Version;
use crate::view::frontend::Frontend;

pub(super) async fn version(session: &mut Session) -> Result<Flow, Failure> {
    let version = session.client.call(async |mut c| c.get_version(GetVersionRequest {}).await).await?;
    let version = Version::new(session.client.server().to_string(), version);
    session.output.show(&version)?;
    Ok(Flow::Next)
}

pub(super) async fn frontends(session: &mut Session) -> Result<Flow, Failure> {
    let all = session.client.call(async |mut c| c.list_frontends(ListFrontendsRequest {}).await).await?;
    let all: Vec<Frontend> = all.frontends.into_iter().map(Into::into).collect();
    session.output.show(&all)?;
    Ok(Flow::Next)
}

pub(super) async fn frontend(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let name = arguments.text("frontend");
    let one = session.client.call(async |mut c| c.get_frontend(GetFrontendRequest { name }).await).await?;
    session.output.show(&Frontend::from(one))?;
    Ok(Flow::Next)
}

pub(super) async fn backends(session: &mut Session) -> Result<Flow, Failure> {
    let all = session.client.call(async |mut c| c.list_backends(ListBackendsRequest {}).await).await?;
    let all: Vec<Backend> = all.backends.into_iter().map(Into::into).collect();
    session.output.show(&all)?;
    Ok(Flow::Next)
}

pub(super) async fn backend(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let name = arguments.text("backend");
    let one = session.client.call(async |mut c| c.get_backend(GetBackendRequest { name }).await).await?;
    session.output.show(&Backend::from(one))?;
    Ok(Flow::Next)
}

pub(super) async fn health_checks(session: &mut Session) -> Result<Flow, Failure> {
    let all =
        session.client.call(async |mut c| c.list_health_checks(ListHealthChecksRequest {}).await).await?;
    let all: Vec<HealthCheck> = all.health_checks.into_iter().map(Into::into).collect();
    session.output.show(&all)?;
    Ok(Flow::Next)
}

pub(super) async fn health_check(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let name = arguments.text("healthcheck");
    let one =
        session.client.call(async |mut c| c.get_health_check(GetHealthCheckRequest { name }).await).await?;
    session.output.show(&HealthCheck::from(one))?;
    Ok(Flow::Next)
}
