//! Edge. The `plan` commands: what would be written to VPP, and what that would do to new flows.

use std::path::Path;

use maglev_api::v1::plan_vpplb_state_request::Suppose;
use maglev_api::v1::{BackendRequest, PlanVpplbStateRequest, SupposeBackend, SupposeWeight};

use crate::failure::Failure;
use crate::session::Session;
use crate::tree::{Arguments, Flow};
use crate::view::plan::Plan;

/// The largest configuration file that maglevd loads.
const LONGEST_CONFIG: u64 = 64 << 20;

pub(super) async fn sync(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let (frontend, recreate) = (arguments.text("frontend"), arguments.has("recreate"));
    plan(session, PlanVpplbStateRequest { frontend, recreate, suppose: None }).await
}

pub(super) async fn pause(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    backend(session, arguments, BackendRequest::Pause).await
}

pub(super) async fn resume(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    backend(session, arguments, BackendRequest::Resume).await
}

pub(super) async fn enable(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    backend(session, arguments, BackendRequest::Enable).await
}

pub(super) async fn disable(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    backend(session, arguments, BackendRequest::Disable).await
}

pub(super) async fn weight(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let change = SupposeWeight {
        frontend: arguments.text("frontend"),
        pool: arguments.text("pool"),
        backend: arguments.text("backend"),
        weight: Some(arguments.number("weight").unwrap_or_default()),
    };
    suppose(session, Suppose::Weight(change)).await
}

pub(super) async fn config(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let file = arguments.text("file");
    let bytes = maglev_file::read(Path::new(&file), LONGEST_CONFIG)
        .map_err(|error| Failure::Unwell(format!("cannot read {file}: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::Unwell(format!("cannot read {file}: it is not UTF-8")))?;
    suppose(session, Suppose::Config(text)).await
}

async fn backend(
    session: &mut Session,
    arguments: &Arguments,
    request: BackendRequest,
) -> Result<Flow, Failure> {
    let change = SupposeBackend { name: arguments.text("backend"), request: request.into() };
    suppose(session, Suppose::Backend(change)).await
}

async fn suppose(session: &mut Session, suppose: Suppose) -> Result<Flow, Failure> {
    plan(session, PlanVpplbStateRequest { suppose: Some(suppose), ..PlanVpplbStateRequest::default() }).await
}

async fn plan(session: &mut Session, request: PlanVpplbStateRequest) -> Result<Flow, Failure> {
    let plan = session.client.call(async |mut c| c.plan_vpplb_state(request).await).await?;
    session.output.show(&Plan::from(plan))?;
    Ok(Flow::Next)
}
