//! Edge. `explain`: a backend with all that its weights depend on.

use maglev_api::v1::{
    GetBackendRequest, GetFrontendRequest, GetHealthCheckRequest, GetVppInfoRequest, GetVpplbStateRequest,
    VppStatus,
};

use crate::client::Client;
use crate::explain::{Facts, explain};
use crate::failure::Failure;
use crate::session::Session;
use crate::tree::{Arguments, Flow};
use crate::view::backend::Backend;
use crate::view::check::HealthCheck;
use crate::view::frontend::Frontend;
use crate::view::vpp::LbState;

pub(super) async fn backend(session: &mut Session, arguments: &Arguments) -> Result<Flow, Failure> {
    let client = &session.client;
    let name = arguments.text("backend");
    let backend = client.call(async |mut c| c.get_backend(GetBackendRequest { name }).await).await?;
    let backend = Backend::from(backend);
    let mut names: Vec<&str> = backend.memberships.iter().map(|place| place.frontend.as_str()).collect();
    names.dedup();
    if let Some(only) = arguments.find("frontend") {
        if !names.contains(&only) {
            let uses = if names.is_empty() { "no frontend uses it".to_owned() } else { names.join(", ") };
            return Err(Failure::Refused(format!(
                "frontend {only} does not use backend {}: {uses}",
                backend.name
            )));
        }
        names = vec![only];
    }
    let mut frontends = Vec::new();
    for name in names {
        let name = name.to_owned();
        let one = client.call(async |mut c| c.get_frontend(GetFrontendRequest { name }).await).await?;
        frontends.push(Frontend::from(one));
    }
    let check = match &backend.health_check {
        Some(name) => health_check(client, name).await?,
        None => None,
    };
    let lb = lb(client).await?;
    let facts = Facts {
        backend: &backend,
        check: check.as_ref(),
        frontends: &frontends,
        lb: lb.as_ref(),
        now: (session.output.paper.clock)(),
    };
    session.output.show(&explain(&facts))?;
    Ok(Flow::Next)
}

async fn health_check(client: &Client, name: &str) -> Result<Option<HealthCheck>, Failure> {
    let name = name.to_owned();
    let check = client.call(async |mut c| c.get_health_check(GetHealthCheckRequest { name }).await).await;
    Ok(known(check)?.map(Into::into))
}

/// What VPP has, where there is a VPP.
async fn lb(client: &Client) -> Result<Option<LbState>, Failure> {
    let info = client.call(async |mut c| c.get_vpp_info(GetVppInfoRequest {}).await).await;
    match known(info)? {
        Some(info) if info.status() == VppStatus::Connected => {
            let state = client.call(async |mut c| c.get_vpplb_state(GetVpplbStateRequest {}).await).await;
            Ok(known(state)?.map(Into::into))
        }
        _ => Ok(None),
    }
}

/// An answer that is good to have, and not needed.
fn known<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Failure::Refused(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}
