//! Edge. `show problems`: everything that the server says, asked for at once.

use maglev_api::v1::{
    CheckConfigRequest, GetVersionRequest, GetVppInfoRequest, GetVpplbStateRequest, ListBackendsRequest,
    ListFrontendsRequest, PlanVpplbStateRequest,
};

use crate::client::Client;
use crate::failure::Failure;
use crate::problems::{Everything, problems};
use crate::render::help::Well;
use crate::session::Session;
use crate::tree::Flow;
use crate::view::daemon::Version;
use crate::view::vpp::{Operations, VppInfo};
use crate::view::words::VppStatus;

pub(super) async fn show(session: &mut Session) -> Result<Flow, Failure> {
    let found = problems(&everything(&session.client).await?);
    session.output.show(&found)?;
    if found.is_empty() && session.editor.is_some() {
        // Who reads along wants a word; whoever reads the output wants none.
        session.output.write(&Well)?;
    }
    Ok(Flow::Next)
}

/// Asks for everything. What the server does not tell, for want of a right or of age, is no failure.
async fn everything(client: &Client) -> Result<Everything, Failure> {
    let (version, check, frontends, backends, vpp) = tokio::join!(
        client.call(async |mut c| c.get_version(GetVersionRequest {}).await),
        client.call(async |mut c| c.check_config(CheckConfigRequest {}).await),
        client.call(async |mut c| c.list_frontends(ListFrontendsRequest {}).await),
        client.call(async |mut c| c.list_backends(ListBackendsRequest {}).await),
        client.call(async |mut c| c.get_vpp_info(GetVppInfoRequest {}).await),
    );
    let mut all = Everything::default();
    let unknown = &mut all.unknown;
    let server = client.server().to_string();
    all.version = told("the daemon", version, unknown)?.map(|version| Version::new(server, version));
    all.check = told("the configuration file", check, unknown)?.map(Into::into);
    let frontends = told("frontends", frontends, unknown)?.unwrap_or_default();
    all.frontends = frontends.frontends.into_iter().map(Into::into).collect();
    let backends = told("backends", backends, unknown)?.unwrap_or_default();
    all.backends = backends.backends.into_iter().map(Into::into).collect();
    all.vpp = told("VPP", vpp, unknown)?.map(VppInfo::from);
    if all.vpp.as_ref().is_some_and(|vpp| vpp.status == VppStatus::Connected) {
        let (lb, plan) = tokio::join!(
            client.call(async |mut c| c.get_vpplb_state(GetVpplbStateRequest {}).await),
            client.call(async |mut c| c.plan_vpplb_state(PlanVpplbStateRequest::default()).await),
        );
        all.lb = told("what VPP has", lb, unknown)?.map(Into::into);
        all.plan = told("what VPP lacks", plan, unknown)?.map(|plan| Operations::new(false, plan.operations));
    }
    Ok(all)
}

/// An answer, or nothing and a note where the server refuses it.
fn told<T>(
    what: &'static str,
    answer: Result<T, Failure>,
    unknown: &mut Vec<(&'static str, String)>,
) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Failure::Refused(sentence)) => {
            unknown.push((what, sentence));
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}
